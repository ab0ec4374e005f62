/** Changes of role, and what must end with one: nothing that a leader holds outlives its term. */
import type { NodeId, ReplicaId, RequestId, Term } from "../ids.js";
import { noReplica, noToken } from "../ids.js";
import { below } from "../random.js";
import { isVoter } from "./configuration.js";
import { type RaftCore, emit, refuse, saveHardState, send } from "./core.js";
import { type RaftState, idleLeader } from "./state.js";
import type { RaftRole } from "./view.js";

/** The term alone may rise by this, and with it the vote becomes free. */
export function becomeFollower(core: RaftCore, term: Term, leader: ReplicaId): void {
  const { state } = core;
  if (state.role === "leader") endLeadership(core);
  if (term > state.term) {
    state.term = term;
    state.vote = noReplica;
    state.leader = noReplica;
    state.leaderNode = null;
    state.verified = 0;
    saveHardState(core);
  }
  endElection(core);
  setRole(core, "follower");
  if (leader !== state.leader || leader === noReplica) setLeader(core, leader);
}

export function endElection({ state }: RaftCore): void {
  state.electionRequest = 0;
  state.granted.length = 0;
  state.refused.length = 0;
}

export function setRole(core: RaftCore, role: RaftRole): void {
  const { state } = core;
  if (state.role === role) return;
  state.role = role;
  emit(core, { name: "roleChanged", role, term: state.term });
}

export function setLeader(core: RaftCore, leader: ReplicaId): void {
  const { state } = core;
  state.leader = leader;
  state.leaderNode = leader === noReplica ? null : core.sender;
  // What was asked of another leader will not be answered by this one.
  refuseForwards(core);
  if (leader === noReplica) return;
  emit(core, { name: "leaderKnown", leader, term: state.term });
  const { handedOver } = state;
  if (handedOver === null) return;
  state.handedOver = null;
  if (leader === handedOver.to) transferred(core, handedOver.request);
  else refuse(core, handedOver.request, "badTarget");
}

export function refuseForwards(core: RaftCore): void {
  const { state } = core;
  state.forwardRequest = 0;
  for (const request of state.forwarded.splice(0)) refuse(core, request, "notLeader");
  for (const request of state.forwardWaiting.splice(0)) refuse(core, request, "notLeader");
}

export function transferred(core: RaftCore, request: number): void {
  if (request === 0) return;
  core.out.push({
    kind: "answer",
    request: request as RequestId,
    result: { kind: "transferred" },
    after: noToken,
  });
}

/** From now: a timeout drawn anew (thesis section 3.4). */
export function restartElectionTimer({ state, options, now }: RaftCore): void {
  const spread = options.electionTimeoutMaxUs - options.electionTimeoutMinUs;
  const timeoutUs = options.electionTimeoutMinUs + below(state.random, spread);
  state.electionDeadlineUs = now + timeoutUs + options.priorityDelayUs;
}

/** Whether this replica may ask for votes at all. */
export function mayCampaign(core: RaftCore): boolean {
  const { state } = core;
  if (!standsForElection(state)) return false;
  if (state.damagedThrough > 0 || !mayLead(state)) return false;
  // A restore that is under way will replace the log: a leader's log is never replaced.
  return state.receiving === null || state.receiving.restoreRequest === 0;
}

/** Nor should lead who does not know an entry that is committed: it would serve nobody. */
export function mayLead({ permissions, unknownTypeAt }: RaftState): boolean {
  return permissions.mayLead && unknownTypeAt === 0;
}

/**
 * Voters do; so does who has lost its vote by a configuration not known to be committed: those who
 * are to elect without it may lack that very entry and need it first (thesis section 4.2.2).
 */
export function standsForElection({
  configuration,
  configurationIndex,
  configurations,
  commit,
  replica,
}: RaftState): boolean {
  if (isVoter(configuration, replica)) return true;
  if (configurationIndex <= commit || configurations.length < 2) return false;
  return isVoter(configurations.at(-2)!.configuration, replica);
}

function endLeadership(core: RaftCore): void {
  const { state } = core;
  const { proposals, proposalsHead, changeRequest, reads, transfer } = state;
  // The sender may be only a candidate: who leads next is not known.
  state.leader = noReplica;
  state.leaderNode = null;
  Object.assign(state, idleLeader());
  for (let at = proposalsHead; at < proposals.length; at += 2) unknown(core, proposals[at + 1]!);
  unknown(core, changeRequest);
  for (const read of reads) {
    if (read.from === noReplica) refuse(core, read.request, "notLeader");
    else refuseRead(core, read.from, read.node, read.request);
  }
  if (transfer !== null) state.handedOver = transfer;
  restartElectionTimer(core);
}

/** A follower's forwarded read will not be answered here. */
export function refuseRead(core: RaftCore, to: ReplicaId, node: NodeId, request: number): void {
  const { state } = core;
  const { group, incarnation, replica: from, term } = state;
  const reply = { request: request as RequestId, granted: false, index: 0 as never };
  send(
    core,
    node,
    { kind: "readIndexReply", group, incarnation, from, to, term, ...reply },
    noToken,
  );
}

/** It may yet take effect: its entry is in the log, or its message under way. */
export function unknown(core: RaftCore, request: number): void {
  if (request === 0) return;
  core.out.push({
    kind: "answer",
    request: request as RequestId,
    result: { kind: "unknown", leader: core.state.leaderNode },
    after: noToken,
  });
}
