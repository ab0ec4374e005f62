/**
 * Linearizable reads on the leader (thesis section 6.4). A read notes the commit index and waits
 * until a quorum has answered requests that were sent after it came: then nobody else can have led
 * before. Which requests those are is told by our own counter, never by an id of the reader's.
 */
import type { ReadMode } from "../consensus.js";
import type { Index, NodeId, ReplicaId, RequestId } from "../ids.js";
import { noReplica, noToken } from "../ids.js";
import { quorumValue } from "../quorum/joint.js";
import { isVoter, memberOf } from "./configuration.js";
import { type RaftCore, peerOf, refuse, send } from "./core.js";
import { forwardRead } from "./follower-reads.js";
import { leaseUntilUs } from "./liveness.js";
import type { ReadIndex } from "./messages.js";
import { sendHeartbeat } from "./peers.js";
import { refuseRead } from "./roles.js";
import type { PendingRead } from "./state.js";

export function onRead(core: RaftCore, request: RequestId, mode: ReadMode): void {
  const { state, options } = core;
  if (state.role !== "leader") {
    if (mode === "index") forwardRead(core, request);
    else refuse(core, request, "notLeader");
  } else if (mode === "lease") {
    readByLease(core, request);
  } else if (state.reads.length >= options.pendingReadsMax) {
    refuse(core, request, "overloaded");
  } else {
    state.reads.push({ request, from: noReplica, node: state.node, index: -1, start: 0 });
  }
}

function readByLease(core: RaftCore, request: RequestId): void {
  const { state, now } = core;
  if (now >= leaseUntilUs(core)) {
    core.marks.hit("leaseReadRefused");
    refuse(core, request, "noLease");
    return;
  }
  const index = state.commit as Index;
  core.out.push({ kind: "readReady", request, index, after: noToken });
}

export function onReadIndex(core: RaftCore, message: ReadIndex): void {
  const { state, options, sender: node } = core;
  const { from, request } = message;
  const known = memberOf(state.configuration, from) !== undefined;
  if (state.role !== "leader" || !known || state.reads.length >= options.pendingReadsMax) {
    refuseRead(core, from, node, request);
    return;
  }
  state.reads.push({ request, from, node, index: -1, start: 0 });
}

/** At the end of a leader's step: gives reads their index, answers those confirmed. */
export function serveReads(core: RaftCore): void {
  const { state } = core;
  if (state.reads.length === 0) return;
  // Until then commits of earlier leaders may be unknown here (section 6.4, step 1).
  if (state.commit < state.termStart) return;
  for (let at = state.reads.length - 1; at >= 0 && state.reads[at]!.index < 0; at--) {
    state.reads[at]!.index = state.commit;
    state.reads[at]!.start = state.nextRequest;
  }
  const confirmed = quorumValue(state.configuration, (replica) =>
    replica === state.replica ? Infinity : (peerOf(state, replica)?.ackedRequest ?? 0),
  );
  let served = 0;
  while (served < state.reads.length && state.reads[served]!.start <= confirmed) {
    answerRead(core, state.reads[served]!);
    served++;
  }
  if (served > 0) state.reads.splice(0, served);
  if (state.reads.length > 0 && state.readRound <= confirmed) beginRound(core);
}

/** Beats that a read waits for go again when they found no answer. */
export function resendRound(core: RaftCore): void {
  const { state, options, now } = core;
  if (state.reads.length === 0 || state.commit < state.termStart) return;
  if (now >= state.readRoundSentUs + options.heartbeatUs) beginRound(core);
}

/** One round serves all reads that came before it. */
function beginRound(core: RaftCore): void {
  const { state, now } = core;
  state.readRound = state.nextRequest;
  state.readRoundSentUs = now;
  for (const peer of state.peers) {
    if (isVoter(state.configuration, peer.replica)) sendHeartbeat(core, peer);
  }
}

function answerRead(core: RaftCore, read: PendingRead): void {
  const index = read.index as Index;
  const request = read.request as RequestId;
  if (read.from === noReplica) {
    core.out.push({ kind: "readReady", request, index, after: noToken });
  } else {
    replyReadIndex(core, read.from, read.node, request, index);
  }
}

function replyReadIndex(
  core: RaftCore,
  to: ReplicaId,
  node: NodeId,
  request: RequestId,
  index: Index,
): void {
  const { group, incarnation, replica: from, term } = core.state;
  const reply = { group, incarnation, from, to, term, request, granted: true, index };
  send(core, node, { kind: "readIndexReply", ...reply }, noToken);
}
