/**
 * From batches to replicas. Each replica has a chain: every row names the batch of the row before
 * it. A gap between two batches is a batch lost whole; the chain tells for each replica whether it
 * had a part in it, and what cannot be proven intact is marked.
 */
import { getU32 } from "../bytes.js";
import type { Checksum } from "../crc32.js";
import type { Entry, SnapshotMeta } from "../entry.js";
import {
  type BatchRow,
  headerRecordBytes,
  readEntry,
  readFounding,
  rowFlag,
  stickyFlags,
} from "./batch.js";
import { type ReplicaLog, emptyLog, placeOf } from "./log-index.js";
import { recordField, recordHeaderBytes, recordType, recordTypeAt } from "./record.js";
import { type FoundBatch, type ScanPosition, walkRecords } from "./scan.js";

export interface FoundPlace {
  readonly entry: Entry;
  readonly place: number;
  readonly bytes: number;
}

/** A replica while the log is replayed. Holes in `entries` are damage. */
export interface Growing {
  /** `places` and `sizes` stay empty until the end. */
  readonly log: ReplicaLog;
  readonly entries: Map<number, FoundPlace>;
  /** Bounds of the indices in `entries`. */
  low: number;
  high: number;
}

export interface Replayed {
  readonly replicas: readonly Growing[];
  readonly machineRecords: readonly Uint8Array[];
  /** Segments with machine records. */
  readonly pinned: ReadonlySet<number>;
  readonly machineDamaged: boolean;
}

export function replay(
  batches: readonly FoundBatch[],
  oldestLsn: number,
  position: ScanPosition,
  crc32: Checksum,
): Replayed {
  const groups = new Map<number, Growing[]>();
  const replicas: Growing[] = [];
  const machineRecords: Uint8Array[] = [];
  const pinned = new Set<number>();
  let machineDamaged = false;
  const growing = (row: BatchRow): Growing => {
    const lives = groups.get(row.group) ?? [];
    groups.set(row.group, lives);
    for (const found of lives) {
      const { incarnation, replica } = found.log;
      if (replica === row.replica && incarnation === row.incarnation) return found;
    }
    const log = emptyLog(row.group, row.incarnation, row.replica);
    const fresh: Growing = { log, entries: new Map(), low: Number.MAX_SAFE_INTEGER, high: 0 };
    lives.push(fresh);
    replicas.push(fresh);
    return fresh;
  };
  for (const batch of batches) {
    const { header } = batch;
    let at = batch.offset + headerRecordBytes(header.rows.length);
    const whole = walkRecords(
      batch,
      at,
      header.systemBytes,
      crc32,
      position,
      (bytes, from, end) => {
        if (recordTypeAt(bytes, from) !== recordType.machine) return;
        machineRecords.push(bytes.slice(from + recordHeaderBytes, end));
        pinned.add(header.segment);
      },
    );
    if (!whole && header.machine) machineDamaged = true;
    at += header.systemBytes;
    for (const row of header.rows) {
      const found = growing(row);
      applyRow(found, row, batch, oldestLsn);
      walkRecords(batch, at, row.bytes, crc32, position, (bytes, from, end) => {
        applyRecord(found, row, batch, bytes, from, end);
      });
      at += row.bytes;
    }
  }
  return { replicas, machineRecords, pinned, machineDamaged };
}

/** The row's own say: hard state, limits of the log, and what it voids. */
function applyRow(growing: Growing, row: BatchRow, batch: FoundBatch, oldestLsn: number): void {
  const { log } = growing;
  // A row of this replica is missing: it may have voided anything that was not committed.
  const missed = row.previous > log.rowLsn && row.previous >= oldestLsn;
  if (missed) keepOnly(growing, 0, log.commit);
  if ((row.flags & rowFlag.restart) !== 0) clear(growing);
  else if ((row.flags & rowFlag.checkpoint) === 0 && row.cut > 0) keepOnly(growing, 0, row.cut - 1);
  log.term = row.term;
  log.vote = row.vote;
  log.commit = row.commit;
  log.base = row.base;
  log.last = row.last;
  log.damagedThrough = row.damagedThrough;
  log.flags = row.flags & stickyFlags;
  log.rowLsn = batch.header.lsn;
  log.rowSegment = batch.header.segment;
  if ((row.flags & rowFlag.founding) === 0) {
    log.founding = null;
    log.foundingSegment = 0;
  }
  keepOnly(growing, row.base, row.last);
}

