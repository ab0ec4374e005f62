/**
 * Reads the disk after a start: identity, ring, segments; has `analyse` judge what was found; reads
 * what looks broken again with care, for a read may lie; then mends what has a second copy, voids
 * what was cut, and makes the tail durable. The boot record is the log's own next batch.
 */
import { equalBytes } from "../bytes.js";
import { type DiskFile, type DiskResult, sectorBytes } from "../ports/disk.js";
import { type Analysis, type LoadedSnapshot, analyse } from "./analysis.js";
import type { WalContext } from "./context.js";
import { type RingSlot, readRing, ringFiles } from "./header-ring.js";
import { type Identity, encodeIdentity, identityFiles, readIdentity } from "./identity.js";
import { type SegmentImage, dirtySectors, staleSectors } from "./scan.js";
import { readSegmentHead, segmentFile, segmentHeadBytes, segmentNumber } from "./segment.js";

export type RecoveryOutcome =
  | { readonly kind: "unformatted" }
  | { readonly kind: "failed"; readonly reason: string }
  | {
      readonly kind: "analysed";
      readonly identity: Identity;
      readonly analysis: Analysis;
      /** A file that can become the spare segment; null: make one. */
      readonly spareFile: string | null;
    };

/** One operation of mending; `tolerant`: a file that is not there is as good. */
interface Job {
  readonly ask: (op: number) => void;
  readonly tolerant: boolean;
}

export class Recovery {
  outcome: RecoveryOutcome | null = null;
  readonly #context: WalContext;
  readonly #snapshots: readonly LoadedSnapshot[];
  #op = 0;
  #then: (result: DiskResult) => void = () => undefined;
  #files: readonly DiskFile[] = [];
  #identity: Identity | null = null;
  /** Which of the two copies must be written again. */
  #broken: [boolean, boolean] = [false, false];
  #ring: RingSlot[] = [];
  /** What was read looked damaged: nothing is believed any more that was read once. */
  #careful = false;
  /** What the piece that is being read answered the last time. */
  #lastRead: Uint8Array | null = null;

  constructor(context: WalContext, snapshots: readonly LoadedSnapshot[]) {
    this.#context = context;
    this.#snapshots = snapshots;
  }

