/**
 * The spare segment: made, or recycled from one that is void, headed and made durable before any
 * batch needs it. Lack of space is met here and nowhere else.
 */
import type { DiskResult } from "../ports/disk.js";
import type { WalContext } from "./context.js";
import type { SegmentState } from "./log-index.js";
import { encodeSegmentHead, segmentFile, segmentHeadBytes, segmentSalt } from "./segment.js";

type Step = "none" | "create" | "rename" | "remove" | "head" | "sync" | "directory";

export type SpareOutcome = "working" | "ready" | "noSpace" | "failed";

export class Spare {
  /** Durable and empty; null while there is none. */
  ready: SegmentState | null = null;
  readonly #context: WalContext;
  #step: Step = "none";
  #op = 0;
  #segment = 0;
  #salt = 0;

  constructor(context: WalContext) {
    this.#context = context;
  }

  get working(): boolean {
    return this.#step !== "none";
  }

  /** Makes segment number `segment`, out of the file `recycled` where one is given. */
  start(segment: number, disk: number, boot: number, recycled: string | null): void {
    this.#segment = segment;
    this.#salt = segmentSalt(disk, boot, segment, this.#context.crc32);
    this.#head = encodeSegmentHead({ disk, boot, segment, salt: this.#salt }, this.#context.crc32);
    const file = segmentFile(segment);
    if (recycled === null) {
      this.#submit("create", (op) => {
        this.#context.disk.create(op, file, this.#context.options.segmentBytes);
      });
    } else if (recycled === file) {
      this.#writeHead();
    } else {
      this.#submit("rename", (op) => {
        this.#context.disk.rename(op, recycled, file);
      });
    }
  }

  /** Null: not an operation of this one. */
  diskDone(op: number, result: DiskResult): SpareOutcome | null {
    if (op !== this.#op || op === 0) return null;
    this.#op = 0;
    const step = this.#step;
    this.#step = "none";
    if (step === "remove") return "noSpace";
    if (!result.ok) return this.#refused(step, result.error);
    const file = segmentFile(this.#segment);
    switch (step) {
      case "create":
      case "rename":
        this.#writeHead();
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
        return "ready";
    }
  }

  #head: Uint8Array = new Uint8Array(0);

  #writeHead(): void {
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
  };
}
