/**
 * One record of the log (docs/reference/log-format.md). The checksum covers the record's own offset,
 * so that what a disk wrote to, or read from, the wrong place does not pass; the salt, which each
 * use of a segment file has for itself, exposes what an earlier use left behind.
 */
import { getU32, getU53, putU32, putU53 } from "../bytes.js";
import type { Checksum } from "../crc32.js";

export const recordVersion = 1;
/** Bytes before the payload. */
export const recordHeaderBytes = 32;

export const recordType = {
  /** First in a segment file, twice: whose file it is. */
  segment: 1,
  /** First in a batch: what is in it. */
  header: 2,
  /** Last in a batch: what the header says, in another sector. */
  footer: 3,
  /** A start of the node. */
  boot: 4,
  /** The founding snapshot-of-nothing of a replica. */
  founding: 5,
  entry: 6,
  /** A record of a machine of the user's own; opaque. */
  machine: 7,
} as const;

export const recordTypeMax: number = recordType.machine;

/** Offsets of a record's fields. */
export const recordField = {
  length: 0,
  crc: 4,
  lsn: 8,
  salt: 16,
  version: 20,
  type: 21,
  keyEpoch: 22,
  group: 24,
  incarnation: 28,
} as const;

/** Everything but length and checksum, which `sealRecord` adds. */
export function putRecord(
  bytes: Uint8Array,
  at: number,
  lsn: number,
  salt: number,
  type: number,
  keyEpoch: number,
  group: number,
  incarnation: number,
): void {
  putU53(bytes, at + recordField.lsn, lsn);
  putU32(bytes, at + recordField.salt, salt);
  bytes[at + recordField.version] = recordVersion;
  bytes[at + recordField.type] = type;
  bytes[at + recordField.keyEpoch] = keyEpoch;
  bytes[at + recordField.keyEpoch + 1] = keyEpoch >>> 8;
  putU32(bytes, at + recordField.group, group);
  putU32(bytes, at + recordField.incarnation, incarnation);
}

/** Closes the record `bytes[at, end)` that will stand at `offset` of its file. */
export function sealRecord(
  bytes: Uint8Array,
  at: number,
  end: number,
  offset: number,
  crc32: Checksum,
): void {
  putU32(bytes, at + recordField.length, end - at - 4);
  // The offset stands where the checksum will, so that one call covers both and the rest.
  putU32(bytes, at + recordField.crc, offset);
  putU32(bytes, at + recordField.crc, crc32(bytes, at, end, 0));
}

const scratch: Uint8Array = new Uint8Array(8);

/**
 * The end of an intact record at `bytes[at]`, or 0. `limit` is where it must have ended, `offset`
 * where `bytes[at]` stands in the file. The version is not judged: every version is sealed alike.
 */
export function recordEnd(
  bytes: Uint8Array,
  at: number,
  limit: number,
  offset: number,
  salt: number,
  crc32: Checksum,
): number {
  if (limit - at < recordHeaderBytes) return 0;
  if (getU32(bytes, at + recordField.salt) !== salt) return 0;
  const length = getU32(bytes, at + recordField.length);
  const end = at + 4 + length;
  if (length < recordHeaderBytes - 4 || end > limit) return 0;
  putU32(scratch, 0, length);
  putU32(scratch, 4, offset);
  const crc = crc32(bytes, at + 8, end, crc32(scratch, 0, 8, 0));
  return crc === getU32(bytes, at + recordField.crc) ? end : 0;
}

export function recordTypeAt(bytes: Uint8Array, at: number): number {
  return bytes[at + recordField.type]!;
}

export function recordVersionAt(bytes: Uint8Array, at: number): number {
  return bytes[at + recordField.version]!;
}

/** -1 when it is no safe integer. */
export function recordLsnAt(bytes: Uint8Array, at: number): number {
  return getU53(bytes, at + recordField.lsn);
}
