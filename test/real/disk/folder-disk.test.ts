/** The disk of a real node, over folders of the machine. */
import { spawn } from "node:child_process";
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Disk, DiskResult } from "../../../src/core/ports/disk.js";
import { FolderDisk, type FolderDiskOptions } from "../../../src/real/disk/folder-disk.js";
import { diskConformance } from "../../conformance/disk.js";

let base: string;
const opened: Bench[] = [];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "quorumlab-disk-"));
});
afterEach(async () => {
  for (const bench of opened.splice(0)) await bench.close();
  rmSync(base, { recursive: true, force: true });
});

/** A disk, its answers in the order in which they came, and who waits for one. */
class Bench {
  readonly answers = new Map<number, DiskResult>();
  readonly #waiting = new Map<number, (result: DiskResult) => void>();
  #disk: FolderDisk | null = null;
  #ops = 1_000_000;

  static async open(folder: string, options: FolderDiskOptions = {}): Promise<Bench> {
    const bench = new Bench();
    bench.#disk = await FolderDisk.open(folder, bench, options);
    opened.push(bench);
    return bench;
  }

  get disk(): FolderDisk {
    return this.#disk!;
  }

  diskDone(op: number, result: DiskResult): void {
    expect(this.answers.has(op)).toBe(false);
    this.answers.set(op, result);
    this.#waiting.get(op)?.(result);
  }

  done(op: number): Promise<DiskResult> {
    const known = this.answers.get(op);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => this.#waiting.set(op, resolve));
  }

  run(ask: (disk: Disk, op: number) => void): Promise<DiskResult> {
    const op = ++this.#ops;
    ask(this.disk, op);
    return this.done(op);
  }

  async close(): Promise<void> {
    const disk = this.#disk;
    this.#disk = null;
    await disk?.close();
  }
}

const okay = { ok: true, bytes: null, files: null };
const ioError = { ok: false, error: "ioError" };
const textOf = (name: string): string => readFileSync(join(base, name), "latin1");
const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

diskConformance("a folder", async () => {
  const bench = await Bench.open(base);
  return { disk: bench.disk, done: (op) => bench.done(op), crash: null };
});

test("folder disk: writes that follow each other: each is answered, and all are there", async () => {
  const bench = await Bench.open(base);
  const all = Array.from({ length: 700 }, (_, n) =>
    bench.run((disk, op) => disk.write(op, "a", 3 * n, bytes(String(n % 1_000).padStart(3, "0")))),
  );
  const between = bench.run((disk, op) => disk.write(op, "a", 3, bytes("xyz")));
  expect(await Promise.all([...all, between])).toEqual(Array(701).fill(okay));
  const text = textOf("a");
  expect(text.length).toBe(2_100);
  expect(text.slice(0, 9)).toBe("000xyz002");
  expect(text.slice(-3)).toBe("699");
});

test("folder disk: a new file is zeros on the device, however large", async () => {
  const bench = await Bench.open(base);
  const sizeBytes = 3 * 1024 * 1024 + 7;
  expect(await bench.run((disk, op) => disk.create(op, "a", sizeBytes))).toEqual(okay);
  const { size, blocks } = statSync(join(base, "a"));
  expect(size).toBe(sizeBytes);
  // None of it is a hole: a later write needs no room.
  expect(blocks * 512).toBeGreaterThanOrEqual(sizeBytes);
  expect(readFileSync(join(base, "a")).every((byte) => byte === 0)).toBe(true);
});

test("folder disk: no room: said so, and a new file leaves nothing", async () => {
  const bench = await Bench.open(base);
  symlinkSync("/dev/full", join(base, "full"));
  const noSpace = { ok: false, error: "noSpace" };
  expect(await bench.run((disk, op) => disk.write(op, "full", 0, bytes("x")))).toEqual(noSpace);
  expect(await bench.run((disk, op) => disk.create(op, "full", 10))).toEqual(noSpace);
  expect(await bench.run((disk, op) => disk.read(op, "full", 0, 1))).toMatchObject({
    error: "notFound",
  });
});

