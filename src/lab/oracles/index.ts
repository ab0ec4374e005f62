/** Every property, in the order of `list`. */
import type { OracleSpec } from "../oracle.js";
import type { Scenario } from "../scenario.js";
import { bounded } from "./bounded.js";
import { commitInOwnTerm } from "./commit-in-own-term.js";
import { configurationAgreement } from "./configuration-agreement.js";
import { configurationSafety } from "./configuration-safety.js";
import { durableQuorum } from "./durable-quorum.js";
import { durableState } from "./durable-state.js";
import { electionSafety } from "./election-safety.js";
import { invariant } from "./invariant.js";
import { leaderAppendOnly } from "./leader-append-only.js";
import { leaderCompleteness } from "./leader-completeness.js";
import { leaderSendsItsLog } from "./leader-sends-its-log.js";
import { leaseSafety } from "./lease-safety.js";
import { linearizability } from "./linearizability.js";
import { logMatching } from "./log-matching.js";
import { monotonic } from "./monotonic.js";
import { erasedIsGone } from "./erased-is-gone.js";
import { noLostWrite } from "./no-lost-write.js";
import { noPlaintext } from "./no-plaintext.js";
import { nonceOnce } from "./nonce-once.js";
import { sealedForOnePlace } from "./sealed-for-one-place.js";
import { removedIsDead } from "./removed-is-dead.js";
import { sessionsExactlyOnce } from "./sessions-exactly-once.js";
import { sleepAgreed } from "./sleep-agreed.js";
import { slotOwnership } from "./slot-ownership.js";
import { stateMachineSafety } from "./state-machine-safety.js";

/** Whatever the groups replicate. */
const raftOracles: readonly OracleSpec[] = [
  electionSafety,
  leaderAppendOnly,
  leaderSendsItsLog,
  logMatching,
  leaderCompleteness,
  commitInOwnTerm,
  stateMachineSafety,
  monotonic,
  durableState,
  durableQuorum,
  configurationSafety,
  configurationAgreement,
  leaseSafety,
  sleepAgreed,
  removedIsDead,
  slotOwnership,
  noPlaintext,
  nonceOnce,
  sealedForOnePlace,
  erasedIsGone,
  bounded,
  invariant,
];

/** Of the key-value store, by what its clients saw. */
const kvOracles: readonly OracleSpec[] = [sessionsExactlyOnce, noLostWrite, linearizability];

export const allOracles: readonly OracleSpec[] = [...raftOracles, ...kvOracles];

/** What a run of the multi-Raft node is judged by. */
export function oraclesOf({ stateMachine }: Scenario): readonly OracleSpec[] {
  return stateMachine === undefined ? allOracles : [...raftOracles, ...stateMachine.properties];
}
