/**
 * Which segment a batch goes to, and what there is behind it: the spare, the void files, and whether
 * space is short. Without a spare the rest of the current segment is what is kept for essential
 * batches.
 */
import type { DiskResult } from "../ports/disk.js";
import { sectorBytes } from "../ports/disk.js";
import type { Checkpointer, CleaningReason } from "./checkpoint.js";
import type { WalContext } from "./context.js";
import type { LogIndex, SegmentState } from "./log-index.js";
import { segmentFile } from "./segment.js";
import { Spare, type SpareOutcome } from "./spare.js";
import { Vacating } from "./vacating.js";
import { type VoidFile, VoidFiles } from "./void-files.js";

export class Room {
  /** There is no room for ordinary batches: no spare could be made. */
  low = false;
  readonly vacating: Vacating;
  readonly #context: WalContext;
  readonly #index: LogIndex;
  readonly #checkpointer: Checkpointer;
  readonly #spare: Spare;
  readonly #voids: VoidFiles;
  #disk = 0;
  #boot = 0;
  #askedUs = -1;

  constructor(context: WalContext, index: LogIndex, checkpointer: Checkpointer) {
    this.#context = context;
    this.#index = index;
    this.#checkpointer = checkpointer;
    this.#spare = new Spare(context);
    this.#voids = new VoidFiles(context);
    const parts = { spare: this.#spare, voids: this.#voids, checkpointer };
    this.vacating = new Vacating(context, index, parts);
  }

  /** The first spare of a start: made of `left`, the file behind the tail, where there is one. */
  open(disk: number, boot: number, left: VoidFile | null): void {
    this.#disk = disk;
    this.#boot = boot;
    this.#startSpare(left);
  }

  /** A spare is being made. */
  get working(): boolean {
    return this.#spare.working;
  }

  /** The segment for a batch of so many bytes; null when it must be refused. */
  segmentFor(bytes: number, essential: boolean, nextLsn: number): SegmentState | null {
    const { current } = this.#index;
    const spare = this.#spare.ready;
    const stays = current !== null && this.vacating.successorOf(current) === null;
    if (stays && current.end + bytes <= current.sizeBytes) {
      if (spare !== null) return current;
      // Half of it is kept, or a quarter while a spare is still being made.
      const kept = current.sizeBytes / (this.#spare.working ? 4 : 2);
      const ordinary = current.end + bytes <= current.sizeBytes - kept;
      if (!ordinary && !essential) return null;
      if (!ordinary && this.low) this.#context.marks.hit("spareUsed");
      return current;
    }
    if (spare === null) return null;
    this.vacating.used(spare);
    this.#spare.ready = null;
    spare.firstLsn = nextLsn;
    this.#index.segments.push(spare);
    return spare;
  }

  /** Bytes of checkpoint rows that may ride on a batch of `bytes` in `segment`. */
  forRows(segment: SegmentState, bytes: number): number {
    const { batchBytesMax } = this.#context.options;
    // Rows may push records and footer over one more sector boundary each.
    const free = Math.min(segment.sizeBytes - segment.end, batchBytesMax) - bytes - 2 * sectorBytes;
    return this.#spare.ready === null ? Math.floor(free / 2) : free;
  }

  get cleaningReason(): CleaningReason {
    if (this.low) return "space";
    return this.vacating.empties ? "key" : "many";
  }

  retire(state: SegmentState): void {
    this.#voids.retire(state);
  }

  /** A batch that says that the log begins at `oldestSegment` is durable. */
  release(oldestSegment: number): void {
    this.#voids.release(oldestSegment, this.vacating.before);
    this.wantSpare();
  }

  wantSpare(): void {
    if (this.#spare.ready !== null || this.#spare.working) return;
    const kept = this.#voids.take();
    if (kept !== null) {
      this.#context.marks.hit("segmentRecycled");
      this.#startSpare(kept);
    } else if (!this.low) this.#startSpare(null);
  }

  /** Something was given up: room is looked for at once. */
  askSoon(): void {
    this.#askedUs = -1;
  }

  /** While space is short: asks for a spare now and then; returns when it will next. */
  askForSpare(nowUs: number): number {
    if (this.#spare.working || this.#spare.ready !== null) return Infinity;
    const { retrySpaceUs } = this.#context.options;
    if (this.#askedUs >= 0 && nowUs - this.#askedUs < retrySpaceUs) {
      return this.#askedUs + retrySpaceUs;
    }
    this.#askedUs = nowUs;
    this.#startSpare(null);
    return Infinity;
  }

  /**
   * While space is short; true when that needs a batch, of `emptyBytes` or more. One that carries
   * nothing on would only use up what is kept for essential batches.
   */
  clean(emptyBytes: number): boolean {
    this.#checkpointer.advance("space");
    const { nextBytes } = this.#checkpointer;
    const fits = nextBytes <= this.forRows(this.#index.current!, emptyBytes);
    return this.#index.oldestIsVoid || (nextBytes > 0 && fits);
  }

  /** For a data key that is to be erased; true when that needs a batch, of `emptyBytes` or more. */
  vacate(emptyBytes: number): boolean {
    const { ready, dirty } = this.#spare;
    if (ready !== null && dirty) this.#zeroSpare(ready);
    const current = this.#index.current!;
    if (this.vacating.successorOf(current) !== null) return true;
    if (!this.vacating.empties || this.#spare.ready === null) return false;
    this.#checkpointer.advance("key");
    const { nextBytes } = this.#checkpointer;
    const fits = nextBytes <= this.forRows(current, emptyBytes);
    const most = this.#context.options.batchBytesMax - emptyBytes - 2 * sectorBytes;
    // What fits into no batch stays where it is: a new segment would not help.
    if (!fits && nextBytes <= most) this.vacating.leave(current);
    return this.#index.oldestIsVoid || (nextBytes > 0 && fits);
  }

  /** False: not an operation on void files. */
  voidFileDone(op: number, result: DiskResult): boolean {
    return this.#voids.diskDone(op, result);
  }

  /** Null: not an operation on the spare. */
  spareDone(op: number, result: DiskResult): SpareOutcome | null {
    const outcome = this.#spare.diskDone(op, result);
    if (outcome === "noSpace") {
      this.#context.marks.hit("spareRefused");
      // A file may have become void since it was asked for.
      if (this.#voids.kept !== null) {
        this.wantSpare();
        return "working";
      }
    }
    if (outcome === "noSpace" || outcome === "ready") this.low = outcome === "noSpace";
    return outcome;
  }

  #zeroSpare({ segment, sealed }: SegmentState): void {
    const file = { file: segmentFile(segment), sealed, dirty: true };
    this.#spare.start(segment, this.#disk, this.#boot, file);
  }

  #startSpare(recycled: VoidFile | null): void {
    const next = (this.#index.current?.segment ?? 0) + 1;
    this.#spare.start(next, this.#disk, this.#boot, recycled);
  }
}
