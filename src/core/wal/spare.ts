/**
 * The spare segment: made, or recycled from one that is void, headed and made durable before any
 * batch needs it. Lack of space is met here and nowhere else.
 *
 * What an earlier use left in a recycled file stays there until batches overwrite it. Where that may
 * not be, the file is zeroed first: in place, so that its room is never given up.
 */
import type { DiskResult } from "../ports/disk.js";
import type { WalContext } from "./context.js";
import type { VoidFile } from "./void-files.js";
import type { SegmentState } from "./log-index.js";
import type { SealedEpochs } from "./sealed.js";
import { encodeSegmentHead, segmentFile, segmentHeadBytes, segmentSalt } from "./segment.js";

type Step =
  "none" | "create" | "rename" | "zero" | "head" | "sync" | "directory" | "remove" | "removed";

export type SpareOutcome = "working" | "ready" | "noSpace" | "failed";

export class Spare {
  /** Durable and empty; null while there is none. */
  ready: SegmentState | null = null;
  /** True: what is sealed in its file must go before a batch is written to it. */
  dirty = false;
  readonly #context: WalContext;
  #step: Step = "none";
  #op = 0;
  #segment = 0;
  #salt = 0;
  /** Of the file that is being worked on, or that could not be removed. */
  #sealed: SealedEpochs | null = null;
  /** Zeros are written up to here; -1: they are not asked for. */
  #zeroed = -1;

  constructor(context: WalContext) {
    this.#context = context;
  }

  get working(): boolean {
    return this.#step !== "none";
  }

  /** What is sealed in its file, be it ready or not. */
  get sealed(): SealedEpochs | null {
    return this.ready === null ? this.#sealed : this.ready.sealed;
  }

  /** Makes segment number `segment`, out of the file `recycled` where one is given. */
  start(segment: number, disk: number, boot: number, recycled: VoidFile | null): void {
    this.ready = null;
    this.dirty = false;
    this.#sealed = recycled?.sealed ?? null;
    this.#zeroed = recycled?.dirty === true ? 0 : -1;
    this.#segment = segment;
    this.#salt = segmentSalt(disk, boot, segment, this.#context.crc32);
    this.#head = encodeSegmentHead({ disk, boot, segment, salt: this.#salt }, this.#context.crc32);
    const file = segmentFile(segment);
    if (recycled === null) {
      this.#submit("create", (op) => {
        this.#context.disk.create(op, file, this.#context.options.segmentBytes);
      });
    } else if (recycled.file === file) {
      this.#overwrite();
    } else {
      this.#submit("rename", (op) => {
        this.#context.disk.rename(op, recycled.file, file);
      });
    }
  }

  /** Null: not an operation of this one. */
  diskDone(op: number, result: DiskResult): SpareOutcome | null {
    if (op !== this.#op || op === 0) return null;
    this.#op = 0;
    const step = this.#step;
    this.#step = "none";
    if (step === "remove") return this.#removed(result);
    if (step === "removed") {
      if (result.ok) this.#sealed = null;
      return "noSpace";
    }
    if (!result.ok) return this.#refused(step, result.error);
    const file = segmentFile(this.#segment);
    switch (step) {
      case "create":
      case "rename":
      case "zero":
        this.#overwrite();
        return "working";
      case "head":
        this.#submit("sync", (next) => {
          this.#context.disk.sync(next, file);
        });
        return "working";
      case "sync":
        this.#submit("directory", (next) => {
          this.#context.disk.syncDirectory(next);
        });
        return "working";
      default:
        this.ready = emptySegment(this.#segment, this.#context.options.segmentBytes, this.#salt);
        if (this.#zeroed < 0) this.ready.sealed = this.#sealed;
        this.#sealed = null;
        return "ready";
    }
  }

  #head: Uint8Array = new Uint8Array(0);

  /** Zeros where they are asked for, a piece at a time, then the head. */
  #overwrite(): void {
    const { disk, options } = this.#context;
    const at = this.#zeroed;
    if (at >= 0 && at < options.segmentBytes) {
      const count = Math.min(options.readBytesMax, options.segmentBytes - at);
      this.#zeroed += count;
      this.#submit("zero", (op) => {
        disk.write(op, segmentFile(this.#segment), at, new Uint8Array(count));
      });
      return;
    }
    const head = this.#head;
    this.#submit("head", (op) => {
      this.#context.disk.write(op, segmentFile(this.#segment), 0, head);
    });
  }

  /** No room leaves no file; a file that could not be headed is dropped, never written again. */
  #refused(step: Step, error: string): SpareOutcome {
    if (error !== "noSpace") return "failed";
    if (step === "create") return "noSpace";
    this.#submit("remove", (op) => {
      this.#context.disk.remove(op, segmentFile(this.#segment));
    });
    return "working";
  }

  /** What was sealed in it may only be forgotten once its name cannot come back. */
  #removed(result: DiskResult): SpareOutcome {
    const gone = result.ok || result.error === "notFound";
    if (this.#sealed === null || !gone) return "noSpace";
    this.#submit("removed", (op) => {
      this.#context.disk.syncDirectory(op);
    });
    return "working";
  }

  #submit(step: Step, ask: (op: number) => void): void {
    this.#step = step;
    this.#op = this.#context.nextOp();
    ask(this.#op);
  }
}

export function emptySegment(segment: number, sizeBytes: number, salt: number): SegmentState {
  return {
    segment,
    sizeBytes,
    salt,
    end: segmentHeadBytes,
    firstLsn: 0,
    live: 0,
    rows: 0,
    pinned: false,
    touched: [],
    sealed: null,
  };
}
