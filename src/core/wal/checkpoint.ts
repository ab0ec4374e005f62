/**
 * Empties the oldest segment: what idle replicas still need of it is written again, as checkpoint
 * rows that ride on later batches, a bounded number on each. The log is cleaned in a circle only
 * while at least half of it is garbage, so each byte is written again once at most on average; but
 * for a data key that is to be erased, it is cleaned whatever that costs.
 */
import type { Entry } from "../entry.js";
import type { DiskResult } from "../ports/disk.js";
import { entryRecordBytes, foundingRecordBytes, rowBytes } from "./batch.js";
import type { WalContext } from "./context.js";
import { type LogIndex, type ReplicaLog, placeOffset, placeSegment } from "./log-index.js";
import { entryIn } from "./reader.js";
import { segmentFile } from "./segment.js";

/** What a later batch says again about one replica. */
export interface CheckpointRow {
  readonly log: ReplicaLog;
  readonly entries: Entry[];
  /** True: with its founding record. */
  readonly founding: boolean;
}

interface Ready {
  readonly log: ReplicaLog;
  /** Null: nothing but the row itself. */
  readonly entry: Entry | null;
  /** Where the entry stood; it is skipped when it has gone from there. */
  readonly place: number;
}

/** Why a segment is emptied: there are many, or space is short, or a data key is to be erased. */
export type CleaningReason = "many" | "space" | "key";

/** Replicas that are looked at in one go. */
const looksMax = 256;

export class Checkpointer {
  readonly #context: WalContext;
  readonly #index: LogIndex;
  /** The segment that is being emptied; 0: none. */
  #segment = 0;
  /** The next of its `touched`, and the next entry of that replica. */
  #cursor = 0;
  #entry = 0;
  #ready: Ready[] = [];
  #readyBytes = 0;
  #op = 0;
  #reading: { readonly log: ReplicaLog; readonly index: number; readonly place: number } | null =
    null;

