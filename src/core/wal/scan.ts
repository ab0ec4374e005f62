/**
 * Finds the batches in what a segment file reads back as. Batches begin and end at sectors, so that
 * behind a broken one the next is found again; order is kept by lsn and boot.
 */
import { getU32 } from "../bytes.js";
import type { Checksum } from "../crc32.js";
import { sectorBytes } from "../ports/disk.js";
import { type BatchHeader, alignSector, headerRecordBytes, readHeader } from "./batch.js";
import {
  recordEnd,
  recordField,
  recordHeaderBytes,
  recordLsnAt,
  recordType,
  recordTypeAt,
  recordTypeMax,
  recordVersion,
  recordVersionAt,
} from "./record.js";
import { readSegmentHead, segmentHeadBytes } from "./segment.js";

export interface SegmentImage {
  readonly segment: number;
  /** As long as the file is listed to be; what could not be read is zeros. */
  readonly bytes: Uint8Array;
}

export interface FoundBatch {
  readonly image: SegmentImage;
  readonly salt: number;
  readonly offset: number;
  readonly header: BatchHeader;
  /** False: only the footer told what was here. */
  readonly headerIntact: boolean;
}

export interface ScannedSegment {
  readonly image: SegmentImage;
  /** 0 when neither the head nor any batch told it. */
  readonly salt: number;
  readonly headIntact: boolean;
  /** Of the intact head; 0 when none is. */
  readonly headBoot: number;
  /** Its head names another disk. */
  readonly foreign: boolean;
  readonly batches: readonly FoundBatch[];
}

/** Where the log stands between two batches. */
export interface ScanPosition {
  nextLsn: number;
  boot: number;
  /** Words on a record that this version must not touch; null: none was met. */
  refusal: string | null;
}

/** The lsn after a batch's footer. */
export function lsnAfter(header: BatchHeader): number {
  return header.lsn + header.recordCount + 2;
}

export function scanSegment(
  image: SegmentImage,
  disk: number,
  position: ScanPosition,
  crc32: Checksum,
): ScannedSegment {
  const found = readSegmentHead(image.bytes, crc32);
  const headBoot = found?.boot ?? 0;
  if (found !== null && found.disk !== disk) {
    return { image, salt: 0, headIntact: false, headBoot: 0, foreign: true, batches: [] };
  }
  // A file that was about to be recycled as this segment still has its old head.
  const head = found?.segment === image.segment ? found : null;
  const salt = head?.salt ?? saltByRecords(image, disk, crc32);
  const batches: FoundBatch[] = [];
  let at = segmentHeadBytes;
  while (salt !== 0 && at + sectorBytes <= image.bytes.length) {
    const batch = batchAt(image, at, salt, disk, position, crc32);
    if (batch === null) {
      at += sectorBytes;
      continue;
    }
    batches.push(batch);
    position.nextLsn = lsnAfter(batch.header);
    position.boot = batch.header.boot;
    at = batch.offset + batch.header.batchBytes;
  }
  return { image, salt, headIntact: head !== null, headBoot, foreign: false, batches };
}

/** The batch whose header, or else footer, stands at `at`. */
function batchAt(
  image: SegmentImage,
  at: number,
  salt: number,
  disk: number,
  position: ScanPosition,
  crc32: Checksum,
): FoundBatch | null {
  const { bytes, segment } = image;
  const end = recordEnd(bytes, at, bytes.length, at, salt, crc32);
  if (end === 0) return null;
  const type = recordTypeAt(bytes, at);
  if (type !== recordType.header && type !== recordType.footer) return null;
  if (recordVersionAt(bytes, at) !== recordVersion) {
    position.refusal ??= refusalOf(bytes, at, image);
    return null;
  }
  const headerIntact = type === recordType.header;
  const ownLsn = recordLsnAt(bytes, at);
  const lsn = headerIntact ? ownLsn : ownLsn - 1 - getU32(bytes, at + recordCountAt);
  const header = readHeader(bytes, at + recordHeaderBytes, end, lsn);
  if (header === null || header.disk !== disk || header.segment !== segment) return null;
  const offset = headerIntact ? at : at - header.footerAt;
  const fits = offset >= segmentHeadBytes && offset + header.batchBytes <= bytes.length;
  if (!fits || header.lsn < position.nextLsn || header.boot < position.boot) return null;
  return { image, salt, offset, header, headerIntact };
}

/** As the ring repeats it; the header is intact. */
export function headerChecksum({ image, offset }: FoundBatch): number {
  return getU32(image.bytes, offset + recordField.crc);
}

