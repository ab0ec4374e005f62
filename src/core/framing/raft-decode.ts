/** Binary frames back to Raft's messages; see raft-encode.ts. */
import { getU32, getU53 } from "../bytes.js";
import { type Checksum, crc32 } from "../crc32.js";
import type { Entry, EntryType, SnapshotMeta } from "../entry.js";
import {
  type Boot,
  type GroupId,
  type Incarnation,
  type Index,
  type ReplicaId,
  type RequestId,
  type Term,
  idMax,
} from "../ids.js";
import type { Append, RaftMessage, SnapshotChunk } from "../raft/messages.js";
import { frameBytesMaxDefault, frameTypeOf } from "./frame-types.js";
import { type Malformed, checkFrame, frameTrailerBytes, malformed } from "./frame.js";
import { snapshotOutcomes } from "./messages.js";
import {
  entryHeaderBytes,
  raftBodyFrom,
  raftFieldsFrom,
  snapshotHeaderBytes,
} from "./raft-encode.js";

/**
 * Payloads and configurations in the message are views of `whole`. A `checksum` of null takes the
 * frame's as verified.
 */
export function decodeRaftFrame(
  whole: Uint8Array,
  checksum: Checksum | null = crc32,
  bytesMax: number = frameBytesMaxDefault,
): RaftMessage | Malformed {
  const broken = checkFrame(whole, checksum, bytesMax);
  if (broken !== null) return broken;
  return decodeRaftBody(whole);
}

/** The frame is sound and its type is one of Raft's, else the error is `type`. */
export function decodeRaftBody(whole: Uint8Array): RaftMessage | Malformed {
  if (whole[6] !== 0) return malformed("flags", 6);
  const end = whole.length - frameTrailerBytes;
  if (end < raftFieldsFrom) return malformed("end", end);
  const large = largeNumber(whole, raftBodyFrom, 4);
  if (large !== 0) return malformed("number", large);
  return decodeFields(whole, end);
}

/** Where the fields stand that every message of Raft has. */
const groupAt = 8;
const incarnationAt = 12;
const fromAt = raftBodyFrom;
const toAt: number = raftBodyFrom + 8;
const termAt: number = raftBodyFrom + 16;
const requestAt: number = raftBodyFrom + 24;

interface Head {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  readonly term: Term;
  readonly request: RequestId;
}

/** What follows the envelope: so many u64, then so many flags; -1 where more than that follows. */
const shapes: Readonly<Record<number, readonly [numbers: number, flags: number]>> = {
  [frameTypeOf.preVote]: [2, 0],
  [frameTypeOf.preVoteReply]: [0, 1],
  [frameTypeOf.vote]: [2, 1],
  [frameTypeOf.voteReply]: [0, 1],
  [frameTypeOf.append]: [4, -1],
  [frameTypeOf.appendReply]: [4, 2],
  [frameTypeOf.heartbeat]: [2, 0],
  [frameTypeOf.heartbeatReply]: [1, 1],
  [frameTypeOf.timeoutNow]: [0, 0],
  [frameTypeOf.readIndex]: [0, 0],
  [frameTypeOf.readIndexReply]: [1, 1],
  [frameTypeOf.snapshotChunk]: [2, -1],
  [frameTypeOf.snapshotReply]: [3, -1],
  [frameTypeOf.sleep]: [4, 0],
  [frameTypeOf.asleep]: [2, 0],
  [frameTypeOf.wake]: [0, 0],
};

function decodeFields(whole: Uint8Array, end: number): RaftMessage | Malformed {
  const type = whole[5]!;
  const shape = shapes[type];
  if (shape === undefined) return malformed("type", 5);
  const numbers = shape[0];
  const flags = shape[1];
  const at = raftFieldsFrom;
  const flagsAt = at + numbers * 8;
  if (flags < 0 ? end < flagsAt : end !== flagsAt + flags) return malformed("end", end);
  const large = largeNumber(whole, at, numbers);
  if (large !== 0) return malformed("number", large);
  for (let n = flagsAt; n < flagsAt + flags; n++) if (whole[n]! > 1) return malformed("field", n);
  switch (type) {
    case frameTypeOf.append:
      return decodeAppend(whole, end);
    case frameTypeOf.appendReply:
      return appendReply(whole, at, flagsAt);
    case frameTypeOf.heartbeat:
      return heartbeat(whole, at);
    case frameTypeOf.heartbeatReply:
      return heartbeatReply(whole, at, flagsAt);
    case frameTypeOf.snapshotChunk:
      return decodeSnapshotChunk(whole, end, headOf(whole));
    case frameTypeOf.snapshotReply:
      return decodeSnapshotReply(whole, end, headOf(whole));
    default:
      return decodeElection(whole, headOf(whole), whole[flagsAt] === 1);
  }
}

