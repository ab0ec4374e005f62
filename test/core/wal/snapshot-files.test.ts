import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32 } from "../../../src/core/crc32.js";
import type { SnapshotMeta } from "../../../src/core/entry.js";
import { index, requestId, term } from "../../../src/core/ids.js";
import type { SnapshotEvent } from "../../../src/core/wal/log-store.js";
import { SnapshotFiles } from "../../../src/core/wal/snapshot-files.js";
import { runs } from "../../setup/soak.js";
import { MemoryDisk } from "./memory-disk.js";
import { CountedMarks } from "../counted-marks.js";
import { drawer, key } from "./rig.js";

const request = requestId(9);
const configuration = Uint8Array.of(4, 5, 6, 7);

class Bench {
  disk: MemoryDisk = new MemoryDisk();
  readonly marks = new CountedMarks();
  events: SnapshotEvent[] = [];
  files: SnapshotFiles;
  #op = 0;

  constructor() {
    this.files = this.#make();
  }

  #make(): SnapshotFiles {
    const nextOp = (): number => ++this.#op;
    return new SnapshotFiles({ disk: this.disk, crc32, nextOp, marks: this.marks });
  }

  step(): boolean {
    const next = this.disk.next();
    if (next === null) return false;
    this.files.diskDone(next.op, next.result, this.events);
    return true;
  }

  settle(): SnapshotEvent[] {
    while (this.step());
    return this.events.splice(0);
  }

  restart(): Extract<SnapshotEvent, { kind: "loaded" }>["snapshots"] {
    this.files = this.#make();
    this.events = [];
    this.files.load();
    const loaded = this.settle().find((event) => event.kind === "loaded");
    if (loaded === undefined) throw new Error("nothing was loaded");
    return loaded.snapshots;
  }

  beginSave(at: number, state: Uint8Array): void {
    this.files.save(key(1), request, index(at), term(1), configuration, state, this.events);
  }

  save(at: number, state: Uint8Array): SnapshotMeta | null {
    this.beginSave(at, state);
    const saved = this.settle().find((event) => event.kind === "saved");
    if (saved === undefined) throw new Error("no answer");
    return saved.snapshot;
  }

  chunk(meta: SnapshotMeta, offset: number, bytes: Uint8Array): boolean {
    this.files.writeChunk(key(1), request, meta, offset, bytes, this.events);
    return this.settle().some((event) => event.kind === "chunkWritten" && event.ok);
  }

  receive(meta: SnapshotMeta, mayRestore = true): Extract<SnapshotEvent, { kind: "received" }> {
    this.files.receive(key(1), request, meta, () => mayRestore, this.events);
    const received = this.settle().find((event) => event.kind === "received");
    if (received === undefined) throw new Error("no answer");
    return received;
  }
}

function stateOf(at: number, bytes = 3000): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, n) => (n * 7 + at) & 0xff);
}

function metaOf(at: number, state: Uint8Array): SnapshotMeta {
  return {
    index: index(at),
    term: term(1),
    configuration,
    sizeBytes: state.length,
    checksum: crc32(state),
  };
}