function applyRecord(
  growing: Growing,
  row: BatchRow,
  batch: FoundBatch,
  bytes: Uint8Array,
  at: number,
  end: number,
): void {
  const { log, entries } = growing;
  if (getU32(bytes, at + recordField.group) !== row.group) return;
  if (getU32(bytes, at + recordField.incarnation) !== row.incarnation) return;
  if (recordTypeAt(bytes, at) === recordType.founding) {
    log.founding = readFounding(bytes, at, end);
    log.foundingSegment = log.founding === null ? 0 : batch.header.segment;
    return;
  }
  if (recordTypeAt(bytes, at) !== recordType.entry) return;
  const found = readEntry(bytes, at, end);
  if (found === null || found.replica !== row.replica) return;
  const { entry } = found;
  if (entry.index <= row.base || entry.index > row.last) return;
  growing.low = Math.min(growing.low, entry.index);
  growing.high = Math.max(growing.high, entry.index);
  entries.set(entry.index, { entry, place: placeOf(batch.header.segment, at), bytes: end - at });
}

/** Keeps the entries in (above, through]. */
function keepOnly(growing: Growing, above: number, through: number): void {
  const { entries } = growing;
  if (growing.low > above && growing.high <= through) return;
  if (growing.high - growing.low < 4 * entries.size + 64) {
    for (let index = growing.low; index <= Math.min(above, growing.high); index++) {
      entries.delete(index);
    }
    for (let index = growing.high; index > through && index >= growing.low; index--) {
      entries.delete(index);
    }
  } else {
    for (const index of entries.keys()) {
      if (index <= above || index > through) entries.delete(index);
    }
  }
  growing.low = Math.max(growing.low, above + 1);
  growing.high = Math.min(growing.high, through);
  if (entries.size === 0) clear(growing);
}

function clear(growing: Growing): void {
  growing.entries.clear();
  growing.low = Number.MAX_SAFE_INTEGER;
  growing.high = 0;
}

export interface FinishedReplica {
  readonly log: ReplicaLog;
  readonly snapshot: SnapshotMeta | null;
  readonly entries: readonly FoundPlace[];
  /** Of the entry at the snapshot's index, while no row tells of that base; 0: not needed. */
  readonly basePlace: number;
  /** True: what was durable is gone, beyond what earlier recoveries had found. */
  readonly newlyDamaged: boolean;
  /** True: the snapshot took the place of the log. */
  readonly overLog: boolean;
}

/** Fits the log to the newest snapshot and keeps what is whole from there on. */
export function finish(growing: Growing, loaded: SnapshotMeta | null): FinishedReplica {
  const { log, entries } = growing;
  const snapshot = loaded ?? log.founding;
  const start = snapshot?.index ?? 0;
  const unfounded =
    loaded === null && log.founding === null && (log.flags & rowFlag.founding) !== 0;
  let damaged = log.damagedThrough;
  let overLog = false;
  let basePlace = 0;
  if (unfounded) {
    damaged = Math.max(damaged, log.last, 1);
    entries.clear();
    log.last = start;
    // Said once: what the replica is refilled with must not be lost again at each start.
    log.flags &= ~rowFlag.founding;
  } else if (loaded !== null && log.base < start) {
    const there = entries.get(start);
    overLog = log.last < start || (there !== undefined && there.entry.term !== loaded.term);
    if (there === undefined) damaged = Math.max(damaged, log.last);
    if (overLog || there === undefined) {
      entries.clear();
      log.last = start;
    } else basePlace = there.place;
  }
  const kept: FoundPlace[] = [];
  for (let next = start + 1; next <= log.last; next++) {
    const found = entries.get(next);
    if (found === undefined) break;
    kept.push(found);
  }
  const last = start + kept.length;
  if (last < log.last) damaged = Math.max(damaged, log.last);
  if (damaged <= last) damaged = 0;
  const newlyDamaged = damaged > log.damagedThrough;
  log.base = start;
  log.last = last;
  log.damagedThrough = damaged;
  log.commit = Math.max(start, Math.min(log.commit, last));
  // A snapshot of a later term was received, and the crash came before that term was persisted:
  // nothing was voted in it.
  if (snapshot !== null && snapshot.term > log.term) {
    log.term = snapshot.term;
    log.vote = 0;
  }
  return { log, snapshot, entries: kept, basePlace, newlyDamaged, overLog };
}

/** Of a replica that never lives here again only the row stays, so that this is known. */
export function finishDead({ log, entries }: Growing): FinishedReplica {
  entries.clear();
  log.founding = null;
  log.foundingSegment = 0;
  log.flags &= ~rowFlag.founding;
  log.last = log.base;
  const nothing = { snapshot: null, entries: [], basePlace: 0 };
  return { log, ...nothing, newlyDamaged: false, overLog: false };
}
