/** The leader's side of the log: what goes to each peer, and what the answers prove. */
import type { Entry } from "../entry.js";
import { type Index, type RequestId, type Term, noToken } from "../ids.js";
import { type RaftCore, nextRequest, peerOf, send } from "./core.js";
import { cachedFrom, entryBytes, entryOverheadBytes, lastIndex, sliceOf, termAt } from "./log.js";
import type { AppendReply, Asleep, HeartbeatReply, RaftMessage } from "./messages.js";
import {
  type Peer,
  answered,
  appendSentUs,
  beginSession,
  closeAppends,
  closeHeartbeat,
  dropAppends,
  inflightCount,
  inflightSince,
  openAppend,
  probe,
} from "./progress.js";
import { beginSnapshot } from "./snapshots-send.js";

/** Sends `peer` all that it lacks and its limits in flight allow. */
export function replicate(core: RaftCore, peer: Peer): void {
  const { state } = core;
  const last = lastIndex(state.log);
  if (peer.mode === "probe" && inflightCount(peer) === 0 && peer.match < last) {
    sendNext(core, peer, peer.probeEmpty ? 0 : core.options.appendEntriesMax);
    return;
  }
  while (peer.next <= last && mayPipeline(core, peer)) {
    if (!sendNext(core, peer, core.options.appendEntriesMax)) return;
  }
}

function mayPipeline({ options }: RaftCore, peer: Peer): boolean {
  return (
    peer.mode === "replicate" &&
    inflightCount(peer) < options.inflightMessagesMax &&
    peer.inflightBytes < options.inflightBytesMax
  );
}

/** False when the entries are not in memory: they come from the disk, or as a snapshot. */
function sendNext(core: RaftCore, peer: Peer, entriesMax: number): boolean {
  const { log } = core.state;
  // At the base itself the term is still known, and entries can follow it.
  if (peer.next - 1 < log.base) {
    beginSnapshot(core, peer);
    return false;
  }
  if (keptNothing(peer)) {
    // There is nothing to take a snapshot of before the first entry is applied.
    if (core.state.applied > 0) beginSnapshot(core, peer);
    return false;
  }
  const to = Math.min(lastIndex(log) + 1, peer.next + entriesMax);
  if (to > peer.next && peer.next < cachedFrom(log)) {
    readForPeer(core, peer, Math.min(to, cachedFrom(log)));
    return false;
  }
  const entries = to > peer.next ? sliceOf(log, peer.next, to, core.options.appendBytesMax) : [];
  sendAppend(core, peer, entries);
  return true;
}

/**
 * A damaged peer that said it has no entry left. Its founding record may be gone too, and with it who
 * the members are: a snapshot says so.
 */
function keptNothing(peer: Peer): boolean {
  return peer.damaged && peer.next === 1;
}

function sendAppend(core: RaftCore, peer: Peer, entries: readonly Entry[]): void {
  const { state, now } = core;
  const prevIndex = peer.next - 1;
  const end = prevIndex + entries.length;
  const request = nextRequest(state);
  let bytes = entryOverheadBytes;
  for (const entry of entries) bytes += entryBytes(entry);
  openAppend(peer, request, end, bytes, now);
  peer.liveness.lastSentUs = now;
  if (peer.mode === "replicate") peer.next = end + 1;
  // Entries may go out before our own disk has them (section 10.2.1); our term it has.
  const message: RaftMessage = {
    kind: "append",
    group: state.group,
    incarnation: state.incarnation,
    from: state.replica,
    to: peer.replica,
    term: state.term,
    request,
    session: peer.session,
    prevIndex: prevIndex as Index,
    prevTerm: termAt(state.log, prevIndex) as Term,
    commit: Math.min(state.commit, end) as Index,
    entries,
  };
  send(core, peer.node, message, noToken);
}

function readForPeer(core: RaftCore, peer: Peer, to: number): void {
  if (peer.readRequest !== 0) return;
  const request = nextRequest(core.state);
  peer.readRequest = request;
  core.marks.hit("logReadFromDisk");
  const range = { from: peer.next as Index, to: to as Index };
  core.out.push({ kind: "readLog", request, ...range, bytesMax: core.options.appendBytesMax });
}

/** In place of a request: no reading until the next beat. */
export const readFailed: number = -1;

/** Entries that were read for a peer; false when no peer waits for `request`. */
export function onPeerLogRead(
  core: RaftCore,
  request: RequestId,
  entries: readonly Entry[] | null,
): boolean {
  const { state } = core;
  const peer = state.peers.find(({ readRequest }) => readRequest === request);
  if (peer === undefined) return false;
  peer.readRequest = 0;
  if (entries === null || entries.length === 0) {
    // What our own disk cannot give, a snapshot may; else the peer waits for the next try.
    core.marks.hit("logReadFailed");
    peer.readRequest = readFailed;
    if (state.snapshot !== null && state.snapshot.index >= peer.next) beginSnapshot(core, peer);
    return true;
  }
  if (peer.mode === "snapshot" || entries[0]!.index !== peer.next) return true;
  if (peer.mode === "probe" && inflightCount(peer) > 0) return true;
  if (entries.every((entry) => termAt(state.log, entry.index) === entry.term)) {
    sendAppend(core, peer, entries);
  }
  return true;
}