test("folder disk: after a sync that failed none of that file succeeds any more", async () => {
  const bench = await Bench.open(base);
  // A device that cannot be synced, and then a file in its place.
  symlinkSync("/dev/null", join(base, "a"));
  expect(await bench.run((disk, op) => disk.sync(op, "a"))).toEqual(ioError);
  expect(await bench.run((disk, op) => disk.rename(op, "a", "b"))).toEqual(okay);
  rmSync(join(base, "b"));
  writeFileSync(join(base, "b"), "whole");
  expect(await bench.run((disk, op) => disk.sync(op, "b"))).toEqual(ioError);
  // Made anew it is the same file to the system; under the old name, or once removed, it is another.
  expect(await bench.run((disk, op) => disk.create(op, "b", 1))).toEqual(okay);
  expect(await bench.run((disk, op) => disk.rename(op, "b", "b"))).toEqual(okay);
  expect(await bench.run((disk, op) => disk.sync(op, "b"))).toEqual(ioError);
  expect(await bench.run((disk, op) => disk.remove(op, "b"))).toEqual(okay);
  for (const name of ["a", "b"]) {
    expect(await bench.run((disk, op) => disk.write(op, name, 0, bytes("new")))).toEqual(okay);
    expect(await bench.run((disk, op) => disk.sync(op, name))).toEqual(okay);
  }
});

test("folder disk: a rename waits for both files, and they for it", async () => {
  const bench = await Bench.open(base);
  const answers = await Promise.all([
    bench.run((disk, op) => disk.write(op, "new", 0, bytes("new"))),
    bench.run((disk, op) => disk.write(op, "old", 0, bytes("old and long"))),
    bench.run((disk, op) => disk.rename(op, "new", "old")),
    bench.run((disk, op) => disk.write(op, "old", 3, bytes("er"))),
    bench.run((disk, op) => disk.write(op, "new", 0, bytes("next"))),
    bench.run((disk, op) => disk.rename(op, "old", "old")),
    bench.run((disk, op) => disk.list(op)),
  ]);
  expect(answers.slice(0, -1)).toEqual(Array(6).fill(okay));
  expect(answers.at(-1)).toMatchObject({
    files: [
      { name: "new", sizeBytes: 4 },
      { name: "old", sizeBytes: 5 },
    ],
  });
  expect([textOf("old"), textOf("new")]).toEqual(["newer", "next"]);
});

test("folder disk: what concerns all names waits for what was asked before", async () => {
  const bench = await Bench.open(base);
  for (let n = 0; n < 50; n++)
    void bench.run((disk, op) => disk.create(op, `f${String(n).padStart(2, "0")}`, 100_000));
  const synced = await bench.run((disk, op) => disk.syncDirectory(op));
  expect(synced).toEqual(okay);
  // All before it are answered.
  expect(bench.answers.size).toBe(51);
});

test("folder disk: far more files than are kept open", async () => {
  const bench = await Bench.open(base, { idleFilesMax: 4 });
  const names = Array.from({ length: 60 }, (_, n) => `f${n}`);
  for (let round = 0; round < 3; round++) {
    const writes = names.map((name) =>
      bench.run((disk, op) => disk.write(op, name, round, bytes(String(round)))),
    );
    expect(await Promise.all(writes)).toEqual(Array(60).fill(okay));
  }
  for (const name of names) expect(textOf(name)).toBe("012");
  const ours = new Set(openFilesOf(process.pid).filter((path) => path.startsWith(base)));
  expect(ours.size).toBeLessThanOrEqual(5);
});

test("folder disk: a name that leads out of the folder is a fault of the caller", async () => {
  const bench = await Bench.open(base);
  for (const name of ["../x", "/etc/x", "", ".", "a/b", ".hidden"])
    expect(() => bench.disk.write(1, name, 0, bytes("x"))).toThrow("no name of a file");
});

test("folder disk: one process for a folder, until it lets go", async () => {
  const first = await Bench.open(base);
  await expect(Bench.open(base)).rejects.toThrow(`${base} is in use by another process`);
  await first.close();
  await Bench.open(base);
});

test("folder disk: a process that is killed lets go, and what it had synced is there", async () => {
  const script = fileURLToPath(new URL("write-and-wait.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, base], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
  await expect(Bench.open(base)).rejects.toThrow("in use");
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGKILL");
  await ended;
  const bench = await Bench.open(base);
  const read = await bench.run((disk, op) => disk.read(op, "a", 0, 99));
  expect(read.ok && Buffer.from(read.bytes!).toString()).toBe("synced");
});

function openFilesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return [readlinkSync(join(folder, fd))];
    } catch {
      return [];
    }
  });
}
