/**
 * Segments that nobody needs any more: retired until a batch that says so is durable, then kept to
 * become the next spare, or removed. A file in which something is sealed counts as there until its
 * removal is durable: a name whose removal was not synced can come back.
 */
import type { DiskResult } from "../ports/disk.js";
import type { WalContext } from "./context.js";
import type { SegmentState } from "./log-index.js";
import type { ReplicaKey } from "./log-store.js";
import { type SealedEpochs, holds } from "./sealed.js";
import { segmentFile } from "./segment.js";

export interface VoidFile {
  readonly file: string;
  /** Of all that stands in it. */
  readonly sealed: SealedEpochs | null;
  /** True: what is sealed in it must not stay. */
  readonly dirty: boolean;
}

/** Never a segment's number: whatever the log begins with, a start removes such a file. */
const reserveFile: string = segmentFile(0);

export class VoidFiles {
  /** What the next spare is made of; null: nothing is kept. */
  kept: VoidFile | null = null;
  readonly #context: WalContext;
  #retired: SegmentState[] = [];
  /** By the operation under way: a removal, or the sync that makes it last. */
  readonly #going = new Map<number, { readonly left: VoidFile; readonly removed: boolean }>();
  /** Something is sealed in them, and they could not be removed. */
  #stuck: VoidFile[] = [];
  #reserveOp = 0;

  constructor(context: WalContext) {
    this.#context = context;
  }

  /** Before a batch that says that they are void is durable. */
  get retired(): readonly SegmentState[] {
    return this.#retired;
  }

  retire(state: SegmentState): void {
    this.#retired.push(state);
  }

  /**
   * The log durably begins at `oldestSegment`. One file is kept, the others go. Nothing sealed may
   * stay in those before `dirtyBefore`.
   */
  release(oldestSegment: number, dirtyBefore: number): void {
    const later: SegmentState[] = [];
    for (const state of this.#retired) {
      if (state.segment >= oldestSegment) {
        later.push(state);
        continue;
      }
      const { segment, sealed } = state;
      const dirty = sealed !== null && segment < dirtyBefore;
      const left: VoidFile = { file: segmentFile(segment), sealed, dirty };
      const fits = state.sizeBytes === this.#context.options.segmentBytes;
      if (this.kept === null && fits) this.kept = left;
      else this.#remove(left);
    }
    this.#retired = later;
  }

  /** The kept file, which is the caller's now. */
  take(): VoidFile | null {
    const { kept } = this;
    this.kept = null;
    return kept;
  }

  /** The kept file goes. */
  drop(): void {
    const kept = this.take();
    if (kept !== null) this.#remove(kept);
  }

  /** Makes a file to be kept, where there is room for one more. */
  reserve(): void {
    const { disk, nextOp, options } = this.#context;
    if (this.reserving) return;
    this.#reserveOp = nextOp();
    disk.create(this.#reserveOp, reserveFile, options.segmentBytes);
  }

  get reserving(): boolean {
    return this.#reserveOp !== 0;
  }

  get stuck(): boolean {
    return this.#stuck.length > 0;
  }

  /** Tries again to remove what could not be. */
  retry(): void {
    for (const left of this.#stuck.splice(0)) this.#remove(left);
  }

  /** Of every file of these that is still there, or may be again after a crash. */
  holdsBelow(key: ReplicaKey, epoch: number): boolean {
    const going = [...this.#going.values()].map(({ left }) => left);
    const files = [...this.#retired, ...going, ...this.#stuck];
    if (this.kept !== null && holds(this.kept.sealed, key, epoch)) return true;
    return files.some(({ sealed }) => holds(sealed, key, epoch));
  }

  /** False: not an operation of these files. */
  diskDone(op: number, result: DiskResult): boolean {
    if (op === this.#reserveOp && op !== 0) {
      this.#reserveOp = 0;
      const reserve = { file: reserveFile, sealed: null, dirty: false };
      if (result.ok && this.kept === null) this.kept = reserve;
      else if (result.ok) this.#remove(reserve);
      return true;
    }
    const going = this.#going.get(op);
    if (going === undefined) return false;
    this.#going.delete(op);
    const { left, removed } = going;
    // A void segment that stays is removed by the next start; one with something sealed sooner.
    if (left.sealed === null) return true;
    const done = result.ok || (!removed && result.error === "notFound");
    if (!done) this.#stuck.push(left);
    else if (!removed) {
      const next = this.#context.nextOp();
      this.#going.set(next, { left, removed: true });
      this.#context.disk.syncDirectory(next);
    }
    return true;
  }

  #remove(left: VoidFile): void {
    this.#context.marks.hit("segmentRemoved");
    const op = this.#context.nextOp();
    this.#going.set(op, { left, removed: false });
    this.#context.disk.remove(op, left.file);
  }
}
