/** Turns what the host asks to be written into the bytes of one batch, and moves the index along. */
import { assert } from "../assert.js";
import { allocateBytes, emptyBytes, getU32, putU53 } from "../bytes.js";
import type { Checksum } from "../crc32.js";
import type { Entry, SnapshotMeta } from "../entry.js";
import {
  type BatchRow,
  alignSector,
  batchBytesOf,
  entryRecordBytes,
  foundingRecordBytes,
  headerFixedBytes,
  headerRecordBytes,
  putEntry,
  putFounding,
  putHeader,
  putRow,
  rowBytes,
  rowFlag,
  stickyFlags,
} from "./batch.js";
import type { CheckpointRow } from "./checkpoint.js";
import { type LogIndex, type ReplicaLog, type SegmentState, isGone, placeOf } from "./log-index.js";
import type { WalWrite } from "./log-store.js";
import { putRecord, recordField, recordHeaderBytes, recordType, sealRecord } from "./record.js";
import { SealedEpochs } from "./sealed.js";

export interface BatchContent {
  readonly checkpoint: readonly CheckpointRow[];
  readonly writes: readonly WalWrite[];
  readonly machineRecords: readonly Uint8Array[];
  /** True: the batch that makes this boot durable. */
  readonly bootRecord: boolean;
}

export interface BatchPlace {
  readonly segment: SegmentState;
  readonly lsn: number;
  readonly boot: number;
  readonly disk: number;
  readonly oldestSegment: number;
  readonly oldestLsn: number;
  readonly forgotten: boolean;
}

export interface EncodedBatch {
  readonly bytes: Uint8Array;
  readonly checksum: number;
  readonly nextLsn: number;
}

const bootPayloadBytes = 16;

function recordBytesOf(write: WalWrite): number {
  let bytes = write.created === null ? 0 : foundingRecordBytes(write.created);
  for (const entry of write.entries) bytes += entryRecordBytes(entry);
  return bytes;
}

/** Bytes of the whole batch on disk. */
export function contentBytes(content: BatchContent): number {
  let records = content.bootRecord ? recordHeaderBytes + bootPayloadBytes : 0;
  for (const record of content.machineRecords) records += recordHeaderBytes + record.length;
  for (const row of content.checkpoint) {
    if (row.founding) records += foundingRecordBytes(row.log.founding!);
    for (const entry of row.entries) records += entryRecordBytes(entry);
  }
  for (const write of content.writes) records += recordBytesOf(write);
  return batchBytesOf(content.checkpoint.length + content.writes.length, records);
}

/** Writes the batch into bytes of its own: they belong to the disk afterwards. */
export class BatchEncoder {
  readonly #index: LogIndex;
  readonly #crc32: Checksum;
  #bytes: Uint8Array = emptyBytes;
  #at = 0;
  #rowAt = 0;
  #lsn = 0;
  #place: BatchPlace | null = null;

  constructor(index: LogIndex, crc32: Checksum) {
    this.#index = index;
    this.#crc32 = crc32;
  }

