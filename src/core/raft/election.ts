/** Elections: pre-vote, vote, and who may win them (thesis sections 3.4, 3.6.1, 4.2.3 and 9.6). */
import { assert } from "../assert.js";
import { type Index, type ReplicaId, type RequestId, type Term, noReplica } from "../ids.js";
import { voteResult } from "../quorum/joint.js";
import { memberOf, voterIds } from "./configuration.js";
import { type RaftCore, afterHardState, saveHardState, send, writesFull } from "./core.js";
import { becomeLeader } from "./leader.js";
import { isPromised } from "./liveness.js";
import { lastIndex, lastTerm } from "./log.js";
import type { PreVote, PreVoteReply, TimeoutNow, Vote, VoteReply } from "./messages.js";
import {
  becomeFollower,
  endElection,
  mayCampaign,
  restartElectionTimer,
  setLeader,
  setRole,
} from "./roles.js";

/** The election timeout passed without a word from a leader. */
export function onElectionTimeout(core: RaftCore): void {
  const { state } = core;
  restartElectionTimer(core);
  if (!mayCampaign(core) || writesFull(core)) return;
  beginRound(core, "preCandidate");
  setLeader(core, noReplica);
  state.granted.push(state.replica);
  conclude(core);
  // A single voter has won already.
  if (state.role === "preCandidate") askForVotes(core, "preVote", false);
}

/** A leader asked this replica to take over: no pre-vote, and no one's promise stands against it. */
export function onTimeoutNow(core: RaftCore, message: TimeoutNow): void {
  const { state } = core;
  if (message.term !== state.term || message.from !== state.leader) return;
  if (!mayCampaign(core) || writesFull(core)) return;
  restartElectionTimer(core);
  campaign(core, true);
}

function campaign(core: RaftCore, transfer: boolean): void {
  const { state } = core;
  assert(state.damagedThrough === 0, "a replica with a damaged log never campaigns");
  state.term = (state.term + 1) as Term;
  state.vote = state.replica;
  state.verified = 0;
  saveHardState(core);
  setLeader(core, noReplica);
  beginRound(core, "candidate");
  askForVotes(core, "vote", transfer);
}

/** After a write: a candidate's vote for itself counts once it is durable, like anyone's. */
export function countOwnVote(core: RaftCore): void {
  const { state } = core;
  if (state.role !== "candidate" || state.hardToken > state.durableToken) return;
  count(core, state.replica, true);
  conclude(core);
}

function beginRound(core: RaftCore, role: "preCandidate" | "candidate"): void {
  const { state } = core;
  endElection(core);
  state.electionRequest = state.nextBootRequest++;
  setRole(core, role);
}

function askForVotes(core: RaftCore, kind: "preVote" | "vote", transfer: boolean): void {
  const { state } = core;
  const { group, incarnation, replica: from, configuration } = state;
  const request = state.electionRequest as RequestId;
  const last = lastIndex(state.log) as Index;
  const log = { lastIndex: last, lastTerm: lastTerm(state.log) as Term };
  // Our vote for ourselves must outlive us before anyone hears of it.
  const after = afterHardState(core);
  for (const to of voterIds(configuration)) {
    if (to === from) continue;
    const { node } = memberOf(configuration, to)!;
    if (kind === "preVote") {
      const term = (state.term + 1) as Term;
      send(core, node, { kind, group, incarnation, from, to, term, request, ...log }, after);
    } else {
      const { term } = state;
      send(
        core,
        node,
        { kind, group, incarnation, from, to, term, request, ...log, transfer },
        after,
      );
    }
  }
}

function tally({ state }: RaftCore): "won" | "lost" | "pending" {
  const { configuration, granted, refused } = state;
  return voteResult(configuration, (replica) =>
    granted.includes(replica) ? true : refused.includes(replica) ? false : undefined,
  );
}