  constructor(context: WalContext, index: LogIndex) {
    this.#context = context;
    this.#index = index;
  }

  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Everything that the segment was needed for was taken, or could not be read. */
  get isThrough(): boolean {
    const oldest = this.#index.segments[0];
    if (oldest === undefined || this.#segment !== oldest.segment) return false;
    return this.#op === 0 && this.nextBytes === 0 && this.#cursor >= oldest.touched.length;
  }

  /** Looks at all of the segment once more. */
  again(): void {
    this.#segment = 0;
  }

  /** Bytes that a batch must have left for the next row; 0 when none is ready. */
  get nextBytes(): number {
    const next = this.#ready.find((ready) => this.#isNeeded(ready));
    return next === undefined ? 0 : this.#costOf(next, true);
  }

  /** Starts on the oldest segment when that pays, and reads ahead. */
  advance(reason: CleaningReason): void {
    const { segments, liveBytes } = this.#index;
    const oldest = segments[0];
    if (oldest === undefined || this.#op !== 0) return;
    if (this.#segment !== oldest.segment) {
      const { segmentsMin, segmentBytes } = this.#context.options;
      const many = segments.length > (reason === "many" ? segmentsMin : 1);
      const pays = reason === "key" || liveBytes * 2 <= segments.length * segmentBytes;
      if (!many || oldest.pinned || !pays) return;
      this.#segment = oldest.segment;
      this.#cursor = 0;
      this.#entry = 0;
      this.#ready = [];
      this.#readyBytes = 0;
    }
    this.#dropNeedless();
    for (let looks = 0; looks < looksMax && this.#op === 0; looks++) {
      const log = oldest.touched[this.#cursor];
      const { checkpointBytesMax, checkpointRowsMax } = this.#context.options;
      if (log === undefined || this.#readyBytes >= checkpointBytesMax) return;
      if (this.#ready.length >= 4 * checkpointRowsMax) return;
      this.#look(log);
    }
  }

  /**
   * Rows for the next batch, which they lengthen by at most `bytesMax`. An entry that
   * is larger than what should ride on one batch goes alone, and only where it has to.
   */
  take(bytesMax: number, reason: CleaningReason): CheckpointRow[] {
    const rows: CheckpointRow[] = [];
    const { checkpointBytesMax, checkpointRowsMax } = this.#context.options;
    let room = Math.min(bytesMax, checkpointBytesMax);
    let used = 0;
    for (const ready of this.#ready) {
      if (!this.#isNeeded(ready)) {
        used++;
        continue;
      }
      const previous = rows.at(-1);
      const fresh = previous?.log !== ready.log;
      if (fresh && rows.length === checkpointRowsMax) break;
      const { log, entry } = ready;
      const founding = fresh && log.foundingSegment === this.#segment;
      const cost = this.#costOf(ready, fresh);
      const alone = reason !== "many" && previous === undefined && cost <= bytesMax;
      if (cost > room && !alone) break;
      room -= cost;
      used++;
      if (fresh) rows.push({ log, entries: entry === null ? [] : [entry], founding });
      else if (entry !== null) previous!.entries.push(entry);
    }
    for (const ready of this.#ready.splice(0, used)) this.#readyBytes -= readyBytesOf(ready);
    if (rows.length > 0) this.#context.marks.hit("checkpointRowsWritten");
    return rows;
  }

  /** False: not an operation of this one. */
  diskDone(op: number, result: DiskResult): boolean {
    if (op !== this.#op || op === 0) return false;
    const { log, index, place } = this.#reading!;
    this.#op = 0;
    this.#reading = null;
    // Cut, compacted or written elsewhere meanwhile: whatever was read is needed no more.
    if (this.#index.placeAt(log, index) !== place) return true;
    const { salt } = this.#index.segment(placeSegment(place));
    const bytes = result.ok ? result.bytes : null;
    const offset = placeOffset(place);
    const entry =
      bytes === null ? null : entryIn(bytes, 0, offset, salt, log, index, this.#context);
    // A rotten entry keeps its segment until a snapshot covers it or a restart marks the damage.
    if (entry === null) this.#context.marks.hit("readBackRotten");
    else this.#push({ log, entry, place });
    return true;
  }

  /** Finds the next thing that `log` needs of the segment, or passes on to the next replica. */
  #look(log: ReplicaLog): void {
    for (let index = Math.max(this.#entry, log.first); index <= log.last; index++) {
      const place = this.#index.placeAt(log, index);
      if (place === 0 || placeSegment(place) !== this.#segment) continue;
      this.#entry = index + 1;
      this.#op = this.#context.nextOp();
      this.#reading = { log, index, place };
      const bytes = this.#index.sizeAt(log, index);
      this.#context.disk.read(this.#op, segmentFile(this.#segment), placeOffset(place), bytes);
      return;
    }
    if (this.#needsRow(log)) {
      this.#push({ log, entry: null, place: 0 });
    }
    this.#cursor++;
    this.#entry = 0;
  }

  /** What became needless while it waited makes room for more. */
  #dropNeedless(): void {
    const needed = this.#ready.findIndex((ready) => this.#isNeeded(ready));
    const count = needed < 0 ? this.#ready.length : needed;
    for (const ready of this.#ready.splice(0, count)) this.#readyBytes -= readyBytesOf(ready);
  }

  /** `fresh`: with a row of its own. */
  #costOf({ log, entry }: Ready, fresh: boolean): number {
    const bytes = entry === null ? 0 : entryRecordBytes(entry);
    if (!fresh) return bytes;
    const founding = log.foundingSegment === this.#segment;
    return bytes + 2 * rowBytes + (founding ? foundingRecordBytes(log.founding!) : 0);
  }

  #isNeeded({ log, entry, place }: Ready): boolean {
    if (entry !== null) return this.#index.placeAt(log, entry.index) === place;
    return this.#needsRow(log);
  }

  #needsRow({ rowSegment, foundingSegment, baseSegment }: ReplicaLog): boolean {
    return [rowSegment, foundingSegment, baseSegment].includes(this.#segment);
  }

  #push(ready: Ready): void {
    this.#ready.push(ready);
    this.#readyBytes += readyBytesOf(ready);
  }
}

function readyBytesOf({ entry }: Ready): number {
  return entry === null ? 0 : entryRecordBytes(entry);
}
