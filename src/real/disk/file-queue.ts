/**
 * Operations on one file, one after the other in the order in which they were asked for. Writes that
 * follow each other in the file as in the queue are one call to the system.
 */
import type { FileHandle } from "node:fs/promises";
import { open, unlink } from "node:fs/promises";
import { constants } from "node:fs";

export interface QueuedWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** `error`: it failed, and nothing is known of what of it is in the file. */
  readonly ended: (error: unknown) => void;
}

type Queued =
  | ({ readonly kind: "write" } & QueuedWrite)
  /** Anything else. It answers itself, and never rejects. */
  | { readonly kind: "other"; readonly run: () => Promise<void> };

/** Buffers that one call takes (IOV_MAX is 1,024 on Linux). */
const writesPerCallMax = 256;
/** Zeros are written in pieces of so many bytes. */
const zerosBytes = 1024 * 1024;

export class FileQueue {
  readonly path: string;
  /** A sync has failed: what the system still holds of the file may be lost, whatever it says later. */
  spoilt = false;
  readonly #drained: (queue: FileQueue) => void;
  #queue: Queued[] = [];
  #running = false;
  #handle: FileHandle | null = null;

  /** `drained` hears of each time that nothing is left to do. */
  constructor(path: string, drained: (queue: FileQueue) => void) {
    this.path = path;
    this.#drained = drained;
  }

  get idle(): boolean {
    return !this.#running && this.#queue.length === 0;
  }

  get isOpen(): boolean {
    return this.#handle !== null;
  }

  write(write: QueuedWrite): void {
    this.#push({ kind: "write", ...write });
  }

  run(run: () => Promise<void>): void {
    this.#push({ kind: "other", run });
  }

  /** The file as it is; `makes`: it is made if it is not there. Within `run` only. */
  async handle(makes = false): Promise<FileHandle> {
    this.#handle ??= await open(
      this.path,
      constants.O_RDWR | (makes ? constants.O_CREAT : 0),
      0o600,
    );
    return this.#handle;
  }

  /** A new file of so many zeros; none is left when there is no room for it. Within `run` only. */
  async create(sizeBytes: number): Promise<void> {
    await this.close();
    const { O_RDWR, O_CREAT, O_TRUNC } = constants;
    const handle = await open(this.path, O_RDWR | O_CREAT | O_TRUNC, 0o600);
    this.#handle = handle;
    try {
      const zeros = new Uint8Array(Math.min(zerosBytes, sizeBytes));
      for (let at = 0; at < sizeBytes; at += zeros.length) {
        await writeAll(handle, [zeros.subarray(0, Math.min(zeros.length, sizeBytes - at))], at);
      }
    } catch (error) {
      await this.close();
      await unlink(this.path).catch(() => {});
      throw error;
    }
  }

  /** Within `run`, or while it is idle. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  #push(queued: Queued): void {
    this.#queue.push(queued);
    if (this.#running) return;
    this.#running = true;
    void this.#work();
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      const first = this.#queue[0]!;
      if (first.kind === "write") await this.#writeSome();
      else {
        this.#queue.shift();
        await first.run();
      }
    }
    this.#running = false;
    this.#drained(this);
  }

  async #writeSome(): Promise<void> {
    const writes: QueuedWrite[] = [];
    let end = -1;
    for (const queued of this.#queue) {
      if (queued.kind !== "write" || writes.length === writesPerCallMax) break;
      if (end >= 0 && queued.offset !== end) break;
      writes.push(queued);
      end = queued.offset + queued.bytes.length;
    }
    this.#queue.splice(0, writes.length);
    let failed: unknown = null;
    try {
      const buffers = writes.map(({ bytes }) => bytes);
      await writeAll(await this.handle(true), buffers, writes[0]!.offset);
    } catch (error) {
      failed = error;
    }
    for (const { ended } of writes) ended(failed);
  }
}

/** The system may take less than it was given. */
async function writeAll(
  handle: FileHandle,
  buffers: readonly Uint8Array[],
  offset: number,
): Promise<void> {
  let left = buffers.filter(({ length }) => length > 0);
  let at = offset;
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left, at);
    at += bytesWritten;
    let gone = bytesWritten;
    left = left.flatMap((bytes) => {
      const skipped = Math.min(gone, bytes.length);
      gone -= skipped;
      return skipped === bytes.length ? [] : [bytes.subarray(skipped)];
    });
  }
}
