/**
 * What a leader knows of one peer (thesis section 10.2.1), and which of its requests are open. A
 * reply counts only when it names the session: so nothing said before a removal or a damage is ever
 * counted. What it says of time counts only while its request is open.
 */
import { shorten } from "../arrays.js";
import type { SnapshotMeta } from "../entry.js";
import type { NodeId, ReplicaId } from "../ids.js";

/** `probe`: one append at a time, to find where the logs agree. `replicate`: a pipeline. */
export type PeerMode = "probe" | "replicate" | "snapshot";

/** Check-quorum and leases read this, never a heartbeat itself. Microseconds of this node. */
export interface Liveness {
  lastSentUs: number;
  lastHeardUs: number;
  /** When the newest request that was answered had been sent. */
  ackedSentUs: number;
}

export interface Peer {
  readonly replica: ReplicaId;
  readonly node: NodeId;
  session: number;
  mode: PeerMode;
  /** The peer's log is durably equal to ours up to here. Never falls within a session. */
  match: number;
  next: number;
  /** The peer says that its log is being refilled: it counts in no quorum. */
  damaged: boolean;
  /** When it stopped being a member; Infinity while it is one. */
  leftUs: number;
  /** Open appends, oldest first: request, last index, bytes, sent at. From `inflightHead` on. */
  inflight: number[];
  inflightHead: number;
  inflightBytes: number;
  /** The next probe carries no entries: one before it failed. */
  probeEmpty: boolean;
  /** Open heartbeats, oldest first: request, sent at. */
  heartbeats: number[];
  /** The newest request that was answered; reads wait for it (thesis section 6.4). */
  ackedRequest: number;
  /** Open reading of the log on disk for this peer, or 0. */
  readRequest: number;
  liveness: Liveness;
  sending: SnapshotSend | null;
  /** The newest snapshot that the peer refused: it may have rotted here. */
  refusedSnapshot: number;
  /** It has agreed to sleep, and nothing has woken the group since. */
  asleep: boolean;
  /** The start of its node in which it agreed. */
  boot: number;
  /** Grows with each refusal until it installs one; no other is begun before `snapshotAtUs`. */
  snapshotWaitUs: number;
  snapshotAtUs: number;
}

/** A snapshot on its way to a peer, one chunk at a time. */
export interface SnapshotSend {
  readonly snapshot: SnapshotMeta;
  offset: number;
  /** Open `readChunk`, or 0. */
  readRequest: number;
  /** Open message with a chunk, or 0. */
  request: number;
  sentUs: number;
}

const stride = 4;
const heartbeatStride = 2;
/** Heartbeats that may be open at once; the oldest is forgotten for a new one. */
export const heartbeatsOpenMax = 16;
/** Beyond so many used-up places the array of open appends is moved together. */
const usedMax = 256;

export function newPeer(
  member: { readonly replica: ReplicaId; readonly node: NodeId },
  session: number,
  next: number,
  nowUs: number,
): Peer {
  return {
    replica: member.replica,
    node: member.node,
    session,
    mode: "probe",
    match: 0,
    next,
    damaged: false,
    leftUs: Infinity,
    inflight: [],
    inflightHead: 0,
    inflightBytes: 0,
    probeEmpty: false,
    heartbeats: [],
    ackedRequest: 0,
    readRequest: 0,
    // Heard now: a new leader gives everyone one timeout to answer.
    liveness: { lastSentUs: 0, lastHeardUs: nowUs, ackedSentUs: 0 },
    sending: null,
    refusedSnapshot: 0,
    asleep: false,
    boot: 0,
    snapshotWaitUs: 0,
    snapshotAtUs: 0,
  };
}

export function inflightCount(peer: Peer): number {
  return (peer.inflight.length - peer.inflightHead) / stride;
}

/** When the oldest open append was sent; Infinity when none is open. */
export function inflightSince(peer: Peer): number {
  return inflightCount(peer) === 0 ? Infinity : peer.inflight[peer.inflightHead + 3]!;
}

export function openAppend(
  peer: Peer,
  request: number,
  last: number,
  bytes: number,
  nowUs: number,
): void {
  peer.inflight.push(request, last, bytes, nowUs);
  peer.inflightBytes += bytes;
}

/** When the open append `request` was sent; -1 when it is not open. */
export function appendSentUs(peer: Peer, request: number): number {
  const { inflight } = peer;
  for (let at = peer.inflightHead; at < inflight.length; at += stride) {
    if (inflight[at] === request) return inflight[at + 3]!;
  }
  return -1;
}

/** Closes every append that ends at or below `match`: one answer proves all of them. */
export function closeAppends(peer: Peer, match: number): void {
  const { inflight } = peer;
  let head = peer.inflightHead;
  while (head < inflight.length && inflight[head + 1]! <= match) {
    peer.inflightBytes -= inflight[head + 2]!;
    head += stride;
  }
  if (head === inflight.length) {
    shorten(inflight, 0);
    head = 0;
  } else if (head > usedMax) {
    inflight.splice(0, head);
    head = 0;
  }
  peer.inflightHead = head;
}

/** Forgets all open appends: of late answers to them only what they accept still counts. */
export function dropAppends(peer: Peer): void {
  shorten(peer.inflight, 0);
  peer.inflightHead = 0;
  peer.inflightBytes = 0;
}

export function openHeartbeat(peer: Peer, request: number, nowUs: number): void {
  if (peer.heartbeats.length >= heartbeatsOpenMax * heartbeatStride) {
    peer.heartbeats.splice(0, heartbeatStride);
  }
  peer.heartbeats.push(request, nowUs);
}

/** Closes `request` and older ones; gives when it was sent, -1 when it is not open. */
export function closeHeartbeat(peer: Peer, request: number): number {
  for (let at = 0; at < peer.heartbeats.length; at += heartbeatStride) {
    if (peer.heartbeats[at] !== request) continue;
    const sentUs = peer.heartbeats[at + 1]!;
    peer.heartbeats.splice(0, at + heartbeatStride);
    return sentUs;
  }
  return -1;
}

/** An open request of this session was answered: the only thing that feeds `Liveness`. */
export function answered(peer: Peer, request: number, sentUs: number, nowUs: number): void {
  // Who refills a damaged log counts in no quorum, that of a lease or a read included.
  if (peer.damaged) return;
  peer.liveness.lastHeardUs = nowUs;
  peer.liveness.ackedSentUs = Math.max(peer.liveness.ackedSentUs, sentUs);
  peer.ackedRequest = Math.max(peer.ackedRequest, request);
}

/** Back to one append at a time, from what is proven. */
export function probe(peer: Peer, next: number): void {
  peer.mode = "probe";
  peer.next = Math.max(next, peer.match + 1);
  peer.readRequest = 0;
  peer.sending = null;
  dropAppends(peer);
}

/** A new conversation: nothing said in the old one counts. */
export function beginSession(peer: Peer, session: number, next: number): void {
  peer.session = session;
  peer.match = 0;
  shorten(peer.heartbeats, 0);
  peer.ackedRequest = 0;
  peer.liveness.ackedSentUs = 0;
  peer.snapshotWaitUs = 0;
  peer.snapshotAtUs = 0;
  peer.probeEmpty = true;
  probe(peer, next);
}