/** Nobody's state changes by a pre-vote, and the election timer of who grants it runs on. */
export function onPreVote(core: RaftCore, message: PreVote): void {
  const { state } = core;
  const granted = grantsPreVote(core, message);
  const { group, incarnation, replica: from } = state;
  const { from: to, request } = message;
  // A refusal tells our term, from which a candidate that lags behind learns (else it never wins).
  const term = granted ? message.term : state.term;
  const reply = { group, incarnation, from, to, term, request, granted };
  send(core, core.sender, { kind: "preVoteReply", ...reply }, afterHardState(core));
}

function grantsPreVote(core: RaftCore, message: PreVote): boolean {
  const { state } = core;
  if (message.term <= state.term) {
    core.marks.hit("preVoteRefusedStaleTerm");
    return false;
  }
  if (state.damagedThrough > 0) {
    core.marks.hit("damagedRefusesVote");
    return false;
  }
  if (isPromised(core, message.from)) {
    core.marks.hit("preVoteRefusedByLease");
    return false;
  }
  return isUpToDate(core, message);
}

export function onPreVoteReply(core: RaftCore, message: PreVoteReply): void {
  const { state } = core;
  if (!message.granted && message.term > state.term) {
    // As with any message: our disk owes us too many answers to note a new term.
    if (writesFull(core)) return;
    core.marks.hit("preVoteRefusalTaughtTerm");
    becomeFollower(core, message.term, noReplica);
    return;
  }
  if (state.role !== "preCandidate") return;
  if (message.request !== state.electionRequest) return;
  count(core, message.from, message.granted);
  conclude(core);
}

/** The term was raised to the message's before, unless a promise stood against it. */
export function onVote(core: RaftCore, message: Vote): void {
  const { state } = core;
  const granted = grantsVote(core, message);
  if (granted && state.vote !== message.from) {
    state.vote = message.from;
    saveHardState(core);
    restartElectionTimer(core);
  }
  const { group, incarnation, replica: from, term } = state;
  const { from: to, request } = message;
  const reply = { group, incarnation, from, to, term, request, granted };
  send(core, core.sender, { kind: "voteReply", ...reply }, afterHardState(core));
}

function grantsVote(core: RaftCore, message: Vote): boolean {
  const { state } = core;
  if (message.term !== state.term) return false;
  if (state.vote !== 0 && state.vote !== message.from) return false;
  if (state.damagedThrough > 0) {
    core.marks.hit("damagedRefusesVote");
    return false;
  }
  if (!message.transfer && state.vote === 0 && isPromised(core, message.from)) return false;
  return isUpToDate(core, message);
}

/** The later last term wins, and for equal ones the longer log (thesis section 3.6.1). */
function isUpToDate({ state }: RaftCore, message: PreVote | Vote): boolean {
  const term = lastTerm(state.log);
  if (message.lastTerm !== term) return message.lastTerm > term;
  return message.lastIndex >= lastIndex(state.log);
}

export function onVoteReply(core: RaftCore, message: VoteReply): void {
  const { state } = core;
  if (message.term !== state.term) return;
  if (state.role !== "candidate") return;
  if (message.request !== state.electionRequest) return;
  count(core, message.from, message.granted);
  conclude(core);
}

/** Whether it may go on is asked anew: much may have happened since the round began. */
function conclude(core: RaftCore): void {
  const result = tally(core);
  if (result === "pending") return;
  if (result === "lost") giveUp(core);
  else if (!mayCampaign(core)) endRound(core);
  else if (core.state.role === "candidate") becomeLeader(core);
  else if (writesFull(core)) endRound(core);
  else campaign(core, false);
}

function count({ state }: RaftCore, from: ReplicaId, granted: boolean): void {
  if (memberOf(state.configuration, from) === undefined) return;
  const list = granted ? state.granted : state.refused;
  if (!list.includes(from)) list.push(from);
}

/** No answers still to come can win: wait for the next timeout, or for who did win. */
function giveUp(core: RaftCore): void {
  core.marks.hit("electionLost");
  endRound(core);
}

/** Without a winner. */
export function endRound(core: RaftCore): void {
  becomeFollower(core, core.state.term, noReplica);
}