  start(): void {
    this.#ask(
      (op) => {
        this.#context.disk.list(op);
      },
      (result) => {
        if (!result.ok || result.files === null) this.#fail("the directory cannot be read");
        else {
          this.#files = result.files;
          this.#readIdentity();
        }
      },
    );
  }

  /** False: not an operation of this one. */
  diskDone(op: number, result: DiskResult): boolean {
    if (op !== this.#op || op === 0) return false;
    this.#op = 0;
    this.#then(result);
    return true;
  }

  #readIdentity(): void {
    this.#readFiles([...identityFiles], (contents) => {
      const copies = contents.map((bytes) => readIdentity(bytes, this.#context.crc32));
      const newer = copies.find((copy) => typeof copy === "number");
      if (typeof newer === "number") {
        this.#fail(`format version ${newer} wrote this disk; start a version that knows it`);
        return;
      }
      const [first, second] = copies as [Identity | null, Identity | null];
      this.#identity = first ?? second;
      this.#broken = [first === null, second === null];
      this.#readSegments();
    });
  }

  #readSegments(): void {
    const segments = this.#files.filter((file) => segmentNumber(file) >= 0);
    if (segments.length === 0) {
      if (this.#identity === null) this.outcome = { kind: "unformatted" };
      else this.#fail("not one segment of the log is left; wipe this disk and format it again");
      return;
    }
    const names = segments.map(({ name }) => name);
    this.#readFiles([...ringFiles, ...names], (contents) => {
      const images = segments.map((file, at): SegmentImage => {
        return { segment: segmentNumber(file), bytes: contents[at + ringFiles.length]! };
      });
      this.#judge(images, contents.slice(0, ringFiles.length));
    });
  }

  #judge(images: readonly SegmentImage[], rings: readonly Uint8Array[]): void {
    const identity = this.#identity ?? identityOf(images, this.#context);
    if (identity === null) {
      this.outcome = { kind: "unformatted" };
      return;
    }
    const { disk, bootFloor } = identity;
    this.#ring = rings.flatMap((bytes) => readRing(bytes, disk, this.#context.crc32));
    const input = { disk, bootFloor, images, ring: this.#ring, snapshots: this.#snapshots };
    const analysis = analyse(input, this.#context);
    // Of what no batch tells only a second reading can show that a first one told nothing of it.
    if ((analysis.doubtful || analysis.anySealed) && !this.#careful) {
      if (analysis.doubtful) this.#context.marks.hit("readAgain");
      this.#careful = true;
      this.#readSegments();
      return;
    }
    if (analysis.refusal !== null) this.#fail(analysis.refusal);
    else if (this.#identity === null && analysis.batches === 0) {
      this.outcome = { kind: "unformatted" };
    } else this.#mend(identity, analysis);
  }

  #mend(identity: Identity, analysis: Analysis): void {
    const jobs: Job[] = [];
    this.#mendIdentity(identity, jobs);
    this.#mendRing(jobs);
    const { disk, crc32 } = this.#context;
    const found = analysis.scanned.find(({ image }) => image.segment === analysis.tailSegment);
    if (found !== undefined && !found.foreign) {
      const file = segmentFile(analysis.tailSegment);
      // What was cut must be void before anything is written over its first sectors: else its last
      // ones would look like damage behind them. Pieces of sealed records must not stay at all.
      const stale = analysis.anySealed
        ? dirtySectors(found, analysis.tailEnd)
        : staleSectors(found, analysis.tailEnd, crc32);
      if (stale !== null) {
        const zeros = new Uint8Array(stale.end - stale.first);
        jobs.push(job((op) => disk.write(op, file, stale.first, zeros)));
      }
      // A batch may be whole though its sync never returned.
      jobs.push(job((op) => disk.sync(op, file)));
    }
    const spare = this.#sortSegments(analysis, jobs);
    jobs.push(job((op) => disk.syncDirectory(op)));
    this.#run(jobs, 0, () => {
      this.outcome = { kind: "analysed", identity, analysis, spareFile: spare };
    });
  }

  #mendIdentity(identity: Identity, jobs: Job[]): void {
    const { disk, crc32, marks } = this.#context;
    for (const which of [0, 1] as const) {
      if (!this.#broken[which]) continue;
      const file = identityFiles[which];
      marks.hit("identityRepaired");
      jobs.push(job((op) => disk.write(op, file, 0, encodeIdentity(identity, crc32))));
      jobs.push(job((op) => disk.sync(op, file)));
    }
  }

  #mendRing(jobs: Job[]): void {
    const { disk, options } = this.#context;
    const sizeBytes = options.ringSlots * sectorBytes;
    for (const file of ringFiles) {
      const found = this.#files.find(({ name }) => name === file);
      if (found?.sizeBytes === sizeBytes) continue;
      if (found !== undefined) jobs.push(job((op) => disk.remove(op, file), true));
      jobs.push(job((op) => disk.create(op, file, sizeBytes)));
      jobs.push(job((op) => disk.sync(op, file)));
    }
  }

  /** Removes what is void; returns the file behind the tail when it can be the spare. */
  #sortSegments(analysis: Analysis, jobs: Job[]): string | null {
    const { disk, options } = this.#context;
    let spare: string | null = null;
    for (const file of [...this.#files].reverse()) {
      const segment = segmentNumber(file);
      if (segment < 0) continue;
      if (segment === analysis.tailSegment + 1 && file.sizeBytes === options.segmentBytes) {
        spare = file.name;
      } else if (segment < analysis.oldestSegment || segment > analysis.tailSegment) {
        jobs.push(job((op) => disk.remove(op, file.name), true));
      }
    }
    return spare;
  }

  #run(jobs: readonly Job[], at: number, done: () => void): void {
    const next = jobs[at];
    if (next === undefined) {
      done();
      return;
    }
    this.#ask(next.ask, (result) => {
      if (result.ok || (next.tolerant && result.error === "notFound"))
        this.#run(jobs, at + 1, done);
      else if (result.error === "noSpace") {
        this.#fail("the disk is full: the node needs room for two ring files and a boot record");
      } else this.#fail("the disk failed while the log was recovered");
    });
  }

  /** Whole files, each as long as it is listed to be; missing ones are empty. */
  #readFiles(names: readonly string[], then: (contents: Uint8Array[]) => void): void {
    const contents = names.map((name) => {
      return new Uint8Array(this.#files.find((file) => file.name === name)?.sizeBytes ?? 0);
    });
    this.#readPiece(names, contents, 0, 0, 1, then);
  }

  /**
   * A piece that cannot be read, however often one tries, stays zeros: it is damaged. The first time
   * each is read once. Once that looked damaged, each is read until two answers in a row agree:
   * were the whole log read again instead, another piece might come wrong each time.
   */
  #readPiece(
    names: readonly string[],
    contents: Uint8Array[],
    which: number,
    offset: number,
    attempt: number,
    then: (contents: Uint8Array[]) => void,
  ): void {
    const content = contents[which];
    if (content === undefined) {
      then(contents);
      return;
    }
    if (offset >= content.length) {
      this.#readPiece(names, contents, which + 1, 0, 1, then);
      return;
    }
    const { readBytesMax, readAttemptsMax } = this.#context.options;
    const count = Math.min(readBytesMax, content.length - offset);
    this.#ask(
      (op) => {
        this.#context.disk.read(op, names[which]!, offset, count);
      },
      (result) => {
        const bytes = result.ok ? (result.bytes?.subarray(0, count) ?? null) : null;
        const believed = bytes !== null && this.#isBelieved(bytes);
        if (!believed && attempt <= readAttemptsMax) {
          this.#lastRead = bytes;
          this.#readPiece(names, contents, which, offset, attempt + 1, then);
          return;
        }
        this.#lastRead = null;
        if (bytes !== null) content.set(bytes, offset);
        this.#readPiece(names, contents, which, offset + count, 1, then);
      },
    );
  }

  #isBelieved(bytes: Uint8Array): boolean {
    return !this.#careful || (this.#lastRead !== null && equalBytes(bytes, this.#lastRead));
  }

  #ask(submit: (op: number) => void, then: (result: DiskResult) => void): void {
    this.#op = this.#context.nextOp();
    this.#then = then;
    submit(this.#op);
  }

  #fail(reason: string): void {
    this.outcome = { kind: "failed", reason };
  }
}

function job(ask: (op: number) => void, tolerant = false): Job {
  return { ask, tolerant };
}

/** When both copies of the identity are gone, the segments still tell whose disk this is. */
function identityOf(images: readonly SegmentImage[], context: WalContext): Identity | null {
  for (const { bytes } of images) {
    const head = readSegmentHead(bytes.subarray(0, segmentHeadBytes), context.crc32);
    if (head !== null) return { disk: head.disk, bootFloor: head.boot };
  }
  return null;
}
