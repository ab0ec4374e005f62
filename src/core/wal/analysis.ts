/** What recovery makes of the files it has read: which batches count, what was cut, what was lost. */
import type { Checksum } from "../crc32.js";
import type { SnapshotMeta } from "../entry.js";
import { sectorBytes } from "../ports/disk.js";
import { rowFlag } from "./batch.js";
import type { WalContext } from "./context.js";
import type { RingSlot } from "./header-ring.js";
import { LogIndex, isDead, placeSegment } from "./log-index.js";
import type { ReplicaKey } from "./log-store.js";
import { recordHeaderBytes } from "./record.js";
import { type FinishedReplica, type Replayed, finish, finishDead, replay } from "./replay.js";
import {
  type FoundBatch,
  type ScanPosition,
  type ScannedSegment,
  type SegmentImage,
  hasBothCopies,
  headerChecksum,
  isComplete,
  lsnAfter,
  scanSegment,
} from "./scan.js";
import { type SealedEpochs, scanSealed } from "./sealed.js";
import { segmentHeadBytes } from "./segment.js";
import { emptySegment } from "./spare.js";

export interface LoadedSnapshot extends ReplicaKey {
  readonly snapshot: SnapshotMeta;
}

export interface RecoveryInput {
  readonly disk: number;
  readonly bootFloor: number;
  readonly images: readonly SegmentImage[];
  readonly ring: readonly RingSlot[];
  readonly snapshots: readonly LoadedSnapshot[];
}

export interface Analysis {
  /** Words on why this version must not go on; null: none. */
  readonly refusal: string | null;
  /** True: something is broken, so that reading again may be worth it. */
  readonly doubtful: boolean;
  readonly index: LogIndex;
  readonly finished: readonly FinishedReplica[];
  readonly machineRecords: readonly Uint8Array[];
  readonly boot: number;
  readonly nextLsn: number;
  readonly oldestSegment: number;
  readonly oldestLsn: number;
  readonly forgotten: boolean;
  readonly scanned: readonly ScannedSegment[];
  /** By segment; of the tail's only what stands before its end. */
  readonly sealed: ReadonlyMap<number, SealedEpochs>;
  /** True: something is sealed somewhere in the log, behind its end too. */
  readonly anySealed: boolean;
  /** The segment and offset that the log goes on at. */
  readonly tailSegment: number;
  readonly tailEnd: number;
  /** Batches that were found, the cut one not among them. */
  readonly batches: number;
}

/** A gap in the lsns, or a missing segment, is at least one batch that was lost whole. */
interface Losses {
  /** The lsn behind the last gap: who was not named since may have lost a vote. */
  through: number;
  /** Starts of the node that may have been lost with the newest batches. */
  boots: number;
  any: boolean;
  /** The lsn after the newest batch, lost or not. */
  next: number;
}

export function analyse(input: RecoveryInput, context: WalContext): Analysis {
  const { crc32, marks } = context;
  const position: ScanPosition = { nextLsn: 1, boot: 0, refusal: null };
  const scanned: ScannedSegment[] = [];
  for (const image of input.images) scanned.push(scanSegment(image, input.disk, position, crc32));
  const proven = provenByRing(input.ring);
  const all = scanned.flatMap(({ batches }) => batches.filter(isProvenOne(proven, context)));
  let cut = false;
  const newest = all.at(-1);
  if (newest !== undefined && !isComplete(newest, crc32, position)) {
    cut = newest.header.lsn > proven.lsn;
    if (!cut && newest.header.lsn === proven.lsn) marks.hit("ringProvedBatch");
  }
  const batches = cut ? all.slice(0, -1) : all;
  if (cut) marks.hit("tornTailCut");
  const last = batches.at(-1);
  const oldestSegment = last?.header.oldestSegment ?? 1;
  const oldestLsn = last?.header.oldestLsn ?? 1;
  const kept = batches.filter(({ header }) => header.segment >= oldestSegment);
  const losses = lossesOf(kept, oldestLsn, proven, context);
  const tail = missingSegments(
    scanned,
    oldestSegment,
    tailOf(last, proven, oldestSegment),
    context,
  );
  const lostLsns = tail.missing * Math.ceil(context.options.segmentBytes / recordHeaderBytes);
  if (tail.missing > 0) {
    losses.any = true;
    losses.through = Infinity;
    losses.boots += lostLsns;
  }
  const replayed = replay(kept, oldestLsn, position, crc32);
  const finished = finishAll(replayed, input.snapshots, losses, context);
  const sealed = new Map<number, SealedEpochs>();
  const anySealed = findSealed(scanned, tail, sealed, crc32);
  const index = indexOf(scanned, oldestSegment, tail, replayed, finished, sealed);
  firstLsns(index, kept, oldestSegment, oldestLsn);
  const damaged = kept.some((batch) => !hasBothCopies(batch, crc32));
  const boots = [input.bootFloor, proven.boot, ...scanned.map(({ headBoot }) => headBoot)];
  for (const { header } of all) boots.push(header.boot);
  const machineDamaged =
    replayed.machineDamaged || (losses.any && replayed.machineRecords.length > 0)
      ? "records of the machine were damaged: wipe this node and let it join again as a new one"
      : null;
  return {
    refusal: position.refusal ?? machineDamaged,
    doubtful:
      cut ||
      losses.any ||
      damaged ||
      finished.some(({ newlyDamaged }) => newlyDamaged) ||
      dirtyTail(scanned, tail),
    index,
    finished,
    machineRecords: replayed.machineRecords,
    boot: boots.reduce((most, boot) => Math.max(most, boot), 0) + 1 + losses.boots,
    nextLsn: losses.next + lostLsns,
    oldestSegment,
    oldestLsn,
    forgotten: losses.any || (last?.header.forgotten ?? false),
    scanned,
    sealed,
    anySealed,
    tailSegment: tail.segment,
    tailEnd: tail.end,
    batches: kept.length,
  };
}

