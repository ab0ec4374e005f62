/**
 * The disk port over a folder. Data is on the device when `fdatasync` says so, a name when the folder was
 * synced; new files are written full of zeros, so that later writes change no metadata.
 */
import { mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { constants } from "node:fs";
import { join } from "node:path";
import type {
  Disk,
  DiskErrorCode,
  DiskEvents,
  DiskFile,
  DiskResult,
} from "../../core/ports/disk.js";
import { FileQueue } from "./file-queue.js";
import { lockFolder } from "./folder-lock.js";

export interface FolderDiskOptions {
  /** Files that are kept open while nothing is asked of them. Default 64. */
  readonly idleFilesMax?: number;
}

const done: DiskResult = { ok: true, bytes: null, files: null };

export class FolderDisk implements Disk {
  readonly #folder: string;
  readonly #directory: FileHandle;
  readonly #events: DiskEvents;
  readonly #idleFilesMax: number;
  /** By name. Those that are idle stay, the one that has been so longest first, to be open already. */
  readonly #files = new Map<string, FileQueue>();
  /** Operations that are not ended. */
  readonly #underWay = new Set<Promise<void>>();
  #closed = false;

  private constructor(
    folder: string,
    directory: FileHandle,
    events: DiskEvents,
    { idleFilesMax = 64 }: FolderDiskOptions,
  ) {
    this.#folder = folder;
    this.#directory = directory;
    this.#events = events;
    this.#idleFilesMax = idleFilesMax;
  }

  /**
   * Makes the folder if need be, and keeps other processes out of it until `close` or the end of this one.
   *
   * @throws Error in words when another process has it
   */
  static async open(
    folder: string,
    events: DiskEvents,
    options: FolderDiskOptions = {},
  ): Promise<FolderDisk> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const directory = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await lockFolder(folder, directory);
    } catch (error) {
      await directory.close();
      throw error;
    }
    return new FolderDisk(folder, directory, events, options);
  }

  /** Ends what is under way and lets go of the folder. Nothing may be asked afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    for (const file of this.#files.values()) await file.close();
    await this.#directory.close();
  }

  create(op: number, file: string, sizeBytes: number): void {
    this.#run(op, file, async (queue) => {
      await queue.create(sizeBytes);
      return done;
    });
  }

  write(op: number, file: string, offset: number, bytes: Uint8Array): void {
    const queue = this.#queueOf(file);
    this.#track((ended) =>
      queue.write({
        offset,
        bytes,
        ended: (error) => {
          this.#events.diskDone(op, error === null ? done : failure(error));
          ended();
        },
      }),
    );
  }

  sync(op: number, file: string): void {
    this.#run(op, file, async (queue) => {
      const handle = await queue.handle();
      // Once it has failed the system may have dropped what it could not write, and succeed next time.
      if (queue.spoilt) return { ok: false, error: "ioError" };
      queue.spoilt = true;
      await handle.datasync();
      queue.spoilt = false;
      return done;
    });
  }

  read(op: number, file: string, offset: number, lengthBytes: number): void {
    this.#run(op, file, async (queue) => {
      const handle = await queue.handle();
      const bytes = new Uint8Array(lengthBytes);
      let length = 0;
      while (length < lengthBytes) {
        const at = offset + length;
        const { bytesRead } = await handle.read(bytes, length, lengthBytes - length, at);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return { ok: true, bytes: bytes.subarray(0, length), files: null };
    });
  }

  truncate(op: number, file: string, sizeBytes: number): void {
    this.#run(op, file, async (queue) => {
      await (await queue.handle()).truncate(sizeBytes);
      return done;
    });
  }

  rename(op: number, from: string, to: string): void {
    const target = this.#queueOf(to);
    let reached = (): void => {};
    const isReached = new Promise<void>((resolve) => (reached = resolve));
    let renamed = (): void => {};
    const isRenamed = new Promise<void>((resolve) => (renamed = resolve));
    // Both files stand still meanwhile.
    if (from !== to) {
      target.run(async () => {
        reached();
        await isRenamed;
      });
    } else reached();
    this.#run(op, from, async (queue) => {
      try {
        await isReached;
        await queue.close();
        await target.close();
        await rename(queue.path, target.path);
        if (target !== queue) {
          target.spoilt = queue.spoilt;
          queue.spoilt = false;
        }
        return done;
      } finally {
        renamed();
      }
    });
  }

  remove(op: number, file: string): void {
    this.#run(op, file, async (queue) => {
      await queue.close();
      await unlink(queue.path);
      queue.spoilt = false;
      return done;
    });
  }

  list(op: number): void {
    this.#afterAll(op, async () => {
      const entries = await readdir(this.#folder, { withFileTypes: true });
      const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
      const files = names.sort().map(async (name): Promise<DiskFile> => {
        const { size } = await stat(join(this.#folder, name));
        return { name, sizeBytes: size };
      });
      return { ok: true, bytes: null, files: await Promise.all(files) };
    });
  }

  syncDirectory(op: number): void {
    this.#afterAll(op, async () => {
      await this.#directory.sync();
      return done;
    });
  }

  #run(op: number, file: string, work: (queue: FileQueue) => Promise<DiskResult>): void {
    const queue = this.#queueOf(file);
    this.#track((ended) =>
      queue.run(async () => {
        this.#events.diskDone(op, await work(queue).catch(failure));
        ended();
      }),
    );
  }

  /** What concerns all names covers every operation that was asked for before it. */
  #afterAll(op: number, work: () => Promise<DiskResult>): void {
    const before = [...this.#underWay];
    this.#track((ended) => {
      void Promise.all(before)
        .then(work)
        .catch(failure)
        .then((result) => {
          this.#events.diskDone(op, result);
          ended();
        });
    });
  }

  #track(begin: (ended: () => void) => void): void {
    if (this.#closed) throw new Error(`${this.#folder} is closed`);
    let ended = (): void => {};
    const promise = new Promise<void>((resolve) => (ended = resolve));
    this.#underWay.add(promise);
    begin(() => {
      this.#underWay.delete(promise);
      ended();
    });
  }

  #queueOf(file: string): FileQueue {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(file)) throw new Error(`no name of a file: ${file}`);
    const known = this.#files.get(file);
    if (known !== undefined) {
      // The newest in use comes last.
      this.#files.delete(file);
      this.#files.set(file, known);
      return known;
    }
    const queue = new FileQueue(join(this.#folder, file), () => this.#forgetIdle());
    this.#files.set(file, queue);
    return queue;
  }

  /** A spoilt file is remembered: only a restart of the process makes it good. */
  #forgetIdle(): void {
    let surplus = this.#files.size - this.#idleFilesMax;
    for (const [name, queue] of this.#files) {
      if (surplus <= 0) return;
      if (!queue.idle || queue.spoilt) continue;
      surplus--;
      this.#files.delete(name);
      void queue.close();
    }
  }
}

const codes: Readonly<Record<string, DiskErrorCode>> = {
  ENOENT: "notFound",
  ENOSPC: "noSpace",
  EDQUOT: "noSpace",
};

function failure(error: unknown): DiskResult {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return { ok: false, error: codes[code] ?? "ioError" };
}