function headOf(whole: Uint8Array): Head {
  return {
    group: getU32(whole, groupAt) as GroupId,
    incarnation: getU32(whole, incarnationAt) as Incarnation,
    from: getU53(whole, fromAt) as ReplicaId,
    to: getU53(whole, toAt) as ReplicaId,
    term: getU53(whole, termAt) as Term,
    request: getU53(whole, requestAt) as RequestId,
  };
}

// The kinds that make up nearly all traffic are read straight into one object each.

function appendReply(whole: Uint8Array, at: number, flagsAt: number): RaftMessage {
  return {
    kind: "appendReply",
    group: getU32(whole, groupAt) as GroupId,
    incarnation: getU32(whole, incarnationAt) as Incarnation,
    from: getU53(whole, fromAt) as ReplicaId,
    to: getU53(whole, toAt) as ReplicaId,
    term: getU53(whole, termAt) as Term,
    request: getU53(whole, requestAt) as RequestId,
    session: getU53(whole, at),
    accepted: whole[flagsAt] === 1,
    match: getU53(whole, at + 8) as Index,
    hintIndex: getU53(whole, at + 16) as Index,
    hintTerm: getU53(whole, at + 24) as Term,
    damaged: whole[flagsAt + 1] === 1,
  };
}

function heartbeat(whole: Uint8Array, at: number): RaftMessage {
  return {
    kind: "heartbeat",
    group: getU32(whole, groupAt) as GroupId,
    incarnation: getU32(whole, incarnationAt) as Incarnation,
    from: getU53(whole, fromAt) as ReplicaId,
    to: getU53(whole, toAt) as ReplicaId,
    term: getU53(whole, termAt) as Term,
    request: getU53(whole, requestAt) as RequestId,
    session: getU53(whole, at),
    commit: getU53(whole, at + 8) as Index,
  };
}

function heartbeatReply(whole: Uint8Array, at: number, flagsAt: number): RaftMessage {
  return {
    kind: "heartbeatReply",
    group: getU32(whole, groupAt) as GroupId,
    incarnation: getU32(whole, incarnationAt) as Incarnation,
    from: getU53(whole, fromAt) as ReplicaId,
    to: getU53(whole, toAt) as ReplicaId,
    term: getU53(whole, termAt) as Term,
    request: getU53(whole, requestAt) as RequestId,
    session: getU53(whole, at),
    damaged: whole[flagsAt] === 1,
  };
}

function decodeElection(whole: Uint8Array, head: Head, flag: boolean): RaftMessage | Malformed {
  const at = raftFieldsFrom;
  switch (whole[5]) {
    case frameTypeOf.preVote:
    case frameTypeOf.vote: {
      const lastIndex = getU53(whole, at) as Index;
      const lastTerm = getU53(whole, at + 8) as Term;
      return whole[5] === frameTypeOf.vote
        ? { kind: "vote", ...head, lastIndex, lastTerm, transfer: flag }
        : { kind: "preVote", ...head, lastIndex, lastTerm };
    }
    case frameTypeOf.preVoteReply:
      return { kind: "preVoteReply", ...head, granted: flag };
    case frameTypeOf.voteReply:
      return { kind: "voteReply", ...head, granted: flag };
    case frameTypeOf.timeoutNow:
      return { kind: "timeoutNow", ...head };
    case frameTypeOf.readIndex:
      return { kind: "readIndex", ...head };
    case frameTypeOf.wake:
      return { kind: "wake", ...head };
    case frameTypeOf.sleep:
    case frameTypeOf.asleep:
      return decodeSleep(whole, head);
    case frameTypeOf.readIndexReply:
      return { kind: "readIndexReply", ...head, granted: flag, index: getU53(whole, at) as Index };
    default:
      return malformed("type", 5);
  }
}

