/** Which node of a group to ask: whoever was last known to lead, else one after the other. */
import type { GroupId, NodeId } from "../ids.js";
import { below } from "../random.js";
import { groupOf, turnsMax } from "./groups.js";
import { type ClientCore, type OpenRequest, wantMap } from "./state.js";

/** One hint in so many is not followed: nodes that were cut off may go on naming one that is gone. */
const hintsOneNotIn = 5;

export function nodeOf(core: ClientCore, id: GroupId): NodeId {
  const { leader, turn } = groupOf(core, id);
  if (leader !== 0) return leader;
  const nodes = nodesOf(core, id);
  return nodes[turn % nodes.length]!;
}

/** For what any replica serves. */
export function anyNodeOf(core: ClientCore, id: GroupId): NodeId {
  const nodes = nodesOf(core, id);
  return nodes[below(core.state.random, nodes.length)]!;
}

/** This node was of no use, and may have said where to try next. */
export function turnFrom(
  core: ClientCore,
  { group: id, node }: OpenRequest,
  hint: NodeId | 0,
): void {
  // Another operation may have turned away from it already.
  if (id === 0 || nodeOf(core, id) !== node) return;
  const group = groupOf(core, id);
  const follows = hint !== 0 && ++group.hints % hintsOneNotIn > 0;
  if (hint !== 0 && !follows) core.options.marks.hit("clientHintIgnored");
  // Who leads and is not in the map has joined since.
  if (hint !== 0 && !nodesOf(core, id).includes(hint)) wantMap(core);
  group.leader = follows ? hint : 0;
  if (!follows) group.turn = (group.turn + 1) % turnsMax;
}

/** This node answered as only a leader does. */
export function leads(core: ClientCore, { group, node }: OpenRequest): void {
  if (group !== 0) groupOf(core, group).leader = node;
}

function nodesOf({ routing, options }: ClientCore, id: GroupId): readonly NodeId[] {
  const nodes = routing?.nodesOf(id) ?? [];
  return nodes.length > 0 ? nodes : options.seeds;
}