describe("snapshots: saving", () => {
  test("snapshots: a round trip: the newest comes back whole", () => {
    const bench = new Bench();
    expect(bench.save(5, stateOf(5))).toEqual(metaOf(5, stateOf(5)));
    expect(bench.save(9, stateOf(9, 0))).toEqual(metaOf(9, stateOf(9, 0)));
    const expected = { ...key(1), snapshot: metaOf(9, stateOf(9, 0)), state: stateOf(9, 0) };
    expect(bench.restart()).toEqual([expected]);
  });

  test("snapshots: the newest is rotten: the one before it is taken", () => {
    const bench = new Bench();
    bench.save(5, stateOf(5));
    bench.save(9, stateOf(9));
    bench.disk.rot("snapshot.1.1.1.9.1", 700);
    expect(bench.restart().map(({ snapshot }) => snapshot.index)).toEqual([5]);
    expect(bench.marks.has("snapshotRottenSkipped")).toBe(true);
  });

  test("snapshots: crash at each operation: the older or the newer, always whole", () => {
    const draws = fc.integer({ min: 0, max: 2 ** 31 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), draws, (operations, seed) => {
        const bench = new Bench();
        bench.save(3, stateOf(3));
        bench.save(5, stateOf(5));
        bench.beginSave(9, stateOf(9));
        for (let n = 0; n < operations; n++) bench.step();
        const saved = bench.events.some((event) => event.kind === "saved");
        bench.disk.crash(drawer(seed));
        const [found] = bench.restart();
        const at: number = found?.snapshot.index ?? 0;
        expect(saved ? [9] : [5, 9]).toContain(at);
        expect(found?.state).toEqual(stateOf(at));
      }),
      { numRuns: runs(80) },
    );
  });

  test.each(["write", "sync", "rename", "syncDirectory"])(
    "snapshots: %s fails: no snapshot, and the older stands",
    (kind) => {
      const bench = new Bench();
      bench.save(5, stateOf(5));
      bench.disk.fail = (what) => (what === kind ? "ioError" : null);
      expect(bench.save(9, stateOf(9))).toBeNull();
      bench.disk.fail = () => null;
      bench.disk.crash(() => 0);
      const loaded = bench.restart();
      expect(loaded).toHaveLength(1);
      expect(loaded[0]!.state).toEqual(stateOf(loaded[0]!.snapshot.index));
    },
  );

  test("snapshots: a replica is removed while it saves: no file of it stays", () => {
    const bench = new Bench();
    bench.save(5, stateOf(5));
    bench.beginSave(9, stateOf(9));
    bench.step();
    bench.files.remove(key(1));
    bench.settle();
    expect(bench.disk.files()).toEqual([]);
  });
});

describe("snapshots: chunks", () => {
  test("snapshots: sent in chunks: the receiver has the same", () => {
    const sender = new Bench();
    const meta = sender.save(9, stateOf(9))!;
    const receiver = new Bench();
    for (let offset = 0; offset < meta.sizeBytes; offset += 1000) {
      sender.files.readChunk(key(1), request, meta, offset, 1000, sender.events);
      const [answer] = sender.settle();
      if (answer?.kind !== "chunk" || answer.bytes === null) throw new Error("no chunk");
      expect(receiver.chunk(meta, offset, answer.bytes)).toBe(true);
    }
    expect(receiver.receive(meta)).toMatchObject({ snapshot: meta, state: stateOf(9) });
    expect(receiver.restart().map(({ state }) => state)).toEqual([stateOf(9)]);
  });

  test("snapshots: a chunk out of order: refused; offset 0 begins anew", () => {
    const bench = new Bench();
    const state = stateOf(9);
    const meta = metaOf(9, state);
    expect(bench.chunk(meta, 1000, state.subarray(1000, 2000))).toBe(false);
    expect(bench.marks.has("snapshotChunkOutOfOrder")).toBe(true);
    expect(bench.chunk(meta, 0, state.subarray(0, 1000))).toBe(true);
    expect(bench.chunk(meta, 2000, state.subarray(2000))).toBe(false);
    expect(bench.chunk(meta, 0, state.subarray(0, 2900))).toBe(true);
    expect(bench.chunk(meta, 2900, state)).toBe(false);
    expect(bench.chunk(meta, 2900, state.subarray(2900))).toBe(true);
    expect(bench.receive(meta).state).toEqual(state);
  });

  test("snapshots: altered on the way: refused, and no file of it stays", () => {
    const bench = new Bench();
    const meta = metaOf(9, stateOf(9));
    bench.chunk(meta, 0, stateOf(8));
    expect(bench.receive(meta)).toMatchObject({ snapshot: null, state: null });
    expect(bench.marks.has("snapshotChecksumRefused")).toBe(true);
    expect(bench.disk.files()).toEqual([]);
  });

  test("snapshots: whole, and of no use here: refused, and the next start finds no file of it", () => {
    const bench = new Bench();
    const meta = metaOf(9, stateOf(9));
    bench.chunk(meta, 0, stateOf(9));
    expect(bench.receive(meta, false)).toMatchObject({ snapshot: null, state: null });
    expect(bench.disk.files()).toEqual([]);
    expect(bench.restart()).toEqual([]);
  });

  test("snapshots: cut short: refused", () => {
    const bench = new Bench();
    const meta = metaOf(9, stateOf(9));
    bench.chunk(meta, 0, stateOf(9).subarray(0, 100));
    expect(bench.receive(meta).snapshot).toBeNull();
    expect(bench.receive(meta).snapshot).toBeNull();
  });

  test("snapshots: crash while one comes in: its file is a leftover", () => {
    const bench = new Bench();
    bench.save(5, stateOf(5));
    bench.chunk(metaOf(9, stateOf(9)), 0, stateOf(9));
    bench.disk.syncDirectory(1_000_000);
    bench.settle();
    expect(bench.restart().map(({ snapshot }) => snapshot.index)).toEqual([5]);
    expect(bench.marks.has("snapshotLeftoverRemoved")).toBe(true);
    expect(bench.disk.files().map(({ name }) => name)).toEqual(["snapshot.1.1.1.5.1"]);
  });
});

