/** Every property, in the order of `list`. A run is judged by all of them. */
import type { OracleSpec } from "../oracle.js";
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
import { noLostWrite } from "./no-lost-write.js";
import { sessionsExactlyOnce } from "./sessions-exactly-once.js";
import { stateMachineSafety } from "./state-machine-safety.js";

export const allOracles: readonly OracleSpec[] = [
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
  bounded,
  invariant,
  sessionsExactlyOnce,
  noLostWrite,
  linearizability,
];
