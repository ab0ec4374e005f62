/**
 * One frame. Little-endian:
 *
 *     u32 length (bytes after this field) · u8 version · u8 type · u16 flags · u32 group ·
 *     u32 incarnation · u64 id · payload · u32 crc32 (over all before it)
 *
 * `id` is the sender's sequence number of its boot. Errors are values of kind `malformed`.
 */
import { assert } from "../assert.js";
import { allocateBytes, getU32, getU53, putU32, putU53 } from "../bytes.js";
import { type Checksum, crc32 } from "../crc32.js";
import { groupIdMax, idMax } from "../ids.js";
import { frameBytesLargest, frameBytesMaxDefault, frameType } from "./frame-types.js";

export const frameVersion = 1;
export const frameHeaderBytes = 24;
export const frameTrailerBytes = 4;
export const frameOverheadBytes: number = frameHeaderBytes + frameTrailerBytes;

/** The body is the message as JSON text, not the binary body of its type. */
export const frameFlagJson = 1;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly group: number;
  readonly incarnation: number;
  readonly id: number;
  /** A view of the frame's bytes. */
  readonly payload: Uint8Array;
}

/** Where in the frame, and what: every way in which bytes can fail to be one of our frames. */
export interface Malformed {
  readonly kind: "malformed";
  readonly code: MalformedCode;
  readonly offset: number;
}

export type MalformedCode =
  /** Shorter than the least frame, or than its own length says. */
  | "short"
  /** The length field does not fit the bytes. */
  | "length"
  /** Above the limit of the link or of the type. */
  | "tooLarge"
  | "version"
  | "type"
  | "flags"
  | "checksum"
  /** A type that may not come before the greeting. */
  | "early"
  /** A type that the other end's role may not send. */
  | "role"
  /** A number of 2^53 or more. */
  | "number"
  /** A field holds what none of its kind may hold. */
  | "field"
  /** The body ends too early or too late. */
  | "end"
  /** The body is not JSON text of this message. */
  | "json";

export function malformed(code: MalformedCode, offset: number): Malformed {
  return { kind: "malformed", code, offset };
}

/** The bytes of a frame with its header written; the payload starts at `frameHeaderBytes`. */
export function beginFrame(
  type: number,
  group: number,
  incarnation: number,
  id: number,
  payloadBytes: number,
): Uint8Array {
  assert(group <= groupIdMax && incarnation <= groupIdMax, "group ids fit 32 bits");
  assert(id <= idMax, "a frame's id is below 2^53");
  const sizeBytes = frameOverheadBytes + payloadBytes;
  assert(sizeBytes <= frameBytesLargest, "no frame is larger than the largest", { sizeBytes });
  const bytes = allocateBytes(sizeBytes);
  putU32(bytes, 0, sizeBytes - 4);
  bytes[4] = frameVersion;
  bytes[5] = type;
  putU32(bytes, 8, group);
  putU32(bytes, 12, incarnation);
  putU53(bytes, 16, id);
  return bytes;
}

/** Writes the checksum over all that was written. */
export function sealFrame(bytes: Uint8Array, checksum: Checksum = crc32): Uint8Array {
  const at = bytes.length - frameTrailerBytes;
  putU32(bytes, at, checksum(bytes, 0, at));
  return bytes;
}

export function encodeFrame(frame: Frame, checksum: Checksum = crc32): Uint8Array {
  const { type, group, incarnation, id, payload } = frame;
  const bytes = beginFrame(type, group, incarnation, id, payload.length);
  bytes[6] = frame.flags;
  bytes[7] = frame.flags >>> 8;
  bytes.set(payload, frameHeaderBytes);
  return sealFrame(bytes, checksum);
}

/** One whole frame, neither more nor less. */
export function decodeFrame(
  whole: Uint8Array,
  checksum: Checksum = crc32,
  bytesMax: number = frameBytesMaxDefault,
): Frame | Malformed {
  const broken = checkFrame(whole, checksum, bytesMax);
  if (broken !== null) return broken;
  return {
    type: whole[5]!,
    flags: whole[6]! | (whole[7]! << 8),
    group: frameGroup(whole),
    incarnation: getU32(whole, 12),
    id: frameId(whole),
    payload: whole.subarray(frameHeaderBytes, whole.length - frameTrailerBytes),
  };
}

/**
 * Null when header and checksum are sound and the type is known; the body is not looked at. With a
 * `checksum` of null that field is taken as verified.
 */
export function checkFrame(
  whole: Uint8Array,
  checksum: Checksum | null,
  bytesMax: number = frameBytesMaxDefault,
): Malformed | null {
  if (whole.length < frameOverheadBytes) return malformed("short", whole.length);
  if (getU32(whole, 0) !== whole.length - 4) return malformed("length", 0);
  if (whole[4] !== frameVersion) return malformed("version", 4);
  const known = frameType(whole[5]!);
  if (known === null) return malformed("type", 5);
  if (whole.length > (known.bytesMax ?? bytesMax)) return malformed("tooLarge", 0);
  if (whole[6]! > frameFlagJson || whole[7] !== 0) return malformed("flags", 6);
  if (getU53(whole, 16) < 0) return malformed("number", 16);
  const end = whole.length - frameTrailerBytes;
  if (checksum !== null && checksum(whole, 0, end) !== getU32(whole, end))
    return malformed("checksum", end);
  return null;
}

/** These read the header of a frame that is known to be sound. */
export function frameId(whole: Uint8Array): number {
  return getU53(whole, 16);
}

export function frameGroup(whole: Uint8Array): number {
  return getU32(whole, 8);
}

export function frameIncarnation(whole: Uint8Array): number {
  return getU32(whole, 12);
}