  encode(content: BatchContent, place: BatchPlace, totalBytes: number): EncodedBatch {
    const rows = content.checkpoint.length + content.writes.length;
    const bytes = allocateBytes(totalBytes);
    const headerEnd = headerRecordBytes(rows);
    this.#bytes = bytes;
    this.#at = headerEnd;
    this.#rowAt = recordHeaderBytes + headerFixedBytes;
    this.#lsn = place.lsn + 1;
    this.#place = place;
    if (content.bootRecord) this.#boot(place);
    for (const record of content.machineRecords) this.#machine(record);
    const systemBytes = this.#at - headerEnd;
    for (const row of content.checkpoint) this.#checkpoint(row);
    for (const write of content.writes) this.#write(write);
    const footerAt = alignSector(this.#at);
    const footerEnd = footerAt + headerEnd;
    assert(alignSector(footerEnd) === totalBytes, "a batch is as long as it was measured", {
      totalBytes,
    });
    const recordCount = this.#lsn - place.lsn - 1;
    const { segment } = place;
    putHeader(
      bytes,
      recordHeaderBytes,
      {
        boot: place.boot,
        disk: place.disk,
        segment: segment.segment,
        oldestSegment: place.oldestSegment,
        oldestLsn: place.oldestLsn,
        batchBytes: totalBytes,
        footerAt,
        systemBytes,
        recordCount,
        forgotten: place.forgotten,
        machine: content.machineRecords.length > 0,
      },
      rows,
    );
    bytes.copyWithin(footerAt + recordHeaderBytes, recordHeaderBytes, headerEnd);
    putRecord(bytes, 0, place.lsn, segment.salt, recordType.header, 0, 0, 0);
    sealRecord(bytes, 0, headerEnd, segment.end, this.#crc32);
    putRecord(bytes, footerAt, this.#lsn, segment.salt, recordType.footer, 0, 0, 0);
    sealRecord(bytes, footerAt, footerEnd, segment.end + footerAt, this.#crc32);
    this.#place = null;
    this.#bytes = emptyBytes;
    return { bytes, checksum: getU32(bytes, recordField.crc), nextLsn: this.#lsn + 1 };
  }

  #boot(place: BatchPlace): void {
    const at = this.#open(recordType.boot, 0, 0, 0);
    putU53(this.#bytes, at, place.boot);
    putU53(this.#bytes, at + 8, place.disk);
    this.#close(at + bootPayloadBytes);
  }

  #machine(record: Uint8Array): void {
    const at = this.#open(recordType.machine, 0, 0, 0);
    this.#bytes.set(record, at);
    this.#close(at + record.length);
    this.#place!.segment.pinned = true;
  }

  /** What an idle replica still needs of a segment that is to go. Nothing of its state changes. */
  #checkpoint(row: CheckpointRow): void {
    const { log } = row;
    const begin = this.#at;
    let flags = rowFlag.checkpoint;
    if (row.founding) {
      flags |= rowFlag.foundingHere;
      this.#founding(log, log.founding!);
    }
    for (const entry of row.entries) {
      this.#index.relocate(log, entry.index, this.#entry(log, entry));
    }
    this.#row(log, 0, row.entries.length, begin, flags);
  }

  #write(write: WalWrite): void {
    const log = this.#logOf(write);
    const begin = this.#at;
    let flags = 0;
    if (write.created !== null) {
      flags |= rowFlag.foundingHere;
      log.base = write.created.index;
      log.last = write.created.index;
      this.#founding(log, write.created);
    }
    if (write.hardState !== null) {
      log.term = write.hardState.term;
      log.vote = write.hardState.vote;
      log.commit = write.hardState.commit;
    }
    let cut: number = write.truncateFrom;
    if (cut > 0) this.#index.cutFrom(log, cut);
    if (write.installed !== null) {
      flags |= rowFlag.restart;
      restartAfter(this.#index, log, write.installed.index);
    }
    for (const entry of write.entries) this.#append(log, entry);
    const first = write.entries[0];
    if (first !== undefined) cut = first.index;
    if (write.repaired || log.last >= log.damagedThrough) log.damagedThrough = 0;
    if (write.removed) {
      this.#index.cutFrom(log, 0);
      log.flags |= rowFlag.removed;
      this.#index.dropFounding(log);
    }
    this.#row(log, cut, write.entries.length, begin, flags);
  }

  #append(log: ReplicaLog, entry: Entry): void {
    const place = this.#entry(log, entry);
    this.#index.append(log, entry.index, place, entryRecordBytes(entry), entry.keyEpoch);
  }

  #logOf(write: WalWrite): ReplicaLog {
    const found = this.#index.find(write.group, write.incarnation, write.replica);
    assert((found === null) === (write.created !== null), "a replica is created once, first", {
      group: write.group,
      replica: write.replica,
    });
    if (found === null) return this.#index.create(write.group, write.incarnation, write.replica);
    assert(!isGone(found), "a removed replica writes nothing more", { group: write.group });
    return found;
  }

  /** Returns the place of the record. */
  #entry(log: ReplicaLog, entry: Entry): number {
    const { segment } = this.#place!;
    const place = placeOf(segment.segment, segment.end + this.#at);
    if (entry.keyEpoch > 0) {
      segment.sealed ??= new SealedEpochs();
      segment.sealed.note(log.group, log.incarnation, entry.keyEpoch);
    }
    const at = this.#open(recordType.entry, entry.keyEpoch, log.group, log.incarnation);
    putEntry(this.#bytes, at, log.replica, entry);
    this.#close(this.#at + entryRecordBytes(entry));
    return place;
  }

  #founding(log: ReplicaLog, meta: SnapshotMeta): void {
    this.#index.placeFounding(log, meta, this.#place!.segment.segment);
    const at = this.#open(recordType.founding, 0, log.group, log.incarnation);
    putFounding(this.#bytes, at, log.replica, meta);
    this.#close(this.#at + foundingRecordBytes(meta));
  }

  #row(log: ReplicaLog, cut: number, count: number, begin: number, flags: number): void {
    const { segment, lsn } = this.#place!;
    const row: BatchRow = {
      group: log.group,
      incarnation: log.incarnation,
      replica: log.replica,
      term: log.term,
      vote: log.vote,
      commit: log.commit,
      base: log.base,
      last: log.last,
      damagedThrough: log.damagedThrough,
      previous: log.rowLsn,
      cut,
      count,
      bytes: this.#at - begin,
      flags: flags | (log.flags & stickyFlags),
    };
    putRow(this.#bytes, this.#rowAt, row);
    this.#rowAt += rowBytes;
    this.#index.moveRow(log, segment, lsn);
  }

  /** Begins a record; returns where its payload goes. */
  #open(type: number, keyEpoch: number, group: number, incarnation: number): number {
    const salt = this.#place!.segment.salt;
    putRecord(this.#bytes, this.#at, this.#lsn, salt, type, keyEpoch, group, incarnation);
    this.#lsn++;
    return this.#at + recordHeaderBytes;
  }

  #close(end: number): void {
    sealRecord(this.#bytes, this.#at, end, this.#place!.segment.end + this.#at, this.#crc32);
    this.#at = end;
  }
}

/** A snapshot took the place of all entries. */
export function restartAfter(index: LogIndex, log: ReplicaLog, through: number): void {
  index.cutFrom(log, 0);
  log.base = through;
  log.last = through;
  index.dropFounding(log);
}
