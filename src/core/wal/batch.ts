/**
 * A batch on disk: header, records, footer. The header names each replica that the batch touches
 * with its whole hard state, its range of entries and the lsn of its previous batch; the footer
 * says the same in another sector. So one rotten sector never hides whose batch it was or a vote,
 * and damage blames only the replicas whose records it hit.
 */
import { ByteReader, putU32, putU53 } from "../bytes.js";
import type { Entry, EntryType, SnapshotMeta } from "../entry.js";
import type { Index, Term } from "../ids.js";
import { sectorBytes } from "../ports/disk.js";
import { recordField, recordHeaderBytes } from "./record.js";

/** What a header or footer says of its batch. */
export interface BatchHeader {
  readonly lsn: number;
  readonly boot: number;
  readonly disk: number;
  readonly segment: number;
  /** Segments before this one are void, and the log begins at `oldestLsn`. */
  readonly oldestSegment: number;
  readonly oldestLsn: number;
  /** From the batch's first byte to the end of its last sector. */
  readonly batchBytes: number;
  /** Of the footer, from the batch's first byte. */
  readonly footerAt: number;
  /** Bytes of the boot and machine records, which stand before those of the rows. */
  readonly systemBytes: number;
  /** Records between header and footer. */
  readonly recordCount: number;
  /** True: batches were once lost whole, so that the list of replicas may lack some. */
  readonly forgotten: boolean;
  /** True: with records of a user's machine. */
  readonly machine: boolean;
  readonly rows: readonly BatchRow[];
}

/** One replica as it stands after the batch. */
export interface BatchRow {
  readonly group: number;
  readonly incarnation: number;
  readonly replica: number;
  readonly term: number;
  readonly vote: number;
  readonly commit: number;
  /** Entries up to here are in a snapshot. */
  readonly base: number;
  readonly last: number;
  readonly damagedThrough: number;
  /** The lsn of the batch that last named this replica; 0: none did. */
  readonly previous: number;
  /** Older entries from here on are void; 0 voids none. */
  readonly cut: number;
  /** Entries in this batch: from `cut` on, or anywhere in a checkpoint row. */
  readonly count: number;
  /** Bytes of this row's records. */
  readonly bytes: number;
  readonly flags: number;
}

export const rowFlag = {
  /** The replica is gone for good. */
  removed: 1,
  /** Its vote is not known any more. */
  lost: 2,
  /** Its founding record is still needed. */
  founding: 4,
  /** The founding record is among this row's records. */
  foundingHere: 8,
  /** All older entries are void: a snapshot took their place. */
  restart: 16,
  /** Older entries, written again in place so that their segment can go. */
  checkpoint: 32,
} as const;

/** Flags that stay with the replica; the others belong to one row. */
export const stickyFlags: number = rowFlag.removed | rowFlag.lost | rowFlag.founding;

export const headerFixedBytes = 56;
export const rowBytes = 92;
/** Of an entry's payload, before what was proposed. */
export const entryFixedBytes = 25;
const foundingFixedBytes = 40;

export function headerRecordBytes(rows: number): number {
  return recordHeaderBytes + headerFixedBytes + rows * rowBytes;
}

export function alignSector(at: number): number {
  return Math.ceil(at / sectorBytes) * sectorBytes;
}

/** Bytes on disk of a batch of so many rows and bytes of records. */
export function batchBytesOf(rows: number, recordBytes: number): number {
  const header = headerRecordBytes(rows);
  return alignSector(header + recordBytes) + alignSector(header);
}

/** On disk beside an entry's payload. */
export const entryExtraBytes: number = recordHeaderBytes + entryFixedBytes;

export function entryRecordBytes(entry: Entry): number {
  return entryExtraBytes + entry.payload.length;
}

export function foundingRecordBytes(meta: SnapshotMeta): number {
  return recordHeaderBytes + foundingFixedBytes + meta.configuration.length;
}

export function putHeader(
  bytes: Uint8Array,
  at: number,
  header: Omit<BatchHeader, "lsn" | "rows">,
  rows: number,
): void {
  putU53(bytes, at, header.boot);
  putU53(bytes, at + 8, header.disk);
  putU32(bytes, at + 16, header.segment);
  putU32(bytes, at + 20, header.oldestSegment);
  putU53(bytes, at + 24, header.oldestLsn);
  putU32(bytes, at + 32, header.batchBytes);
  putU32(bytes, at + 36, header.footerAt);
  putU32(bytes, at + 40, header.systemBytes);
  putU32(bytes, at + 44, header.recordCount);
  putU32(bytes, at + 48, rows);
  putU32(bytes, at + 52, (header.forgotten ? 1 : 0) | (header.machine ? 2 : 0));
}

