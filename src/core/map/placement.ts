/** Where replicas and slots go, by consistent hashing over what the map says (core/ring). */
import { type GroupId, type NodeId, type ReplicaId, metaGroup, replicaId } from "../ids.js";
import type { Member } from "../raft/configuration.js";
import { assignSlots } from "../ring/assign-slots.js";
import { capThousandthsDefault } from "../ring/load-bounds.js";
import { type PlacementNode, placeReplicas, replacement } from "../ring/place-replicas.js";
import { type Owners, joined, noOwners, ownerAt } from "./owners.js";
import type { MapState } from "./state.js";
import type { MapGroup } from "./types.js";

/** Slots are assigned in equal runs, so that owners stay few; at most so many runs. */
const runsMax = 1024;

/** The members of a new group on these nodes; null unless each is there and up, once. */
export function membersOn(map: MapState, nodes: readonly NodeId[]): Member[] | null {
  if (new Set(nodes).size < nodes.length) return null;
  const members: Member[] = [];
  for (const [at, node] of nodes.entries()) {
    const known = map.nodes.get(node);
    if (known?.state !== "up") return null;
    members.push({ replica: replicaId(at + 1), node, disk: known.disk });
  }
  return members;
}

/** The members of a new group; null when there are too few nodes. */
export function chosenMembers(map: MapState, group: GroupId, replication: number): Member[] | null {
  const placed = placeReplicas({
    group,
    nodes: placementNodes(map),
    replication,
    capThousandths: capThousandthsDefault,
  });
  return placed.kind === "placed" ? membersOn(map, placed.nodes) : null;
}

/**
 * Who takes the place of `leaving`; null when there is no node for it. `coming`: replicas that are on
 * their way to nodes already.
 */
export function newcomer(
  map: MapState,
  group: MapGroup,
  leaving: NodeId,
  coming: ReadonlyMap<NodeId, number> = new Map(),
): NodeId | null {
  const members = group.members.map(({ node }) => node);
  if (!members.includes(leaving)) return null;
  const chosen = replacement({
    group: group.group,
    nodes: placementNodes(map).map((node) => {
      return { ...node, load: node.load + (coming.get(node.id) ?? 0) };
    }),
    members,
    leaving,
    capThousandths: capThousandthsDefault,
  });
  return chosen.kind === "replaced" ? chosen.node : null;
}

/** Who should serve which slots; epochs are those of now. Groups that are not live get none. */
export function spreadOver(map: MapState): Owners {
  const { slotCount, owners } = map;
  const groups = map.groups
    .all()
    .filter(({ group, phase }) => group !== metaGroup && phase === "live")
    .map(({ group, weight }) => ({ id: group, weight }));
  if (groups.length === 0) return noOwners(slotCount);
  const runs = Math.min(slotCount, runsMax);
  const runSlots = slotCount / runs;
  const previous = Array.from({ length: runs }, (_, run) => {
    const { group } = ownerAt(owners, run * runSlots);
    return group === 0 ? null : group;
  });
  const assigned = assignSlots({
    slotCount: runs,
    groups,
    capThousandths: capThousandthsDefault,
    previous,
  });
  return joined(
    assigned.map((group, run) => {
      return { from: run * runSlots, to: (run + 1) * runSlots, group, epoch: 0 };
    }),
  );
}

export function memberOn(members: readonly Member[], node: NodeId): Member | undefined {
  return members.find((member) => member.node === node);
}

/** Whether the node may be asked for anything. */
export function isThere(map: Readonly<MapState>, { node }: Pick<Member, "node">): boolean {
  return map.nodes.get(node)?.state !== "lost";
}

/** Whether the node is there with the disk that this replica lives on, or is to be made on. */
export function hasItsDisk(map: Readonly<MapState>, member: Member): boolean {
  return isThere(map, member) && map.nodes.get(member.node)?.disk === member.disk;
}

/** The first id that none of these founding members has. */
export function nextReplicaId(members: readonly Member[]): ReplicaId {
  return replicaId(members.reduce((next, { replica }) => Math.max(next, replica + 1), 1));
}

function placementNodes(map: MapState): PlacementNode<NodeId>[] {
  const loads = new Map<NodeId, number>();
  for (const { members } of map.groups.all()) {
    for (const { node } of members) loads.set(node, (loads.get(node) ?? 0) + 1);
  }
  return map.nodes
    .all()
    .filter(({ state }) => state !== "left")
    .map(({ node, weight, zone, state }) => ({
      id: node,
      weight,
      zone,
      load: loads.get(node) ?? 0,
      state: state === "up" ? "active" : "draining",
    }));
}
