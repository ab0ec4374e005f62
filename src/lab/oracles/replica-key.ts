/** Small integer keys, so that oracles may keep flat maps. Simulated numbers are small. */
import type { RaftView } from "../../core/raft/view.js";

const incarnationsMax = 1_024;
const replicasMax = 65_536;

/** One life of one group. */
export function groupKey(at: { readonly group: number; readonly incarnation: number }): number {
  return at.group * incarnationsMax + at.incarnation;
}

/** One replica of one life of one group; never used twice. */
export function replicaKey(at: {
  readonly group: number;
  readonly incarnation: number;
  readonly replica: number;
}): number {
  return groupKey(at) * replicasMax + at.replica;
}

/** `group 3 replica 2 on node 5`, for messages. */
export function where(view: RaftView): string {
  return `group ${view.group} replica ${view.replica} on node ${view.node}`;
}
