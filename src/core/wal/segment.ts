/** Segment files: their names, the two copies of their header, and the salt of each use. */
import { ByteReader, putU32, putU53 } from "../bytes.js";
import type { Checksum } from "../crc32.js";
import { type DiskFile, sectorBytes } from "../ports/disk.js";
import {
  putRecord,
  recordEnd,
  recordField,
  recordHeaderBytes,
  recordType,
  recordTypeAt,
  sealRecord,
} from "./record.js";

/** Batches begin here: behind two sectors with one copy of the header each. */
export const segmentHeadBytes: number = 2 * sectorBytes;

export interface SegmentHeader {
  readonly disk: number;
  readonly segment: number;
  readonly boot: number;
  readonly salt: number;
}

const payloadBytes = 24;
const prefix = "segment.";
const digits = 10;

export function segmentFile(segment: number): string {
  return prefix + String(segment).padStart(digits, "0");
}

/** The number in a segment's name, or -1 for other files. */
export function segmentNumber(file: DiskFile): number {
  const { name } = file;
  if (!name.startsWith(prefix) || name.length !== prefix.length + digits) return -1;
  const number = Number(name.slice(prefix.length));
  return Number.isSafeInteger(number) && segmentFile(number) === name ? number : -1;
}

/** Differs between any two uses of a file: of disk, boot or segment number at least one differs. */
export function segmentSalt(disk: number, boot: number, segment: number, crc32: Checksum): number {
  const bytes = new Uint8Array(20);
  putU53(bytes, 0, disk);
  putU53(bytes, 8, boot);
  putU32(bytes, 16, segment);
  return crc32(bytes, 0, bytes.length, 0);
}

/** The first two sectors of a segment file. */
export function encodeSegmentHead(header: SegmentHeader, crc32: Checksum): Uint8Array {
  const bytes = new Uint8Array(segmentHeadBytes);
  for (let at = 0; at < segmentHeadBytes; at += sectorBytes) {
    putRecord(bytes, at, 0, header.salt, recordType.segment, 0, 0, 0);
    putU53(bytes, at + recordHeaderBytes, header.disk);
    putU53(bytes, at + recordHeaderBytes + 8, header.boot);
    putU53(bytes, at + recordHeaderBytes + 16, header.segment);
    sealRecord(bytes, at, at + recordHeaderBytes + payloadBytes, at, crc32);
  }
  return bytes;
}

/** The newer of the intact copies, or null. */
export function readSegmentHead(bytes: Uint8Array, crc32: Checksum): SegmentHeader | null {
  const first = readCopy(bytes, 0, crc32);
  const second = readCopy(bytes, sectorBytes, crc32);
  if (first === null || second === null) return first ?? second;
  return first.boot >= second.boot ? first : second;
}

function readCopy(bytes: Uint8Array, at: number, crc32: Checksum): SegmentHeader | null {
  const reader = new ByteReader(bytes, at + recordField.salt);
  const salt = reader.u32();
  const end = recordEnd(bytes, at, Math.min(bytes.length, at + sectorBytes), at, salt, crc32);
  if (end === 0 || recordTypeAt(bytes, at) !== recordType.segment) return null;
  reader.at = at + recordHeaderBytes;
  const disk = reader.u53();
  const boot = reader.u53();
  const segment = reader.u53();
  return reader.failed ? null : { disk, segment, boot, salt };
}
