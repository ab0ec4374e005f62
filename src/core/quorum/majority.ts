/** Majorities of one set of voters (thesis section 3.4). */
import { assert } from "../assert.js";
import type { ReplicaId } from "../ids.js";

/** A member that counts in a quorum; a configuration's members are such. */
export interface Voter {
  readonly replica: ReplicaId;
}

/** The largest set of voters. A configuration holds no more members than this. */
export const votersMax = 64;

/** How many of `count` voters are more than half of them. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/**
 * The highest value that a majority of `voters` has reached: with match indices, the index that the
 * majority holds. Infinity when there are no voters, so that an empty half of a joint configuration
 * never holds back the other.
 *
 * `valueOf` gives the lowest value (0 for an index) for a voter of which nothing is known. It may
 * not itself ask for a quorum. Nothing is allocated.
 */
export function majorityValue<Value extends number>(
  voters: readonly Voter[],
  valueOf: (replica: ReplicaId) => Value,
): Value {
  const count = voters.length;
  if (count === 0) return Infinity as Value;
  assert(count <= votersMax, "a set of voters is no larger than votersMax");
  for (let filled = 0; filled < count; filled++) {
    const value = valueOf(voters[filled]!.replica);
    let at = filled;
    for (; at > 0 && ascending[at - 1]! > value; at--) ascending[at] = ascending[at - 1]!;
    ascending[at] = value;
  }
  return ascending[count - majorityOf(count)] as Value;
}

/** Filled anew by each call and read by none but that one. */
const ascending = new Float64Array(votersMax);