function decodeSleep(whole: Uint8Array, head: Head): RaftMessage {
  const at = raftFieldsFrom;
  const session = getU53(whole, at);
  if (whole[5] === frameTypeOf.asleep) {
    return { kind: "asleep", ...head, session, boot: getU53(whole, at + 8) as Boot };
  }
  const lastIndex = getU53(whole, at + 8) as Index;
  const lastTerm = getU53(whole, at + 16) as Term;
  return {
    kind: "sleep",
    ...head,
    session,
    lastIndex,
    lastTerm,
    boot: getU53(whole, at + 24) as Boot,
  };
}

function decodeAppend(whole: Uint8Array, end: number): Append | Malformed {
  let at = raftFieldsFrom + 36;
  if (end < at) return malformed("end", end);
  const count = getU32(whole, at - 4);
  const prevIndex = getU53(whole, raftFieldsFrom + 8);
  if (count * entryHeaderBytes > end - at) return malformed("end", at - 4);
  if (prevIndex + count > idMax) return malformed("number", at - 4);
  const entries: Entry[] = [];
  for (let n = 1; n <= count; n++) {
    if (at + entryHeaderBytes > end) return malformed("end", at);
    const entryTerm = getU53(whole, at);
    if (entryTerm < 0) return malformed("number", at);
    const from = at + entryHeaderBytes;
    const lengthBytes = getU32(whole, at + 11);
    if (lengthBytes > end - from) return malformed("end", at + 11);
    entries.push({
      term: entryTerm as Term,
      index: (prevIndex + n) as Index,
      // A type that this version does not know stops the replica, not the link.
      type: whole[at + 8] as EntryType,
      keyEpoch: whole[at + 9]! | (whole[at + 10]! << 8),
      payload: whole.subarray(from, from + lengthBytes),
    });
    at = from + lengthBytes;
  }
  if (at !== end) return malformed("end", at);
  return {
    kind: "append",
    group: getU32(whole, groupAt) as GroupId,
    incarnation: getU32(whole, incarnationAt) as Incarnation,
    from: getU53(whole, fromAt) as ReplicaId,
    to: getU53(whole, toAt) as ReplicaId,
    term: getU53(whole, termAt) as Term,
    request: getU53(whole, requestAt) as RequestId,
    session: getU53(whole, raftFieldsFrom),
    prevIndex: prevIndex as Index,
    prevTerm: getU53(whole, raftFieldsFrom + 16) as Term,
    commit: getU53(whole, raftFieldsFrom + 24) as Index,
    entries,
  };
}

function decodeSnapshotChunk(
  whole: Uint8Array,
  end: number,
  head: Head,
): SnapshotChunk | Malformed {
  const at = raftFieldsFrom + 16;
  const configurationAt = at + snapshotHeaderBytes;
  if (end < configurationAt + 4) return malformed("end", end);
  const large = largeNumber(whole, at, 3);
  if (large !== 0) return malformed("number", large);
  const configurationBytes = getU32(whole, at + 28);
  const chunkAt = configurationAt + configurationBytes + 4;
  if (chunkAt > end) return malformed("end", at + 28);
  if (getU32(whole, chunkAt - 4) !== end - chunkAt) return malformed("end", chunkAt - 4);
  const snapshot: SnapshotMeta = {
    index: getU53(whole, at) as Index,
    term: getU53(whole, at + 8) as Term,
    sizeBytes: getU53(whole, at + 16),
    checksum: getU32(whole, at + 24),
    configuration: whole.subarray(configurationAt, chunkAt - 4),
  };
  const session = getU53(whole, raftFieldsFrom);
  const offset = getU53(whole, raftFieldsFrom + 8);
  const bytes = whole.subarray(chunkAt, end);
  return { kind: "snapshotChunk", ...head, session, snapshot, offset, bytes };
}

function decodeSnapshotReply(whole: Uint8Array, end: number, head: Head): RaftMessage | Malformed {
  const at = raftFieldsFrom;
  if (end !== at + 25) return malformed("end", end);
  const outcome = snapshotOutcomes[whole[at + 24]!];
  if (outcome === undefined) return malformed("field", at + 24);
  const session = getU53(whole, at);
  const snapshotIndex = getU53(whole, at + 8) as Index;
  const offset = getU53(whole, at + 16);
  return { kind: "snapshotReply", ...head, session, outcome, snapshotIndex, offset };
}

/** The place of the first of `count` u64 that is 2^53 or more, or 0. */
function largeNumber(bytes: Uint8Array, from: number, count: number): number {
  for (let at = from, end = from + count * 8; at < end; at += 8) {
    if (bytes[at + 7] !== 0 || bytes[at + 6]! > 0x1f) return at;
  }
  return 0;
}
