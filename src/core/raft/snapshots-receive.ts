/** Receiving a snapshot: its chunks in order, then the host verifies and restores the whole. */
import type { SnapshotMeta } from "../entry.js";
import type { RequestId } from "../ids.js";
import { type RaftCore, afterHardState, afterLog, nextRequest, send, writesFull } from "./core.js";
import { installSnapshot, snapshotConfiguration } from "./log-writes.js";
import type { SnapshotChunk } from "./messages.js";
import type { SnapshotReceive } from "./state.js";

export function onSnapshotChunk(core: RaftCore, message: SnapshotChunk): void {
  const { state } = core;
  const { snapshot } = message;
  if (state.receiving !== null && state.receiving.restoreRequest !== 0) {
    // The newest asker gets the answer when it comes.
    if (isSame(state.receiving.snapshot, snapshot)) answerTo(core, state.receiving, message);
    return;
  }
  // What is committed is in every leader's log: a snapshot of less has nothing new.
  if (snapshot.index <= state.commit) {
    core.marks.hit("snapshotBehindCommit");
    if (snapshot.index > state.durable && state.unwrittenFrom > 0) return;
    state.verified = Math.max(state.verified, snapshot.index);
    reply(core, receiveOf(core, message), "installed");
    return;
  }
  const receiving = receiveOf(core, message);
  if (snapshotConfiguration(snapshot) === null) {
    reply(core, receiving, "refused");
    return;
  }
  takeChunk(core, message);
}

function takeChunk(core: RaftCore, message: SnapshotChunk): void {
  const { state } = core;
  const receiving = continued(core, message);
  if (receiving === null) {
    // Only a first chunk begins anew: pieces of two snapshots are never mixed.
    core.marks.hit("snapshotChunkWithoutStart");
    reply(core, receiveOf(core, message), "more");
    return;
  }
  answerTo(core, receiving, message);
  if (receiving.writeRequest !== 0 || receiving.whole) return;
  if (message.offset !== receiving.offset) {
    core.marks.hit("snapshotChunkRepeated");
    reply(core, receiving, "more");
    return;
  }
  const { snapshot, offset, bytes } = message;
  const end = offset + bytes.length;
  if (end > snapshot.sizeBytes || (bytes.length === 0 && end < snapshot.sizeBytes)) {
    state.receiving = null;
    reply(core, receiving, "refused");
    return;
  }
  const request = nextRequest(state);
  receiving.writeRequest = request;
  receiving.writeBytes = bytes.length;
  core.out.push({ kind: "writeChunk", request, snapshot, offset, bytes });
}

/** The receiving that the chunk belongs to, begun by a first chunk; null when it belongs to none. */
function continued(core: RaftCore, message: SnapshotChunk): SnapshotReceive | null {
  const { state } = core;
  const { receiving } = state;
  if (receiving !== null && receiving.session === message.session) {
    if (receiving.from === message.from && isSame(receiving.snapshot, message.snapshot)) {
      return receiving;
    }
  }
  if (message.offset !== 0) return null;
  state.receiving = receiveOf(core, message);
  return state.receiving;
}

function receiveOf({ sender }: RaftCore, message: SnapshotChunk): SnapshotReceive {
  return {
    snapshot: message.snapshot,
    session: message.session,
    from: message.from,
    node: sender,
    messageRequest: message.request,
    offset: 0,
    writeRequest: 0,
    writeBytes: 0,
    whole: false,
    restoreRequest: 0,
  };
}

function answerTo({ sender }: RaftCore, receiving: SnapshotReceive, message: SnapshotChunk): void {
  receiving.session = message.session;
  receiving.from = message.from;
  receiving.node = sender;
  receiving.messageRequest = message.request;
}

function isSame(a: SnapshotMeta, b: SnapshotMeta): boolean {
  if (a.index !== b.index || a.term !== b.term) return false;
  return a.sizeBytes === b.sizeBytes && a.checksum === b.checksum;
}

export function onChunkWritten(core: RaftCore, request: RequestId, ok: boolean): void {
  const { state } = core;
  const { receiving } = state;
  if (receiving === null || receiving.writeRequest !== request) return;
  receiving.writeRequest = 0;
  if (!ok) {
    state.receiving = null;
    reply(core, receiving, "refused");
    return;
  }
  receiving.offset += receiving.writeBytes;
  if (receiving.offset >= receiving.snapshot.sizeBytes) receiving.whole = true;
  else reply(core, receiving, "more");
}

/** At the end of a step: the state machine is replaced between two batches, never within one. */
export function tryRestore(core: RaftCore): void {
  const { state } = core;
  const { receiving } = state;
  if (receiving === null || receiving.restoreRequest !== 0) return;
  if (receiving.snapshot.index <= state.commit) {
    // The log caught up meanwhile. Acknowledging is left to the leader's next chunk.
    core.marks.hit("snapshotOutrunByLog");
    state.receiving = null;
    return;
  }
  if (!receiving.whole || state.applyingTo !== 0) return;
  if (state.role !== "follower") {
    // Who wins would lead with a log that is then replaced.
    core.marks.hit("restoreWhileCampaigning");
    return;
  }
  // Installing it is a write too: a log slower than the disk of snapshots would be owed ever more.
  if (writesFull(core)) return;
  state.applyRead = 0;
  receiving.restoreRequest = nextRequest(state);
  const request = receiving.restoreRequest as RequestId;
  core.out.push({ kind: "restore", request, snapshot: receiving.snapshot });
}

export function onRestored(
  core: RaftCore,
  request: RequestId,
  snapshot: SnapshotMeta | null,
): void {
  const { state } = core;
  const { receiving } = state;
  if (receiving === null || receiving.restoreRequest !== request) return;
  state.receiving = null;
  if (snapshot === null) {
    core.marks.hit("snapshotRefused");
    reply(core, receiving, "refused");
    return;
  }
  core.marks.hit("snapshotInstalled");
  installSnapshot(core, receiving.snapshot);
  state.verified = Math.max(state.verified, receiving.snapshot.index);
  reply(core, receiving, "installed");
}

function reply(
  core: RaftCore,
  receiving: SnapshotReceive,
  outcome: "more" | "installed" | "refused",
): void {
  const { group, incarnation, replica, term } = core.state;
  const { from: to, node, session, snapshot, offset } = receiving;
  const request = receiving.messageRequest as RequestId;
  const envelope = { group, incarnation, from: replica, to, term, request, session };
  const after = outcome === "installed" ? afterLog(core, snapshot.index) : afterHardState(core);
  const progress = { outcome, snapshotIndex: snapshot.index, offset };
  send(core, node, { kind: "snapshotReply", ...envelope, ...progress }, after);
}