/** Of the field `recordCount`, from the beginning of a header or footer record. */
const recordCountAt = recordHeaderBytes + 44;

/** When both heads are gone: the salt of the first batch that says it belongs here. */
function saltByRecords(image: SegmentImage, disk: number, crc32: Checksum): number {
  const { bytes, segment } = image;
  for (let at = segmentHeadBytes; at + sectorBytes <= bytes.length; at += sectorBytes) {
    if (recordTypeAt(bytes, at) !== recordType.header) continue;
    const salt = getU32(bytes, at + recordField.salt);
    const end = recordEnd(bytes, at, bytes.length, at, salt, crc32);
    if (end === 0 || recordVersionAt(bytes, at) !== recordVersion) continue;
    const header = readHeader(bytes, at + recordHeaderBytes, end, recordLsnAt(bytes, at));
    if (header?.disk === disk && header.segment === segment) return salt;
  }
  return 0;
}

export type VisitRecord = (bytes: Uint8Array, at: number, end: number) => void;

/**
 * Visits the intact records of `count` bytes at `from`, an offset in the batch's segment. True when
 * they fill the bytes exactly; else the first broken one hides what is behind it.
 */
export function walkRecords(
  batch: FoundBatch,
  from: number,
  count: number,
  crc32: Checksum,
  position: ScanPosition,
  visit: VisitRecord,
): boolean {
  const { bytes } = batch.image;
  const limit = Math.min(bytes.length, from + count);
  let at = from;
  while (at < limit) {
    const end = recordEnd(bytes, at, limit, at, batch.salt, crc32);
    if (end === 0) return false;
    const known = recordTypeAt(bytes, at) <= recordTypeMax;
    if (!known || recordVersionAt(bytes, at) !== recordVersion) {
      position.refusal ??= refusalOf(bytes, at, batch.image);
      return false;
    }
    visit(bytes, at, end);
    at = end;
  }
  return at === from + count;
}

/** True when nothing of what the batch says is missing: it may count as if its sync had returned. */
export function isComplete(batch: FoundBatch, crc32: Checksum, position: ScanPosition): boolean {
  const { header } = batch;
  let records = 0;
  const count: VisitRecord = () => {
    records++;
  };
  let at = batch.offset + headerRecordBytes(header.rows.length);
  if (!walkRecords(batch, at, header.systemBytes, crc32, position, count)) return false;
  at += header.systemBytes;
  for (const row of header.rows) {
    if (!walkRecords(batch, at, row.bytes, crc32, position, count)) return false;
    at += row.bytes;
  }
  return records === header.recordCount;
}

/** True when header and footer are both there. */
export function hasBothCopies(batch: FoundBatch, crc32: Checksum): boolean {
  const { image, salt, offset, header, headerIntact } = batch;
  const at = offset + header.footerAt;
  return headerIntact && recordEnd(image.bytes, at, image.bytes.length, at, salt, crc32) !== 0;
}

/** Sectors from `from` on where a record of this use of the file begins: [first, end), or null. */
export function staleSectors(
  segment: ScannedSegment,
  from: number,
  crc32: Checksum,
): { readonly first: number; readonly end: number } | null {
  const { bytes } = segment.image;
  let first = -1;
  let end = -1;
  for (let at = alignSector(from); at + sectorBytes <= bytes.length; at += sectorBytes) {
    if (recordEnd(bytes, at, bytes.length, at, segment.salt, crc32) === 0) continue;
    if (first < 0) first = at;
    end = at + sectorBytes;
  }
  return first < 0 ? null : { first, end };
}

/** Sectors from `from` on with anything in them: [first, end), or null. */
export function dirtySectors(
  { image }: ScannedSegment,
  from: number,
): { readonly first: number; readonly end: number } | null {
  const { bytes } = image;
  const first = alignSector(from);
  let last = bytes.length - 1;
  while (last >= first && bytes[last] === 0) last--;
  return last < first ? null : { first, end: Math.min(bytes.length, alignSector(last + 1)) };
}

function refusalOf(bytes: Uint8Array, at: number, image: SegmentImage): string {
  const version = recordVersionAt(bytes, at);
  const what =
    version === recordVersion
      ? `type ${recordTypeAt(bytes, at)} is unknown to this version`
      : `format version ${version}, this one reads ${recordVersion}`;
  return (
    `the log has a record that was written by another version (segment ${image.segment}, ` +
    `offset ${at}: ${what}); start the version that wrote it, or a newer one`
  );
}