export function onAppendReply(core: RaftCore, message: AppendReply): void {
  const peer = peerInSession(core, message);
  if (peer === undefined) return;
  const sentUs = appendSentUs(peer, message.request);
  if (sentUs < 0) {
    onLateReply(core, peer, message);
    return;
  }
  if (noteDamage(core, peer, message.damaged)) return;
  answered(peer, message.request, sentUs, core.now);
  if (message.accepted) accepted(core, peer, message);
  else refused(core, peer, message);
}

/**
 * An answer to what was given up for lost. What it accepts is as durable as ever: were it not to
 * count, a way there and back longer than `resendUs` would let nothing be committed, while beats on
 * the same way keep the leader in office. A refusal may have been overtaken by what came after it.
 */
function onLateReply(core: RaftCore, peer: Peer, message: AppendReply): void {
  const accepts = message.accepted && !message.damaged && !peer.damaged;
  // A snapshot on its way says more, and begins again only below what is matched.
  if (!accepts || message.match < peer.match || peer.mode === "snapshot") {
    core.marks.hit("staleRequestDropped");
    return;
  }
  core.marks.hit("lateAppendCounted");
  accepted(core, peer, message);
}

function accepted(core: RaftCore, peer: Peer, message: AppendReply): void {
  if (message.match > lastIndex(core.state.log)) return;
  closeAppends(peer, message.match);
  peer.match = Math.max(peer.match, message.match);
  peer.next = Math.max(peer.next, peer.match + 1);
  peer.probeEmpty = false;
  if (peer.mode === "probe") {
    dropAppends(peer);
    peer.mode = "replicate";
  }
}

/** Back to where the logs may agree; what is in flight to this peer is not waited for any more. */
function refused(core: RaftCore, peer: Peer, message: AppendReply): void {
  const { log } = core.state;
  core.marks.hit("appendRefused");
  let agree = Math.min(message.hintIndex, lastIndex(log));
  // Down to below the base, where only a snapshot helps.
  while (termAt(log, agree) > message.hintTerm) agree--;
  peer.probeEmpty = true;
  if (peer.damaged && agree < peer.match) {
    // Damaged once more: what it said of its log before holds no longer.
    beginSession(peer, core.state.nextSession++, agree + 1);
  } else if (peer.mode !== "snapshot") probe(peer, agree + 1);
}

export function onHeartbeatReply(core: RaftCore, message: HeartbeatReply): void {
  answeredBeat(core, message, message.damaged);
}

/** The peer whose open heartbeat was answered; undefined when the answer counts for nothing. */
export function answeredBeat(
  core: RaftCore,
  message: HeartbeatReply | Asleep,
  damaged: boolean,
): Peer | undefined {
  const peer = peerInSession(core, message);
  if (peer === undefined) return undefined;
  const sentUs = closeHeartbeat(peer, message.request);
  if (sentUs < 0) {
    core.marks.hit("staleRequestDropped");
    return undefined;
  }
  if (noteDamage(core, peer, damaged)) return undefined;
  answered(peer, message.request, sentUs, core.now);
  return peer;
}

function peerInSession(
  core: RaftCore,
  message: AppendReply | HeartbeatReply | Asleep,
): Peer | undefined {
  const { state } = core;
  if (message.term !== state.term || state.role !== "leader") return undefined;
  const peer = peerOf(state, message.from);
  if (peer !== undefined && message.session !== peer.session) {
    core.marks.hit("staleSessionDropped");
    return undefined;
  }
  return peer;
}

/**
 * True when the peer turns out to have lost what it once acknowledged: a new session begins, and it
 * counts for nothing until it says in that session that its log is whole again.
 */
function noteDamage(core: RaftCore, peer: Peer, damaged: boolean): boolean {
  if (!damaged) {
    peer.damaged = false;
    return false;
  }
  if (peer.damaged) return false;
  peer.damaged = true;
  core.marks.hit("peerDamaged");
  beginSession(peer, core.state.nextSession++, lastIndex(core.state.log) + 1);
  return true;
}

/** No answer for long: what was sent is lost, or the peer is. One empty probe at a time. */
export function backOff(core: RaftCore, peer: Peer): void {
  if (core.now < inflightSince(peer) + core.options.resendUs) return;
  core.marks.hit("probeBackOff");
  peer.probeEmpty = true;
  // What a damaged peer has left it has yet to say.
  const unsaid = peer.damaged && peer.match === 0 && peer.mode === "probe";
  probe(peer, unsaid ? peer.next : peer.match + 1);
}

/** The host says that the node cannot be reached: no use in a pipeline. */
export function onUnreachable({ state }: RaftCore, node: number): void {
  for (const peer of state.peers) {
    if (peer.node !== node || peer.mode !== "replicate") continue;
    peer.probeEmpty = true;
    probe(peer, peer.match + 1);
  }
}
