/** Handing leadership over (thesis section 3.10). */
import { type ReplicaId, type RequestId, noReplica, noToken } from "../ids.js";
import { has } from "./configuration.js";
import { type RaftCore, nextRequest, peerOf, refuse, send } from "./core.js";
import { lastIndex } from "./log.js";
import type { Peer } from "./progress.js";
import { becomeFollower, mayLead, transferred, unknown } from "./roles.js";
import type { RaftState, Transfer } from "./state.js";

export function onTransfer(core: RaftCore, request: RequestId, to: ReplicaId): void {
  const { state } = core;
  if (state.role !== "leader") refuse(core, request, "notLeader");
  else if (state.transfer !== null) refuse(core, request, "transferring");
  else if (to === state.replica) transferred(core, request);
  else if (!isTarget(state, peerOf(state, to))) refuse(core, request, "badTarget");
  else beginTransfer(core, request, to);
}

/** Only who will still be a voter and has its whole log. */
function isTarget(state: RaftState, peer: Peer | undefined): peer is Peer {
  if (peer === undefined || peer.damaged) return false;
  return has(state.configuration.voters, peer.replica);
}

/** Proposals are refused from now on, so that the target can catch up. */
function beginTransfer(core: RaftCore, request: number, to: ReplicaId): void {
  const { state, options, now } = core;
  const deadlineUs = now + options.electionTimeoutMaxUs;
  state.transfer = { request, to, deadlineUs, timeoutNowSent: false };
}

/**
 * A leader whose disk has no room passes leadership on, from one voter that answers to the next,
 * for only they know whether they have room; not more often than elections may take.
 */
export function passOn(core: RaftCore): void {
  const { state, options, now } = core;
  if (state.role !== "leader" || state.transfer !== null || now < state.passOnAtUs) return;
  const { peers, passedOnTo } = state;
  const answering = peers
    .filter((peer) => isTarget(state, peer))
    .filter(({ liveness }) => now < liveness.lastHeardUs + options.electionTimeoutMaxUs)
    .map(({ replica }) => replica)
    .sort((a, b) => a - b);
  const to = answering.find((replica) => replica > passedOnTo) ?? answering[0];
  if (to === undefined) return;
  core.marks.hit("passedOnForSpace");
  state.passedOnTo = to;
  state.passOnAtUs = now + options.electionTimeoutMaxUs;
  beginTransfer(core, 0, to);
}

/** At the end of a leader's step: the target is told as soon as it has the whole log. */
export function advanceTransfer(core: RaftCore): void {
  const { state } = core;
  const { transfer } = state;
  if (transfer === null || transfer.timeoutNowSent) return;
  const peer = peerOf(state, transfer.to);
  if (peer === undefined || peer.match < lastIndex(state.log)) return;
  transfer.timeoutNowSent = true;
  // It may arrive at any time, and no promise stands against the election that follows.
  state.leaseRevoked = true;
  sendTimeoutNow(core, peer);
}

export function sendTimeoutNow(core: RaftCore, peer: Peer): void {
  const { group, incarnation, replica: from, term } = core.state;
  const request = nextRequest(core.state);
  const message = { group, incarnation, from, to: peer.replica, term, request };
  send(core, peer.node, { kind: "timeoutNow", ...message }, noToken);
}

/** Within an election timeout the target leads, or this leader goes on. */
export function expireTransfer(core: RaftCore): void {
  const { state, now } = core;
  const { transfer, handedOver } = state;
  if (handedOver !== null && now >= handedOver.deadlineUs) {
    state.handedOver = null;
    timedOut(core, handedOver);
  }
  if (transfer === null || now < transfer.deadlineUs) return;
  core.marks.hit("transferAborted");
  state.transfer = null;
  timedOut(core, transfer);
  // Who may not lead has had its chance to choose a successor.
  if (!mayLead(state)) becomeFollower(core, state.term, noReplica);
}

/** Refused means that nothing will happen: a target that was told may still take over. */
function timedOut(core: RaftCore, { request, timeoutNowSent }: Transfer): void {
  if (timeoutNowSent) unknown(core, request);
  else refuse(core, request, "timeout");
}

/** A leader that may not lead any more looks for a successor. */
export function handOver(core: RaftCore): void {
  const { state } = core;
  if (mayLead(state) || state.transfer !== null) return;
  const successor = bestSuccessor(state);
  if (successor === null) becomeFollower(core, state.term, noReplica);
  else beginTransfer(core, 0, successor.replica);
}

/** The voter that has most of the log. */
export function bestSuccessor(state: RaftState): Peer | null {
  let best: Peer | null = null;
  for (const peer of state.peers) {
    if (!isTarget(state, peer)) continue;
    if (best === null || peer.match > best.match) best = peer;
  }
  return best;
}