interface Proven {
  /** Of the newest batch in the ring; 0: none. */
  readonly lsn: number;
  readonly nextLsn: number;
  readonly segment: number;
  readonly end: number;
  readonly boot: number;
  /** Of the header records of all batches in the ring, by lsn, with the boot that wrote them. */
  readonly checksums: ReadonlyMap<number, { readonly boot: number; readonly checksum: number }>;
}

function provenByRing(slots: readonly RingSlot[]): Proven {
  const checksums = new Map<number, { readonly boot: number; readonly checksum: number }>();
  let proven: Proven = { lsn: 0, nextLsn: 1, segment: 0, end: 0, boot: 0, checksums };
  let boot = 0;
  for (const slot of slots) {
    boot = Math.max(boot, slot.boot);
    for (const { lsn, segment, offset, length, checksum } of slot.entries) {
      if (slot.boot > (checksums.get(lsn)?.boot ?? -1)) {
        checksums.set(lsn, { boot: slot.boot, checksum });
      }
      if (lsn <= proven.lsn) continue;
      // No record is shorter than its header.
      const nextLsn = lsn + 2 + Math.floor(length / recordHeaderBytes);
      proven = { lsn, nextLsn, segment, end: offset + length, boot: 0, checksums };
    }
  }
  return { ...proven, boot };
}

/**
 * A torn tail that was cut gives its place and its lsn to the next batch. When both the voiding of
 * it and that batch are gone, the old header stands there again: only the ring tells that it is not
 * the batch that was durable.
 */
function isProvenOne({ checksums }: Proven, { marks }: WalContext): (batch: FoundBatch) => boolean {
  return (batch) => {
    const proven = checksums.get(batch.header.lsn);
    if (proven === undefined || !batch.headerIntact) return true;
    // What an earlier boot wrote says nothing about a later one's batch.
    if (proven.boot < batch.header.boot || headerChecksum(batch) === proven.checksum) return true;
    marks.hit("ringNamedAnotherBatch");
    return false;
  };
}

function lossesOf(
  batches: readonly FoundBatch[],
  oldestLsn: number,
  proven: Proven,
  context: WalContext,
): Losses {
  const losses: Losses = { through: 0, boots: 0, any: false, next: oldestLsn };
  const lose = (through: number): void => {
    losses.through = through;
    losses.any = true;
    context.marks.hit("batchLostWhole");
  };
  let next = oldestLsn;
  for (const { header, headerIntact } of batches) {
    if (header.lsn > next) lose(header.lsn);
    if (!headerIntact) context.marks.hit("batchHeaderRepaired");
    next = lsnAfter(header);
  }
  if (proven.lsn >= next) {
    context.marks.hit("ringProvedBatch");
    losses.boots = proven.nextLsn - next;
    lose(proven.nextLsn);
    next = proven.nextLsn;
  }
  losses.next = next;
  return losses;
}

/** Where the log goes on: behind the newest batch, whether it can be read or not. */
function tailOf(
  last: FoundBatch | undefined,
  proven: Proven,
  oldestSegment: number,
): { readonly segment: number; readonly end: number } {
  const segment = last?.header.segment ?? oldestSegment;
  const end = last === undefined ? segmentHeadBytes : last.offset + last.header.batchBytes;
  if (last !== undefined && proven.lsn <= last.header.lsn) return { segment, end };
  if (proven.segment < segment) return { segment, end };
  return { segment: proven.segment, end: proven.end };
}

interface Tail {
  readonly segment: number;
  readonly end: number;
  /** Segments that are missing behind the newest batch. */
  readonly missing: number;
}

/**
 * A segment that is missing between others, or is another disk's, is a gap in the lsns like any
 * other. Behind the newest batch only the spare, or the ring, tells that one is missing: it may
 * have held anything about anyone.
 */
