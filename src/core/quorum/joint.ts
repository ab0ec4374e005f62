/**
 * Quorums of a configuration that may be joint (thesis section 4.3): whatever is decided while two
 * sets of voters are in force needs a majority of each. Elections, commitment, reads and leases all
 * rest on the one function `quorumValue`.
 */
import type { ReplicaId } from "../ids.js";
import { majorityValue, type Voter } from "./majority.js";

/** The sets of voters in force; `outgoing` is empty unless the configuration is joint. */
export interface QuorumVoters {
  readonly voters: readonly Voter[];
  readonly outgoing: readonly Voter[];
}

export type VoteResult = "won" | "lost" | "pending";

/**
 * The highest value that a quorum of every set of voters in force has reached: a match index, the
 * time of a lease, the number of a round of reads. Infinity when there is no voter at all, as before
 * the first configuration is known; see `majorityValue` for `valueOf`.
 */
export function quorumValue<Value extends number>(
  { voters, outgoing }: QuorumVoters,
  valueOf: (replica: ReplicaId) => Value,
): Value {
  return Math.min(majorityValue(voters, valueOf), majorityValue(outgoing, valueOf)) as Value;
}

/** Whether a quorum of every set of voters in force meets `predicate`. */
export function quorumOf(
  config: QuorumVoters,
  predicate: (replica: ReplicaId) => boolean,
): boolean {
  return quorumValue(config, (replica) => (predicate(replica) ? 1 : 0)) >= 1;
}

/**
 * The state of an election; `voteOf` is undefined for a voter that has not answered. "lost" as soon
 * as no answers still to come can win it.
 */
export function voteResult(
  config: QuorumVoters,
  voteOf: (replica: ReplicaId) => boolean | undefined,
): VoteResult {
  // A quorum that reached `granted` has won; one that can't even reach `unknown` never will.
  const reached = quorumValue(config, (replica) => {
    const vote = voteOf(replica);
    return vote === undefined ? unknown : vote ? granted : refused;
  });
  if (reached >= granted) return "won";
  return reached >= unknown ? "pending" : "lost";
}

const refused = 0;
const unknown = 1;
const granted = 2;
