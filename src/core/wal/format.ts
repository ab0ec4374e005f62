/**
 * Makes an empty disk one of ours: ring files, the first segment, and last the two copies of the
 * identity, so that a crash on the way leaves a disk that still counts as unformatted.
 */
import { type DiskResult, sectorBytes } from "../ports/disk.js";
import type { WalContext } from "./context.js";
import { ringFiles } from "./header-ring.js";
import { encodeIdentity, identityFiles } from "./identity.js";
import { encodeSegmentHead, segmentFile, segmentNumber, segmentSalt } from "./segment.js";

export class Formatter {
  /** Null while it works, "" when it is done, else what went wrong. */
  outcome: string | null = null;
  readonly #context: WalContext;
  readonly #disk: number;
  readonly #bootFloor: number;
  #op = 0;
  #jobs: ((op: number) => void)[] = [];
  #listing = false;

  constructor(context: WalContext, disk: number, bootFloor: number) {
    this.#context = context;
    this.#disk = disk;
    this.#bootFloor = bootFloor;
  }

  start(): void {
    this.#listing = true;
    this.#submit((op) => this.#context.disk.list(op));
  }

  /** False: not an operation of this one. */
  diskDone(op: number, result: DiskResult): boolean {
    if (op !== this.#op || op === 0) return false;
    this.#op = 0;
    if (!result.ok) {
      this.outcome =
        result.error === "noSpace"
          ? "the disk has no room for the first segment of the log"
          : "the disk failed while it was formatted";
      return true;
    }
    if (this.#listing) {
      this.#listing = false;
      this.#jobs = this.#plan(result.files?.map(({ name }) => name) ?? []);
    }
    const next = this.#jobs.shift();
    if (next === undefined) this.outcome = "";
    else this.#submit(next);
    return true;
  }

  #plan(names: readonly string[]): ((op: number) => void)[] {
    const { disk, options, crc32 } = this.#context;
    const segment = 1;
    const boot = this.#bootFloor;
    const salt = segmentSalt(this.#disk, boot, segment, crc32);
    const head = { disk: this.#disk, boot, segment, salt };
    const file = segmentFile(segment);
    const jobs: ((op: number) => void)[] = [];
    for (const name of names) {
      if (!isLogFile(name)) continue;
      jobs.push((op) => disk.remove(op, name));
    }
    for (const ring of ringFiles) {
      jobs.push((op) => disk.create(op, ring, options.ringSlots * sectorBytes));
      jobs.push((op) => disk.sync(op, ring));
    }
    jobs.push(
      (op) => disk.create(op, file, options.segmentBytes),
      (op) => disk.write(op, file, 0, encodeSegmentHead(head, crc32)),
      (op) => disk.sync(op, file),
      (op) => disk.syncDirectory(op),
    );
    const identity = { disk: this.#disk, bootFloor: this.#bootFloor };
    for (const copy of identityFiles) {
      jobs.push(
        (op) => disk.write(op, copy, 0, encodeIdentity(identity, crc32)),
        (op) => disk.sync(op, copy),
      );
    }
    jobs.push((op) => disk.syncDirectory(op));
    return jobs;
  }

  #submit(job: (op: number) => void): void {
    this.#op = this.#context.nextOp();
    job(this.#op);
  }
}

/** Leftovers of a format that was cut short. */
function isLogFile(name: string): boolean {
  if (segmentNumber({ name, sizeBytes: 0 }) >= 0) return true;
  return [...ringFiles, ...identityFiles].includes(name);
}
