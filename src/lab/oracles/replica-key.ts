/**
 * Integer keys, so that oracles may keep flat maps. The replica stands in front: the first members of
 * a group have small ids, and maps are fastest with keys below 2^31.
 */
import { assert } from "../../core/assert.js";
import type { RaftView } from "../../core/raft/view.js";

const incarnationsMax = 1_024;
const groupKeysMax = 0x100_0000;

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
  const group = groupKey(at);
  const key = at.replica * groupKeysMax + group;
  assert(group < groupKeysMax && key <= Number.MAX_SAFE_INTEGER, "a key names one replica", at);
  return key;
}

/** `group 3 replica 2 on node 5`, for messages. */
export function where(view: RaftView): string {
  return `group ${view.group} replica ${view.replica} on node ${view.node}`;
}
