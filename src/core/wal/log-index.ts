/**
 * Where everything stands: per replica its hard state and the places of its entries, per segment
 * how much of it is still needed. Invariant: `live` and `rows` of a segment count exactly the
 * entries that stand in it and the replicas whose newest row does.
 */
import { assert } from "../assert.js";
import { bytesKey } from "../bytes.js";
import type { SnapshotMeta } from "../entry.js";
import { rowFlag } from "./batch.js";
import type { SealedEpochs } from "./sealed.js";

export interface ReplicaLog {
  readonly group: number;
  readonly incarnation: number;
  readonly replica: number;
  term: number;
  vote: number;
  commit: number;
  /** Entries up to here are in a durable snapshot. */
  base: number;
  last: number;
  damagedThrough: number;
  /** Of `rowFlag`, those that stay. */
  flags: number;
  /** The batch that last named this replica, and its segment; 0 before the first. */
  rowLsn: number;
  rowSegment: number;
  /**
   * The segment of the entry at `base`, while the newest row still tells of an older base; 0: none.
   * Recovery compares that entry with the snapshot, so it counts as live until the next row.
   */
  baseSegment: number;
  /** The newest segment whose `touched` has this replica. */
  touchedSegment: number;
  founding: SnapshotMeta | null;
  /** The segment that its founding record stands in; 0: none. */
  foundingSegment: number;
  /** The index that `places[0]` is of. */
  first: number;
  /** Places of the entries `first` to `last`: see `placeOf`. */
  places: number[];
  /** Bytes of their records, and under which epoch they are sealed: see `sizeOf`. */
  sizes: number[];
  /** Another replica of the same group on this disk. */
  sibling: ReplicaLog | null;
}

export interface SegmentState {
  readonly segment: number;
  /** Bytes of the file. */
  readonly sizeBytes: number;
  readonly salt: number;
  /** Where the next batch goes. */
  end: number;
  /** Of its first batch. */
  firstLsn: number;
  /** Entries and founding records in it that are still needed. */
  live: number;
  /** Replicas whose newest row is in it. */
  rows: number;
  /** Holds machine records, which are needed for ever. */
  pinned: boolean;
  /** Every replica with a row in it, at least once. */
  touched: ReplicaLog[];
  /** Of all that stands in the file, needed or not; null: nothing is sealed. */
  sealed: SealedEpochs | null;
}

/** Different founding records that are remembered, for others to share them. */
const foundingsMax = 256;

const segmentUnit = 0x1_0000_0000;

/** Segment and offset in one number; never 0, for a segment begins with its header. */
export function placeOf(segment: number, offset: number): number {
  return segment * segmentUnit + offset;
}

/** The bytes of a record and the epoch of its entry in one number. */
function sizeOf(bytes: number, keyEpoch: number): number {
  return keyEpoch * segmentUnit + bytes;
}

export function placeSegment(place: number): number {
  return Math.floor(place / segmentUnit);
}

export function placeOffset(place: number): number {
  return place % segmentUnit;
}

export class LogIndex {
  /** In order, without gaps; the last is the one that batches go to. */
  readonly segments: SegmentState[] = [];
  /** Bytes of the records that are still needed. */
  liveBytes = 0;
  /** The first of each group. */
  readonly #replicas = new Map<number, ReplicaLog>();
  readonly #foundings = new Map<string, SnapshotMeta>();

  find(group: number, incarnation: number, replica: number): ReplicaLog | null {
    let log = this.#replicas.get(group) ?? null;
    while (log !== null && (log.replica !== replica || log.incarnation !== incarnation)) {
      log = log.sibling;
    }
    return log;
  }

  create(group: number, incarnation: number, replica: number): ReplicaLog {
    const log = emptyLog(group, incarnation, replica);
    let last = this.#replicas.get(group);
    if (last === undefined) this.#replicas.set(group, log);
    else {
      while (last.sibling !== null) last = last.sibling;
      last.sibling = log;
    }
    return log;
  }

  /** In the order of their creation, group by group. For recovery only: no step loops over all. */
  all(): ReplicaLog[] {
    const all: ReplicaLog[] = [];
    for (const first of this.#replicas.values()) {
      for (let log: ReplicaLog | null = first; log !== null; log = log.sibling) all.push(log);
    }
    return all;
  }

  segment(segment: number): SegmentState {
    const oldest = this.segments[0];
    const state = oldest === undefined ? undefined : this.segments[segment - oldest.segment];
    assert(state !== undefined, "what is needed is in a segment that exists", { segment });
    return state;
  }

  get current(): SegmentState | null {
    return this.segments.at(-1) ?? null;
  }

  append(log: ReplicaLog, index: number, place: number, bytes: number, keyEpoch: number): void {
    assert(index === log.last + 1, "entries are appended in order", { index, last: log.last });
    if (log.places.length === 0) log.first = index;
    log.places.push(place);
    log.sizes.push(sizeOf(bytes, keyEpoch));
    log.last = index;
    this.liveBytes += bytes;
    this.segment(placeSegment(place)).live++;
  }

  placeAt(log: ReplicaLog, index: number): number {
    return log.places[index - log.first] ?? 0;
  }

  sizeAt(log: ReplicaLog, index: number): number {
    return (log.sizes[index - log.first] ?? 0) % segmentUnit;
  }

