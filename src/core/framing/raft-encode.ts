/**
 * Raft's messages as binary frames, each written straight into its one array. The layout of every
 * body is in messages.ts and docs/reference/frames.md.
 */
import { assert } from "../assert.js";
import { putU32, putU53 } from "../bytes.js";
import { type Checksum, crc32 } from "../crc32.js";
import type { Entry } from "../entry.js";
import { configurationBytesMax } from "../raft/configuration-codec.js";
import type { Append, RaftMessage, SnapshotChunk } from "../raft/messages.js";
import { frameTypeOf } from "./frame-types.js";
import { beginFrame, frameHeaderBytes, frameTrailerBytes, sealFrame } from "./frame.js";
import { snapshotOutcomes } from "./messages.js";

/** Where from, to, term and request stand, and where the fields of the kind begin. */
export const raftBodyFrom: number = frameHeaderBytes;
export const raftFieldsFrom: number = raftBodyFrom + 32;
export const entryHeaderBytes = 15;
export const snapshotHeaderBytes = 32;

/** Bytes that one entry takes in an append. */
function entryFrameBytes(entry: Entry): number {
  return entryHeaderBytes + entry.payload.length;
}

/** The largest payload of a single entry that fits a frame of `frameBytesMax`. */
export function entryPayloadBytesMax(frameBytesMax: number): number {
  return frameBytesMax - raftFieldsFrom - 36 - entryHeaderBytes - frameTrailerBytes;
}

/** The largest chunk of a snapshot, with any configuration, that fits a frame of `frameBytesMax`. */
export function snapshotChunkBytesMax(frameBytesMax: number): number {
  const headBytes = 16 + snapshotHeaderBytes + configurationBytesMax + 4;
  return frameBytesMax - raftFieldsFrom - headBytes - frameTrailerBytes;
}

export function encodeRaftFrame(
  message: RaftMessage,
  id: number,
  checksum: Checksum = crc32,
): Uint8Array {
  const type = frameTypeOf[message.kind];
  const payloadBytes = 32 + fieldBytes(message);
  const bytes = beginFrame(type, message.group, message.incarnation, id, payloadBytes);
  putU53(bytes, raftBodyFrom, message.from);
  putU53(bytes, raftBodyFrom + 8, message.to);
  putU53(bytes, raftBodyFrom + 16, message.term);
  putU53(bytes, raftBodyFrom + 24, message.request);
  putFields(bytes, message);
  return sealFrame(bytes, checksum);
}

function fieldBytes(message: RaftMessage): number {
  switch (message.kind) {
    case "timeoutNow":
    case "readIndex":
    case "wake":
      return 0;
    case "preVoteReply":
    case "voteReply":
      return 1;
    case "heartbeatReply":
    case "readIndexReply":
      return 9;
    case "preVote":
    case "heartbeat":
    case "asleep":
      return 16;
    case "vote":
      return 17;
    case "snapshotReply":
      return 25;
    case "sleep":
      return 32;
    case "appendReply":
      return 34;
    case "append":
      return 36 + entriesBytes(message.entries);
    case "snapshotChunk":
      return (
        16 + snapshotHeaderBytes + message.snapshot.configuration.length + 4 + message.bytes.length
      );
  }
}

function entriesBytes(entries: readonly Entry[]): number {
  let sum = 0;
  for (let n = 0; n < entries.length; n++) sum += entryFrameBytes(entries[n]!);
  return sum;
}

function putFields(bytes: Uint8Array, message: RaftMessage): void {
  const at = raftFieldsFrom;
  switch (message.kind) {
    case "append":
      putAppend(bytes, message);
      return;
    case "appendReply":
      putU53(bytes, at, message.session);
      putU53(bytes, at + 8, message.match);
      putU53(bytes, at + 16, message.hintIndex);
      putU53(bytes, at + 24, message.hintTerm);
      bytes[at + 32] = message.accepted ? 1 : 0;
      bytes[at + 33] = message.damaged ? 1 : 0;
      return;
    case "heartbeat":
      putU53(bytes, at, message.session);
      putU53(bytes, at + 8, message.commit);
      return;
    case "heartbeatReply":
      putU53(bytes, at, message.session);
      bytes[at + 8] = message.damaged ? 1 : 0;
      return;
    case "preVote":
      putU53(bytes, at, message.lastIndex);
      putU53(bytes, at + 8, message.lastTerm);
      return;
    case "vote":
      putU53(bytes, at, message.lastIndex);
      putU53(bytes, at + 8, message.lastTerm);
      bytes[at + 16] = message.transfer ? 1 : 0;
      return;
    case "preVoteReply":
    case "voteReply":
      bytes[at] = message.granted ? 1 : 0;
      return;
    case "readIndexReply":
      putU53(bytes, at, message.index);
      bytes[at + 8] = message.granted ? 1 : 0;
      return;
    case "snapshotChunk":
      putSnapshotChunk(bytes, message);
      return;
    case "snapshotReply":
      putU53(bytes, at, message.session);
      putU53(bytes, at + 8, message.snapshotIndex);
      putU53(bytes, at + 16, message.offset);
      bytes[at + 24] = snapshotOutcomes.indexOf(message.outcome);
      return;
    case "sleep":
      putU53(bytes, at, message.session);
      putU53(bytes, at + 8, message.lastIndex);
      putU53(bytes, at + 16, message.lastTerm);
      putU53(bytes, at + 24, message.boot);
      return;
    case "asleep":
      putU53(bytes, at, message.session);
      putU53(bytes, at + 8, message.boot);
      return;
    case "timeoutNow":
    case "readIndex":
    case "wake":
      return;
  }
}

function putAppend(bytes: Uint8Array, message: Append): void {
  const { entries } = message;
  let at = raftFieldsFrom;
  putU53(bytes, at, message.session);
  putU53(bytes, at + 8, message.prevIndex);
  putU53(bytes, at + 16, message.prevTerm);
  putU53(bytes, at + 24, message.commit);
  putU32(bytes, at + 32, entries.length);
  at += 36;
  for (let n = 0; n < entries.length; n++) {
    const entry = entries[n]!;
    assert(entry.index === message.prevIndex + 1 + n, "entries of an append follow its previous");
    putU53(bytes, at, entry.term);
    bytes[at + 8] = entry.type;
    bytes[at + 9] = entry.keyEpoch;
    bytes[at + 10] = entry.keyEpoch >>> 8;
    putU32(bytes, at + 11, entry.payload.length);
    bytes.set(entry.payload, at + entryHeaderBytes);
    at += entryHeaderBytes + entry.payload.length;
  }
}

function putSnapshotChunk(bytes: Uint8Array, message: SnapshotChunk): void {
  const { snapshot } = message;
  let at = raftFieldsFrom;
  putU53(bytes, at, message.session);
  putU53(bytes, at + 8, message.offset);
  putU53(bytes, at + 16, snapshot.index);
  putU53(bytes, at + 24, snapshot.term);
  putU53(bytes, at + 32, snapshot.sizeBytes);
  putU32(bytes, at + 40, snapshot.checksum);
  putU32(bytes, at + 44, snapshot.configuration.length);
  bytes.set(snapshot.configuration, at + 48);
  at += 48 + snapshot.configuration.length;
  putU32(bytes, at, message.bytes.length);
  bytes.set(message.bytes, at + 4);
}
