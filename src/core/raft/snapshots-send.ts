/** A peer that needs what the log no longer has gets a snapshot, a chunk at a time (thesis ch. 5). */
import { type Index, type RequestId, noToken } from "../ids.js";
import { takeSnapshot } from "./compaction.js";
import { type RaftCore, nextRequest, peerOf, send } from "./core.js";
import type { SnapshotReply } from "./messages.js";
import { type Peer, type SnapshotSend, answered, dropAppends, probe } from "./progress.js";

/** Nothing else goes to the peer until it has answered that the snapshot is installed. */
export function beginSnapshot(core: RaftCore, peer: Peer): void {
  const { snapshot } = core.state;
  peer.mode = "snapshot";
  peer.sending = null;
  dropAppends(peer);
  if (snapshot === null || snapshot.index < peer.next) {
    takeSnapshot(core);
    return;
  }
  const sending = { snapshot, offset: 0, readRequest: 0, request: 0, sentUs: 0 };
  peer.sending = sending;
  readChunk(core, sending);
}

function readChunk(core: RaftCore, sending: SnapshotSend): void {
  const { snapshot, offset } = sending;
  const request = nextRequest(core.state);
  sending.readRequest = request;
  sending.request = 0;
  const bytesMax = core.options.snapshotChunkBytes;
  core.out.push({ kind: "readChunk", request, snapshot, offset, bytesMax });
}

export function onChunkRead(core: RaftCore, request: RequestId, bytes: Uint8Array | null): void {
  const { state, now } = core;
  const peer = state.peers.find(({ sending }) => sending?.readRequest === request);
  const sending = peer?.sending;
  if (peer === undefined || sending === null || sending === undefined) return;
  sending.readRequest = 0;
  const { snapshot, offset } = sending;
  if (bytes === null || (bytes.length === 0 && offset < snapshot.sizeBytes)) {
    abort(core, peer);
    return;
  }
  sending.request = nextRequest(state);
  sending.sentUs = now;
  peer.liveness.lastSentUs = now;
  const { group, incarnation, replica: from, term } = state;
  const envelope = { group, incarnation, from, to: peer.replica, term };
  const chunk = { request: sending.request as RequestId, session: peer.session, offset, bytes };
  const message = { kind: "snapshotChunk", ...envelope, ...chunk, snapshot } as const;
  send(core, peer.node, message, noToken);
}

export function onSnapshotReply(core: RaftCore, message: SnapshotReply): void {
  const { state } = core;
  if (message.term !== state.term || state.role !== "leader") return;
  const peer = peerOf(state, message.from);
  if (peer === undefined) return;
  const { sending } = peer;
  const timely = message.request === sending?.request;
  if (
    message.session !== peer.session ||
    sending === null ||
    (!timely && !furthers(sending, message))
  ) {
    core.marks.hit("staleSnapshotReplyDropped");
    return;
  }
  // Only of an open request is it known when it was sent.
  if (timely) answered(peer, message.request, sending.sentUs, core.now);
  else core.marks.hit("lateSnapshotReplyCounted");
  if (message.outcome === "installed") {
    installed(core, peer, sending.snapshot.index);
  } else if (message.outcome === "more" && message.offset < sending.snapshot.sizeBytes) {
    sending.offset = message.offset;
    readChunk(core, sending);
  } else {
    if (message.outcome === "refused") {
      takeAgain(core, peer, sending.snapshot.index);
      waitLonger(core, peer);
    }
    abort(core, peer);
  }
}

/** An answer to a chunk that was sent again counts all the same, else a slow way lets none through. */
function furthers({ snapshot, offset }: SnapshotSend, message: SnapshotReply): boolean {
  if (message.snapshotIndex !== snapshot.index) return false;
  return message.outcome === "installed" || (message.outcome === "more" && message.offset > offset);
}

/** What a peer refuses may have rotted on our disk: taken anew, but not again for the same peer. */
function takeAgain(core: RaftCore, peer: Peer, index: Index): void {
  if (peer.refusedSnapshot >= index || !takeSnapshot(core)) return;
  core.marks.hit("snapshotTakenAgain");
  peer.refusedSnapshot = index;
}

/** Who refuses again and again, for want of keys or of room, is asked ever more seldom. */
function waitLonger({ options, now }: RaftCore, peer: Peer): void {
  const waitMaxUs = refusedWaitTimeouts * options.electionTimeoutMaxUs;
  const doubledUs = Math.max(2 * peer.snapshotWaitUs, options.heartbeatUs);
  peer.snapshotWaitUs = Math.min(doubledUs, waitMaxUs);
  peer.snapshotAtUs = now + peer.snapshotWaitUs;
}

/** In longest election timeouts: the most between two snapshots to a peer that refuses them. */
const refusedWaitTimeouts = 4;

/** The peer's log equals ours up to the snapshot; what follows comes from the log again. */
function installed(core: RaftCore, peer: Peer, index: Index): void {
  // A base above it by now means that yet another snapshot is needed; `replicate` sees to it.
  if (index < core.state.log.base) core.marks.hit("snapshotOvertaken");
  peer.match = Math.max(peer.match, index);
  peer.snapshotWaitUs = 0;
  probe(peer, peer.match + 1);
  peer.mode = "replicate";
}

/** Begun again at the next beat that may, with what is then the newest snapshot. */
function abort(core: RaftCore, peer: Peer): void {
  core.marks.hit("snapshotAborted");
  peer.sending = null;
}

/** At each beat: an unanswered chunk goes again, an aborted sending starts anew. */
export function resendSnapshot(core: RaftCore, peer: Peer): void {
  const { sending } = peer;
  if (peer.mode !== "snapshot") return;
  if (sending === null) {
    if (core.now >= peer.snapshotAtUs) beginSnapshot(core, peer);
  } else if (sending.request !== 0 && core.now >= sending.sentUs + core.options.resendUs) {
    core.marks.hit("snapshotChunkResent");
    readChunk(core, sending);
  }
}