function missingSegments(
  scanned: readonly ScannedSegment[],
  oldest: number,
  tail: { readonly segment: number; readonly end: number },
  context: WalContext,
): Tail {
  const own = new Set<number>();
  let newest = tail.segment;
  for (const { image, foreign, headIntact, salt } of scanned) {
    if (!foreign) own.add(image.segment);
    newest = Math.max(newest, image.segment);
    if (salt !== 0 && !headIntact && image.segment >= oldest) {
      context.marks.hit("segmentHeadRepaired");
    }
  }
  let found: Tail = { ...tail, missing: 0 };
  for (let segment = oldest; segment <= newest; segment++) {
    if (own.has(segment)) continue;
    context.marks.hit("segmentMissing");
    if (segment >= tail.segment) found = { segment, end: 0, missing: found.missing + 1 };
  }
  return found;
}

function finishAll(
  replayed: Replayed,
  snapshots: readonly LoadedSnapshot[],
  losses: Losses,
  context: WalContext,
): FinishedReplica[] {
  const bySnapshot = new Map<string, SnapshotMeta>();
  for (const { group, incarnation, replica, snapshot } of snapshots) {
    bySnapshot.set(`${group}/${incarnation}/${replica}`, snapshot);
  }
  return replayed.replicas.map((growing) => {
    const { log } = growing;
    if (log.rowLsn < losses.through && !isDead(log)) {
      log.flags |= rowFlag.lost;
      context.marks.hit("replicaLost");
    }
    if (isDead(log)) return finishDead(growing);
    const key = `${log.group}/${log.incarnation}/${log.replica}`;
    const finished = finish(growing, bySnapshot.get(key) ?? null);
    if (finished.newlyDamaged) context.marks.hit("damagedRangeMarked");
    if (finished.overLog) context.marks.hit("snapshotOverLog");
    return finished;
  });
}

/** Fills `sealed`; true when anything is sealed. What is left behind the tail's end gets zeroed. */
function findSealed(
  scanned: readonly ScannedSegment[],
  tail: Tail,
  sealed: Map<number, SealedEpochs>,
  crc32: Checksum,
): boolean {
  let any = false;
  for (const { image, salt, foreign } of scanned) {
    const { segment, bytes } = image;
    let found = scanSealed(bytes, bytes.length, salt, crc32);
    if (found === null) continue;
    any = true;
    if (segment === tail.segment && !foreign) found = scanSealed(bytes, tail.end, salt, crc32);
    if (found !== null) sealed.set(segment, found);
  }
  return any;
}

/** The index as it would be had the log been written in this boot. */
function indexOf(
  scanned: readonly ScannedSegment[],
  oldest: number,
  tail: { readonly segment: number; readonly end: number },
  replayed: Replayed,
  finished: readonly FinishedReplica[],
  sealed: ReadonlyMap<number, SealedEpochs>,
): LogIndex {
  const index = new LogIndex();
  for (let segment = oldest; segment <= tail.segment; segment++) {
    const found = scanned.find(({ image, foreign }) => image.segment === segment && !foreign);
    // What is missing or unknown takes no batch any more, but keeps its number.
    const usable = found !== undefined && found.salt !== 0;
    const state = emptySegment(segment, usable ? found.image.bytes.length : 0, found?.salt ?? 0);
    state.end = segment === tail.segment ? tail.end : state.sizeBytes;
    state.pinned = replayed.pinned.has(segment);
    state.sealed = sealed.get(segment) ?? null;
    index.segments.push(state);
  }
  for (const replica of finished) placeReplica(index, replica);
  return index;
}

function placeReplica(index: LogIndex, finished: FinishedReplica): void {
  const { log: found, entries, basePlace } = finished;
  const { rowSegment, rowLsn, founding, foundingSegment } = found;
  const log = index.create(found.group, found.incarnation, found.replica);
  const own = { rowSegment: 0, foundingSegment: 0, founding: null, last: found.base };
  Object.assign(log, found, own);
  const touched = new Set<number>();
  if (founding !== null) {
    index.placeFounding(log, founding, foundingSegment);
    touched.add(foundingSegment);
  }
  for (const { entry, place, bytes } of entries) {
    index.append(log, entry.index, place, bytes, entry.keyEpoch);
    touched.add(placeSegment(place));
  }
  if (basePlace !== 0) touched.add(placeSegment(basePlace));
  touched.delete(rowSegment);
  for (const segment of touched) index.segment(segment).touched.push(log);
  index.moveRow(log, index.segment(rowSegment), rowLsn);
  if (basePlace !== 0) index.holdBase(log, basePlace);
}

function firstLsns(
  index: LogIndex,
  batches: readonly FoundBatch[],
  oldestSegment: number,
  oldestLsn: number,
): void {
  const after = new Map<number, number>([[oldestSegment - 1, oldestLsn]]);
  for (const { header } of batches) after.set(header.segment, lsnAfter(header));
  let next = oldestLsn;
  for (const state of index.segments) {
    state.firstLsn = next;
    next = after.get(state.segment) ?? next;
  }
}

/** True when the sector behind the newest batch holds something that is no batch. */
function dirtyTail(
  scanned: readonly ScannedSegment[],
  tail: { readonly segment: number; readonly end: number },
): boolean {
  const found = scanned.find(({ image }) => image.segment === tail.segment);
  if (found === undefined) return false;
  return found.image.bytes.subarray(tail.end, tail.end + sectorBytes).some((byte) => byte !== 0);
}