  /** True when this incarnation still needs an entry that is sealed under an epoch before `epoch`. */
  needsBelow(group: number, incarnation: number, epoch: number): boolean {
    const before = sizeOf(0, epoch);
    let log = this.#replicas.get(group) ?? null;
    for (; log !== null; log = log.sibling) {
      if (log.incarnation !== incarnation) continue;
      if (log.sizes.some((size) => size >= segmentUnit && size < before)) return true;
    }
    return false;
  }

  relocate(log: ReplicaLog, index: number, place: number): void {
    const at = index - log.first;
    this.segment(placeSegment(log.places[at]!)).live--;
    log.places[at] = place;
    this.segment(placeSegment(place)).live++;
  }

  /** Voids the entries from `index` on. */
  cutFrom(log: ReplicaLog, index: number): void {
    const keep = Math.max(0, index - log.first);
    for (let at = keep; at < log.places.length; at++) this.#drop(log, at);
    if (keep < log.places.length) {
      log.places.length = keep;
      log.sizes.length = keep;
    }
    if (index <= log.last) log.last = Math.max(log.base, index - 1);
  }

  /** Drops the entries up to `index`, which a durable snapshot holds. */
  dropThrough(log: ReplicaLog, index: number): void {
    const count = Math.min(log.places.length, Math.max(0, index - log.first + 1));
    const place = this.placeAt(log, index);
    if (place !== 0) this.holdBase(log, place);
    for (let at = 0; at < count; at++) this.#drop(log, at);
    if (count > 0) {
      log.places.splice(0, count);
      log.sizes.splice(0, count);
      log.first += count;
    }
    log.base = Math.max(log.base, index);
    log.last = Math.max(log.last, index);
  }

  /** The founding record of `log` stands in `segment`; counts as live there. */
  placeFounding(log: ReplicaLog, meta: SnapshotMeta, segment: number): void {
    this.dropFounding(log);
    log.founding = this.#shared(meta);
    log.foundingSegment = segment;
    log.flags |= rowFlag.founding;
    this.segment(segment).live++;
  }

  /** Groups that were founded on the same disks share what was written of it. */
  #shared(meta: SnapshotMeta): SnapshotMeta {
    const { index, term, sizeBytes, checksum, configuration } = meta;
    const name = `${index} ${term} ${sizeBytes} ${checksum} ${bytesKey(configuration)}`;
    const known = this.#foundings.get(name);
    if (known !== undefined) return known;
    if (this.#foundings.size >= foundingsMax) this.#foundings.clear();
    this.#foundings.set(name, meta);
    return meta;
  }

  /** `log` will not grow for a while: its arrays take no more than they hold. */
  rest(log: ReplicaLog): void {
    log.places = log.places.slice();
    log.sizes = log.sizes.slice();
  }

  dropFounding(log: ReplicaLog): void {
    if (log.foundingSegment !== 0) this.segment(log.foundingSegment).live--;
    log.foundingSegment = 0;
    log.founding = null;
    log.flags &= ~rowFlag.founding;
  }

  /** The newest row of `log` is in the batch `lsn` of `segment`. */
  moveRow(log: ReplicaLog, segment: SegmentState, lsn: number): void {
    this.#releaseBase(log);
    if (log.rowSegment !== segment.segment) {
      if (log.rowSegment !== 0) this.segment(log.rowSegment).rows--;
      segment.rows++;
      log.rowSegment = segment.segment;
    }
    if (log.touchedSegment !== segment.segment) {
      segment.touched.push(log);
      log.touchedSegment = segment.segment;
    }
    log.rowLsn = lsn;
  }

  /** True when nothing in the oldest segment is needed and a newer one takes the batches. */
  get oldestIsVoid(): boolean {
    const oldest = this.segments[0];
    if (oldest === undefined || this.segments.length < 2) return false;
    return oldest.live === 0 && oldest.rows === 0 && !oldest.pinned;
  }

  /** The entry at the log's base stands at `place` and is needed until the next row. */
  holdBase(log: ReplicaLog, place: number): void {
    this.#releaseBase(log);
    log.baseSegment = placeSegment(place);
    this.segment(log.baseSegment).live++;
  }

  #releaseBase(log: ReplicaLog): void {
    if (log.baseSegment !== 0) this.segment(log.baseSegment).live--;
    log.baseSegment = 0;
  }

  #drop(log: ReplicaLog, at: number): void {
    this.liveBytes -= log.sizes[at]! % segmentUnit;
    this.segment(placeSegment(log.places[at]!)).live--;
  }
}

export function emptyLog(group: number, incarnation: number, replica: number): ReplicaLog {
  return {
    group,
    incarnation,
    replica,
    term: 0,
    vote: 0,
    commit: 0,
    base: 0,
    last: 0,
    damagedThrough: 0,
    flags: 0,
    rowLsn: 0,
    rowSegment: 0,
    baseSegment: 0,
    touchedSegment: 0,
    founding: null,
    foundingSegment: 0,
    first: 1,
    places: [],
    sizes: [],
    sibling: null,
  };
}

/** Removed or lost: it never lives here again, and nothing but its row is needed. */
export function isDead(log: ReplicaLog): boolean {
  return (log.flags & (rowFlag.removed | rowFlag.lost)) !== 0;
}

export function isGone(log: ReplicaLog): boolean {
  return (log.flags & rowFlag.removed) !== 0;
}
