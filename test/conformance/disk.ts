/** What every implementation of the Disk port must keep. Reaches into none of them. */
import { describe, expect, test } from "vitest";
import type { Disk, DiskResult } from "../../src/core/ports/disk.js";

/** A disk under test. */
export interface DiskUnderTest {
  readonly disk: Disk;
  /** Resolves with the answer of operation `op`, making the world go on where that is needed. */
  readonly done: (op: number) => DiskResult | Promise<DiskResult>;
  /** What a new process finds after the old one died; null where that cannot be tried. */
  readonly crash: (() => void | Promise<void>) | null;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const okay = { ok: true, bytes: null, files: null };

export function diskConformance(
  name: string,
  makeDisk: () => DiskUnderTest | Promise<DiskUnderTest>,
): void {
  describe(`disk conformance: ${name}`, () => {
    let ops = 0;

    /** One operation and its answer. */
    async function run(under: DiskUnderTest, submit: (op: number) => void): Promise<DiskResult> {
      const op = ++ops;
      submit(op);
      return await under.done(op);
    }

    async function read(
      under: DiskUnderTest,
      file: string,
      from = 0,
      count = 64,
    ): Promise<number[]> {
      const result = await run(under, (op) => under.disk.read(op, file, from, count));
      return result.ok ? [...result.bytes!] : [-1];
    }

    test("disk: a new file: is of the asked size and reads as zeros", async () => {
      const under = await makeDisk();
      expect(await run(under, (op) => under.disk.create(op, "a", 3))).toEqual(okay);
      expect(await read(under, "a")).toEqual([0, 0, 0]);
      const listed = await run(under, (op) => under.disk.list(op));
      expect(listed).toMatchObject({ ok: true, files: [{ name: "a", sizeBytes: 3 }] });
    });

    test("disk: a write: is read back before any sync, and grows the file", async () => {
      const under = await makeDisk();
      await run(under, (op) => under.disk.create(op, "a", 2));
      await run(under, (op) => under.disk.write(op, "a", 1, bytes(5, 6, 7)));
      expect(await read(under, "a")).toEqual([0, 5, 6, 7]);
      expect(await read(under, "a", 2, 1)).toEqual([6]);
      expect(await read(under, "a", 9, 1)).toEqual([]);
    });

    test("disk: a write to a file that is not there: makes it", async () => {
      const under = await makeDisk();
      await run(under, (op) => under.disk.write(op, "a", 1, bytes(7)));
      expect(await read(under, "a")).toEqual([0, 7]);
    });

    test("disk: truncate: cuts, and what grows again reads as zeros", async () => {
      const under = await makeDisk();
      await run(under, (op) => under.disk.create(op, "a", 0));
      await run(under, (op) => under.disk.write(op, "a", 0, bytes(1, 2, 3)));
      await run(under, (op) => under.disk.truncate(op, "a", 1));
      await run(under, (op) => under.disk.truncate(op, "a", 3));
      expect(await read(under, "a")).toEqual([1, 0, 0]);
    });

    test("disk: rename: replaces the target", async () => {
      const under = await makeDisk();
      await run(under, (op) => under.disk.create(op, "a", 1));
      await run(under, (op) => under.disk.create(op, "b", 2));
      await run(under, (op) => under.disk.rename(op, "a", "b"));
      const listed = await run(under, (op) => under.disk.list(op));
      expect(listed).toMatchObject({ ok: true, files: [{ name: "b", sizeBytes: 1 }] });
    });

    test("disk: list: is sorted by name", async () => {
      const under = await makeDisk();
      for (const file of ["b", "c", "a"]) await run(under, (op) => under.disk.create(op, file, 0));
      await run(under, (op) => under.disk.remove(op, "c"));
      const listed = await run(under, (op) => under.disk.list(op));
      expect(listed.ok && listed.files!.map((file) => file.name)).toEqual(["a", "b"]);
    });

    test("disk: a file that is not there: answers notFound", async () => {
      const under = await makeDisk();
      const absent = { ok: false, error: "notFound" };
      expect(await run(under, (op) => under.disk.read(op, "x", 0, 1))).toEqual(absent);
      expect(await run(under, (op) => under.disk.sync(op, "x"))).toEqual(absent);
      expect(await run(under, (op) => under.disk.truncate(op, "x", 0))).toEqual(absent);
      expect(await run(under, (op) => under.disk.rename(op, "x", "y"))).toEqual(absent);
      expect(await run(under, (op) => under.disk.remove(op, "x"))).toEqual(absent);
    });

    test("disk: operations on one file: end in the order of submission", async () => {
      const under = await makeDisk();
      await run(under, (op) => under.disk.create(op, "a", 0));
      const first = ++ops;
      under.disk.write(first, "a", 0, bytes(1, 1));
      const second = ++ops;
      under.disk.write(second, "a", 0, bytes(2));
      const third = ++ops;
      under.disk.read(third, "a", 0, 9);
      const result = await under.done(third);
      expect(result.ok && [...result.bytes!]).toEqual([2, 1]);
    });

    test("disk: a crash: what was synced, and named durably, is there", async () => {
      const under = await makeDisk();
      if (under.crash === null) return;
      await run(under, (op) => under.disk.create(op, "a", 4));
      await run(under, (op) => under.disk.write(op, "a", 0, bytes(1, 2)));
      expect(await run(under, (op) => under.disk.sync(op, "a"))).toEqual(okay);
      expect(await run(under, (op) => under.disk.syncDirectory(op))).toEqual(okay);
      await run(under, (op) => under.disk.write(op, "a", 2, bytes(9, 9)));
      await under.crash();
      expect((await read(under, "a")).slice(0, 2)).toEqual([1, 2]);
    });
  });
}