/** Null when the payload `bytes[from, to)` cannot be a header's. */
export function readHeader(
  bytes: Uint8Array,
  from: number,
  to: number,
  lsn: number,
): BatchHeader | null {
  const reader = new ByteReader(bytes, from, to);
  const boot = reader.u53();
  const disk = reader.u53();
  const segment = reader.u32();
  const oldestSegment = reader.u32();
  const oldestLsn = reader.u53();
  const batchBytes = reader.u32();
  const footerAt = reader.u32();
  const systemBytes = reader.u32();
  const recordCount = reader.u32();
  const count = reader.u32();
  const flags = reader.u32();
  if (reader.failed || lsn < 0 || reader.left !== count * rowBytes) return null;
  const rows: BatchRow[] = [];
  for (let n = 0; n < count; n++) rows.push(readRow(reader));
  if (!reader.complete || footerAt >= batchBytes) return null;
  return {
    lsn,
    boot,
    disk,
    segment,
    oldestSegment,
    oldestLsn,
    batchBytes,
    footerAt,
    systemBytes,
    recordCount,
    forgotten: (flags & 1) !== 0,
    machine: (flags & 2) !== 0,
    rows,
  };
}

function readRow(reader: ByteReader): BatchRow {
  return {
    group: reader.u32(),
    incarnation: reader.u32(),
    replica: reader.u53(),
    term: reader.u53(),
    vote: reader.u53(),
    commit: reader.u53(),
    base: reader.u53(),
    last: reader.u53(),
    damagedThrough: reader.u53(),
    previous: reader.u53(),
    cut: reader.u53(),
    count: reader.u32(),
    bytes: reader.u32(),
    flags: reader.u32(),
  };
}

export function putRow(bytes: Uint8Array, at: number, row: BatchRow): void {
  putU32(bytes, at, row.group);
  putU32(bytes, at + 4, row.incarnation);
  putU53(bytes, at + 8, row.replica);
  putU53(bytes, at + 16, row.term);
  putU53(bytes, at + 24, row.vote);
  putU53(bytes, at + 32, row.commit);
  putU53(bytes, at + 40, row.base);
  putU53(bytes, at + 48, row.last);
  putU53(bytes, at + 56, row.damagedThrough);
  putU53(bytes, at + 64, row.previous);
  putU53(bytes, at + 72, row.cut);
  putU32(bytes, at + 80, row.count);
  putU32(bytes, at + 84, row.bytes);
  putU32(bytes, at + 88, row.flags);
}

/** The payload of an entry record, at `at`. */
export function putEntry(bytes: Uint8Array, at: number, replica: number, entry: Entry): void {
  putU53(bytes, at, replica);
  putU53(bytes, at + 8, entry.term);
  putU53(bytes, at + 16, entry.index);
  bytes[at + 24] = entry.type;
  bytes.set(entry.payload, at + entryFixedBytes);
}

export interface FoundEntry {
  readonly replica: number;
  readonly entry: Entry;
}

/** The entry in the intact record `bytes[at, end)`; its payload is a copy. Null: malformed. */
export function readEntry(bytes: Uint8Array, at: number, end: number): FoundEntry | null {
  const reader = new ByteReader(bytes, at + recordField.keyEpoch, end);
  const keyEpoch = reader.u16();
  reader.at = at + recordHeaderBytes;
  const replica = reader.u53();
  const term = reader.u53() as Term;
  const index = reader.u53() as Index;
  // Whether this version knows the type is for the replica to say.
  const type = reader.u8() as EntryType;
  if (reader.failed) return null;
  const payload = bytes.slice(reader.at, end);
  return { replica, entry: { term, index, type, keyEpoch, payload } };
}

/** The payload of a founding record, at `at`. */
export function putFounding(
  bytes: Uint8Array,
  at: number,
  replica: number,
  meta: SnapshotMeta,
): void {
  putU53(bytes, at, replica);
  putU53(bytes, at + 8, meta.index);
  putU53(bytes, at + 16, meta.term);
  putU53(bytes, at + 24, meta.sizeBytes);
  putU32(bytes, at + 32, meta.checksum);
  putU32(bytes, at + 36, meta.configuration.length);
  bytes.set(meta.configuration, at + foundingFixedBytes);
}

/** The founding meta in the intact record `bytes[at, end)`; null: malformed. */
export function readFounding(bytes: Uint8Array, at: number, end: number): SnapshotMeta | null {
  const reader = new ByteReader(bytes, at + recordHeaderBytes + 8, end);
  const index = reader.u53() as Index;
  const term = reader.u53() as Term;
  const sizeBytes = reader.u53();
  const checksum = reader.u32();
  const configuration = reader.varbytes().slice();
  return reader.complete ? { index, term, sizeBytes, checksum, configuration } : null;
}