/** Whole files and unfinished ones, as they stand on disk. */
function names(bench: Bench): string[] {
  return bench.disk.files().map(({ name }) => name);
}

describe("snapshots: what was sealed under an old key", () => {
  function two(): Bench {
    const bench = new Bench();
    bench.save(5, stateOf(5));
    bench.save(9, stateOf(9));
    return bench;
  }

  test("snapshots: an older one is kept: known until it is dropped for good", () => {
    const bench = two();
    expect([
      bench.files.onlyFrom(key(1), index(5)),
      bench.files.onlyFrom(key(1), index(6)),
    ]).toEqual([true, false]);
    bench.files.dropOlder(key(1));
    expect(bench.files.onlyFrom(key(1), index(9))).toBe(false);
    bench.settle();
    expect(bench.files.onlyFrom(key(1), index(9))).toBe(true);
    expect(bench.files.onlyFrom(key(1), index(10))).toBe(false);
    bench.disk.crash(() => 0);
    expect(names(bench)).toEqual(["snapshot.1.1.1.9.1"]);
  });

  test("snapshots: removed but not synced: it may come back, and is known", () => {
    const bench = two();
    bench.disk.holds = (kind) => kind === "syncDirectory";
    bench.files.dropOlder(key(1));
    bench.settle();
    expect(names(bench)).toEqual(["snapshot.1.1.1.9.1"]);
    expect(bench.files.onlyFrom(key(1), index(9))).toBe(false);
    bench.disk.holds = () => false;
    bench.settle();
    expect(bench.files.onlyFrom(key(1), index(9))).toBe(true);
  });

  test("snapshots: the third of three was removed, as always: known until a sync follows", () => {
    const bench = two();
    bench.save(12, stateOf(12));
    expect(names(bench)).toEqual(["snapshot.1.1.1.12.1", "snapshot.1.1.1.9.1"]);
    expect(bench.files.onlyFrom(key(1), index(6))).toBe(false);
    bench.files.dropOlder(key(1));
    bench.settle();
    expect(bench.files.onlyFrom(key(1), index(12))).toBe(true);
  });

  test("snapshots: a removal fails, or its sync: tried again when it is asked again", () => {
    for (const failing of ["remove", "syncDirectory"]) {
      const bench = two();
      bench.disk.fail = (kind) => (kind === failing ? "ioError" : null);
      bench.files.dropOlder(key(1));
      bench.settle();
      expect(bench.files.onlyFrom(key(1), index(9))).toBe(false);
      bench.disk.fail = () => null;
      bench.files.dropOlder(key(1));
      bench.settle();
      expect(bench.files.onlyFrom(key(1), index(9))).toBe(true);
    }
  });

  test("snapshots: a transfer reads the one that is dropped: it is told that it is not there", () => {
    const bench = two();
    const meta = metaOf(5, stateOf(5));
    bench.files.readChunk(key(1), request, meta, 0, 100, bench.events);
    bench.files.dropOlder(key(1));
    const first = bench.settle().find((event) => event.kind === "chunk");
    expect(first?.bytes).toEqual(stateOf(5).slice(0, 100));
    bench.files.readChunk(key(1), request, meta, 100, 100, bench.events);
    const [second] = bench.settle();
    expect(second).toMatchObject({ kind: "chunk", bytes: null });
  });

  test("snapshots: one is being saved, one received: both are known by their index", () => {
    const other = new Bench();
    other.chunk(metaOf(7, stateOf(7)), 0, stateOf(7, 1000));
    expect(other.files.onlyFrom(key(1), index(7))).toBe(true);
    expect(other.files.onlyFrom(key(1), index(8))).toBe(false);
    const bench = new Bench();
    bench.beginSave(5, stateOf(5));
    expect(bench.files.onlyFrom(key(1), index(6))).toBe(false);
    bench.settle();
    const state = stateOf(7);
    bench.chunk(metaOf(7, state), 0, state.slice(0, 1000));
    bench.save(9, stateOf(9));
    bench.files.dropOlder(key(1));
    bench.settle();
    // What came in of an older one is of no use any more, and its next chunk is refused.
    expect(names(bench)).toEqual(["snapshot.1.1.1.9.1"]);
    expect(bench.files.onlyFrom(key(1), index(9))).toBe(true);
    expect(bench.chunk(metaOf(7, state), 1000, state.slice(1000))).toBe(false);
  });

  test("snapshots: a received one is being verified and named: known all the while", () => {
    const bench = two();
    const state = stateOf(7);
    bench.chunk(metaOf(7, state), 0, state);
    bench.files.receive(key(1), request, metaOf(7, state), () => true, bench.events);
    let [steps, seen] = [0, 0];
    do {
      const older = names(bench).some((name) => !name.startsWith("snapshot.1.1.1.9."));
      if (older) expect(bench.files.onlyFrom(key(1), index(9))).toBe(false);
      if (older) seen++;
      bench.files.dropOlder(key(1));
      steps++;
    } while (bench.step() && steps < 50);
    bench.files.dropOlder(key(1));
    bench.settle();
    expect(seen).toBeGreaterThan(4);
    expect(names(bench)).toEqual(["snapshot.1.1.1.9.1"]);
    expect(bench.files.onlyFrom(key(1), index(9))).toBe(true);
  });

  test("snapshots: it got its name but no sync of it: known, and dropped with the older ones", () => {
    const bench = new Bench();
    bench.disk.fail = (kind) => (kind === "syncDirectory" ? "ioError" : null);
    expect(bench.save(5, stateOf(5))).toBeNull();
    bench.disk.fail = () => null;
    expect(names(bench)).toEqual(["snapshot.1.1.1.5.1"]);
    bench.save(9, stateOf(9));
    expect(bench.files.onlyFrom(key(1), index(9))).toBe(false);
    bench.files.dropOlder(key(1));
    bench.settle();
    expect(names(bench)).toEqual(["snapshot.1.1.1.9.1"]);
    expect(bench.files.onlyFrom(key(1), index(9))).toBe(true);
  });

  test("snapshots: saved again under a name whose removal failed: the new file is left alone", () => {
    const bench = new Bench();
    bench.save(12, stateOf(12));
    bench.disk.fail = (kind) => (kind === "sync" || kind === "remove" ? "ioError" : null);
    expect(bench.save(9, stateOf(9))).toBeNull();
    bench.disk.fail = () => null;
    bench.beginSave(9, stateOf(9));
    bench.step();
    bench.files.dropOlder(key(1));
    const saved = bench.settle().find((event) => event.kind === "saved");
    expect(saved?.snapshot).toEqual(metaOf(9, stateOf(9)));
    bench.files.dropOlder(key(1));
    bench.settle();
    expect(bench.restart().map(({ snapshot }) => snapshot.index)).toEqual([12]);
  });

  test("snapshots: after a start: leftovers and an older file are known until they are gone", () => {
    const bench = two();
    bench.beginSave(7, stateOf(7));
    bench.step();
    bench.disk.fail = (kind) => (kind === "remove" ? "ioError" : null);
    bench.restart();
    expect(bench.files.onlyFrom(key(1), index(9))).toBe(false);
    bench.disk.fail = () => null;
    bench.files.dropOlder(key(1));
    bench.settle();
    expect(names(bench)).toEqual(["snapshot.1.1.1.9.1"]);
    expect(bench.files.onlyFrom(key(1), index(9))).toBe(true);
  });

  test("snapshots: a replica that is gone: its files are known until they are gone for good", () => {
    const bench = two();
    bench.files.remove(key(1));
    bench.settle();
    expect(bench.files.onlyFrom(key(1), index(99))).toBe(false);
    bench.files.dropOlder(key(1));
    bench.settle();
    expect(bench.files.onlyFrom(key(1), index(99))).toBe(true);
    bench.disk.crash(() => 0);
    expect(names(bench)).toEqual([]);
  });
});
