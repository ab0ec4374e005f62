/**
 * What a draw about a frame is about (CONTRACTS 7): its kind and group, the term of a Raft message,
 * and the index that an append or its answer speaks of. Read straight from the header and the body
 * (docs/reference/frames.md): a frame on the wire is not decoded for this. High bits are left out,
 * for equals only share a count.
 */
import { frameTypeOf } from "../core/framing/frame-types.js";
import { raftBodyFrom, raftFieldsFrom } from "../core/framing/raft-encode.js";

/** The type byte of a frame's header; a short frame has none. */
export function kindOf(frame: Uint8Array): number {
  return frame.length > typeAt ? frame[typeAt]! : 0;
}

/** Kind and, above it, the low half of the group's number. */
export function kindAndGroupOf(frame: Uint8Array): number {
  const kind = kindOf(frame);
  return frame.length > groupAt + 1
    ? (frame[groupAt + 1]! << 16) | (frame[groupAt]! << 8) | kind
    : kind;
}

/** The low 18 bits of the index and, above them, the low 12 of the term; 0 for what has neither. */
export function placeOf(frame: Uint8Array): number {
  const kind = kindOf(frame);
  if (kind > lastRaftType || frame.length < raftFieldsFrom) return 0;
  const term = frame[termAt]! | ((frame[termAt + 1]! & 0x0f) << 8);
  if (kind !== frameTypeOf.append && kind !== frameTypeOf.appendReply) return term << 18;
  const index = frame[indexAt]! | (frame[indexAt + 1]! << 8) | ((frame[indexAt + 2]! & 3) << 16);
  return (term << 18) | index;
}

const typeAt = 5;
const groupAt = 8;
const termAt = raftBodyFrom + 16;
/** `prevIndex` of an append, `match` of its answer. */
const indexAt = raftFieldsFrom + 8;
const lastRaftType = frameTypeOf.wake;
