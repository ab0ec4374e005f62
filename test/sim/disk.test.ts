import { describe, expect, test } from "vitest";
import type { DiskResult } from "../../src/core/ports/disk.js";
import { Decisions } from "../../src/sim/decisions.js";
import { SimDisk } from "../../src/sim/disk.js";
import { Scheduler } from "../../src/sim/scheduler.js";
import { KeyedStream } from "../../src/sim/streams.js";
import { diskConformance } from "../conformance/disk.js";

interface Bench {
  readonly disk: SimDisk;
  readonly scheduler: Scheduler;
  /** Ordinals of the faults that changed something. */
  readonly effects: number[];
  /** Whether the budget of faults lets the disk lose something. */
  readonly budget: { mayLose: boolean; losses: number };
  readonly truths: number[];
  readonly done: (op: number) => DiskResult;
}

function bench(seed = 1, keepUndo = false): Bench {
  const scheduler = new Scheduler();
  const effects: number[] = [];
  const budget = { mayLose: true, losses: 0 };
  const truths: number[] = [];
  const disk = new SimDisk(0, {
    scheduler,
    timing: new KeyedStream(seed, "disk"),
    decisions: new Decisions(seed, { listed: null }),
    keepUndo,
    watch: {
      truth: (_node, op) => truths.push(op),
      effective: (fault) => effects.push(fault),
      mayLose: () => budget.mayLose,
      lost: () => budget.losses++,
    },
  });
  const results = new Map<number, DiskResult>();
  const done = (op: number): DiskResult => {
    while (!results.has(op) && scheduler.next()) {
      const result = disk.complete(scheduler.c, scheduler.b, scheduler.payload);
      if (result !== null) results.set(scheduler.c, result);
    }
    return results.get(op)!;
  };
  return { disk, scheduler, effects, budget, truths, done };
}

diskConformance("simulated", () => {
  const { disk, done } = bench();
  return { disk, done, crash: () => disk.crash() };
});

const filled = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);

/** A file `a` of `size` synced ones, named durably. */
function withFile(under: Bench, size: number): void {
  under.disk.create(1, "a", size);
  under.disk.write(2, "a", 0, filled(size, 1));
  under.disk.sync(3, "a");
  under.disk.syncDirectory(4);
  under.done(4);
  under.done(3);
}

function content(under: Bench, op = 900): number[] {
  under.disk.read(op, "a", 0, 1 << 20);
  const result = under.done(op);
  return result.ok ? [...result.bytes!] : [];
}

describe("crashes", () => {
  test("disk: crash: an unsynced write is whole or gone without tearing, both occur", () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 40; seed++) {
      const under = bench(seed);
      withFile(under, 2_048);
      under.disk.write(5, "a", 0, filled(2_048, 7));
      under.done(5);
      under.disk.crash();
      seen.add([...new Set(content(under))].join());
    }
    expect([...seen].sort()).toEqual(["1", "7"]);
  });

  test("disk: tornWrite: sectors of one write survive in any combination", () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 60; seed++) {
      const under = bench(seed);
      withFile(under, 1_536);
      under.disk.faults.torn.begin(5, true);
      under.disk.write(5, "a", 0, filled(1_536, 7));
      under.done(5);
      under.disk.crash();
      const bytes = content(under);
      seen.add([bytes[0], bytes[512], bytes[1_024]].join(""));
      for (const from of [0, 512, 1_024]) {
        expect(new Set(bytes.slice(from, from + 512)).size).toBe(1);
      }
    }
    expect(seen.size).toBe(8);
  });

  test("disk: crash during a sync: nothing is promised, and no answer comes", () => {
    const under = bench();
    withFile(under, 4);
    under.disk.write(5, "a", 0, filled(4, 7));
    under.disk.sync(6, "a");
    under.disk.crash();
    expect(under.done(6)).toBeUndefined();
    expect(under.truths).not.toContain(6);
  });

  test("disk: crash: a name that was never synced may be gone", () => {
    let gone = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const under = bench(seed);
      under.disk.create(1, "a", 1);
      under.disk.sync(2, "a");
      under.done(2);
      under.disk.crash();
      under.disk.list(3);
      const listed = under.done(3);
      if (listed.ok && listed.files!.length === 0) gone++;
    }
    expect(gone).toBeGreaterThan(5);
    expect(gone).toBeLessThan(20);
  });
});

describe("faults", () => {
  test("disk: failSync: the sync fails, its bytes never become durable, the next one works", () => {
    const under = bench();
    withFile(under, 2);
    under.disk.faults.failSyncs.push(5);
    under.disk.write(5, "a", 0, filled(2, 7));
    under.disk.sync(6, "a");
    expect(under.done(6)).toEqual({ ok: false, error: "ioError" });
    under.disk.sync(7, "a");
    expect(under.done(7).ok).toBe(true);
    under.disk.crash();
    expect(content(under)).toEqual([1, 1]);
    expect(under.effects).toEqual([5]);
    expect(under.truths).not.toContain(6);
  });

  test("disk: lyingSync: the answer is good, the crash takes the bytes, no truth is told", () => {
    const lost = [1, 2, 3, 4, 5, 6, 7, 8].filter((seed) => {
      const under = bench(seed);
      withFile(under, 2);
      under.disk.faults.lying.begin(5, true);
      under.disk.write(5, "a", 0, filled(2, 7));
      under.disk.sync(6, "a");
      expect(under.done(6).ok).toBe(true);
      expect(under.truths).not.toContain(6);
      expect(under.effects).toEqual([5]);
      under.disk.crash();
      return content(under)[0] === 1;
    });
    expect(lost.length).toBeGreaterThan(2);
  });

  test("disk: vanishTail: the newest syncs are undone by the crash", () => {
    const under = bench(1, true);
    withFile(under, 2);
    for (const value of [7, 8]) {
      under.disk.write(value, "a", 0, filled(2, value));
      under.disk.sync(10 + value, "a");
      under.done(10 + value);
    }
    under.disk.faults.vanishSyncs.begin(5, 1);
    under.disk.crash();
    expect(content(under)).toEqual([7, 7]);
    expect(under.effects).toEqual([5]);
  });

  test("disk: rot: one synced bit flips, never in what was written last", () => {
    const under = bench();
    withFile(under, 65_536);
    // Nothing but the newest write is there yet.
    expect(under.disk.rot(0)).toBe(false);
    const sparedFrom = 32_768;
    for (let n = 0; n < 100; n++) {
      const at = sparedFrom + (n % 4) * 512;
      under.disk.write(100 + n, "a", at, filled(512, 1));
      under.done(100 + n);
    }
    under.disk.sync(300, "a");
    under.done(300);
    // The place that is drawn is the first of those spared.
    expect(under.disk.rot((sparedFrom << 8) | 8)).toBe(true);
    const changed = content(under).flatMap((byte, at) => (byte === 1 ? [] : [at]));
    expect(changed).toEqual([sparedFrom + 4 * 512]);
  });

  test("disk: failRead and misdirectRead: one read goes wrong, the next is right", () => {
    const under = bench();
    withFile(under, 2_048);
    under.disk.write(5, "a", 512, filled(512, 7));
    under.disk.faults.failReads.push(5);
    under.disk.read(6, "a", 0, 4);
    expect(under.done(6)).toEqual({ ok: false, error: "ioError" });
    under.disk.faults.misdirectReads.push(6);
    under.disk.read(7, "a", 512, 1);
    under.disk.read(8, "a", 512, 1);
    under.disk.read(9, "a", 512, 1);
    const values = [7, 8, 9].map((op) => {
      const result = under.done(op);
      return result.ok ? result.bytes![0] : -1;
    });
    expect(values.filter((value) => value === 1).length).toBe(1);
    expect(values.filter((value) => value === 7).length).toBe(2);
    expect(under.effects).toEqual([5, 6]);
  });

  test("disk: misdirectWrite: lands on older bytes, its own place keeps the old ones", () => {
    const under = bench();
    withFile(under, 65_536);
    under.disk.faults.misdirectWrites.push(5);
    under.disk.write(5, "a", 61_440, filled(512, 7));
    under.disk.sync(6, "a");
    under.done(6);
    const bytes = content(under);
    expect(bytes[61_440]).toBe(1);
    expect(bytes.filter((byte) => byte === 7).length).toBe(512);
    expect(under.effects).toEqual([5]);
    expect(under.budget.losses).toBe(1);
  });

  test("disk: misdirectWrite: waits until the budget lets it, and does not outlive a crash", () => {
    const under = bench();
    withFile(under, 65_536);
    under.disk.faults.misdirectWrites.push(5);
    under.budget.mayLose = false;
    under.disk.write(5, "a", 61_440, filled(512, 7));
    under.done(5);
    expect(content(under)[61_440]).toBe(7);
    expect(under.effects).toEqual([]);
    under.disk.crash();
    under.budget.mayLose = true;
    under.disk.write(6, "a", 61_440, filled(512, 8));
    under.done(6);
    expect(content(under, 901)[61_440]).toBe(8);
    expect(under.budget.losses).toBe(0);
  });

  describe("misdirectWrite, then a crash", () => {
    const place = 61_440;

    /** A misdirected write of sevens, then `after`; what a restart finds. */
    function found(after: (under: Bench) => void): number[] {
      const under = bench();
      withFile(under, 65_536);
      under.disk.faults.misdirectWrites.push(5);
      under.disk.write(5, "a", place, filled(512, 7));
      after(under);
      under.disk.crash();
      return content(under);
    }

    const synced = (under: Bench, op: number): void => {
      under.disk.sync(op, "a");
      under.done(op);
    };
    const sevens = (bytes: readonly number[]): number => bytes.filter((byte) => byte === 7).length;

    test("disk: before any sync: as if it had not been", () => {
      const bytes = found(() => {});
      expect(sevens(bytes)).toBe(0);
    });

    test("disk: its sync failed: as if it had not been", () => {
      const bytes = found((under) => {
        under.disk.faults.failSyncs.push(6);
        synced(under, 6);
      });
      expect(sevens(bytes)).toBe(0);
    });

    test("disk: synced, and nothing behind it: it is there, and older bytes are damaged", () => {
      const bytes = found((under) => {
        synced(under, 6);
        // Another file proves nothing, and what lies before it does not either.
        under.disk.write(7, "b", 0, filled(512, 1));
        under.disk.sync(8, "b");
        under.done(8);
        under.disk.write(9, "a", 0, filled(512, 1));
        synced(under, 10);
      });
      expect(bytes[place]).toBe(7);
      expect(sevens(bytes)).toBe(1_024);
    });

    test("disk: synced, and so is a later write: it stays away from its place", () => {
      const bytes = found((under) => {
        synced(under, 6);
        under.disk.write(7, "a", place + 512, filled(512, 9));
        synced(under, 8);
      });
      expect(bytes[place]).toBe(1);
      expect(bytes[place + 512]).toBe(9);
      expect(sevens(bytes)).toBe(512);
    });
  });

  test("disk: fullDisk: what grows is refused and changes nothing, what does not grow works", () => {
    const under = bench();
    withFile(under, 4);
    under.disk.leaveRoom(5, 3);
    under.disk.write(5, "a", 4, filled(4, 7));
    expect(under.done(5)).toEqual({ ok: false, error: "noSpace" });
    under.disk.create(6, "b", 4);
    expect(under.done(6)).toEqual({ ok: false, error: "noSpace" });
    under.disk.write(7, "a", 0, filled(4, 8));
    expect(under.done(7).ok).toBe(true);
    expect(content(under)).toEqual([8, 8, 8, 8]);
    under.disk.list(8);
    expect(under.done(8)).toMatchObject({ files: [{ name: "a", sizeBytes: 4 }] });
  });

  test("disk: slowDisk: takes that many times as long", () => {
    const [usual, slow] = [bench(), bench()];
    slow.disk.faults.slowness.begin(5, 50);
    for (const under of [usual, slow]) {
      under.disk.create(1, "a", 1);
      under.done(1);
    }
    expect(slow.scheduler.nowUs).toBe(50 * usual.scheduler.nowUs);
    expect(slow.effects).toEqual([5]);
  });
});

describe("faults that overlap", () => {
  test("disk: slowDisk: the newest decides, then the older one again, each gets its credit", () => {
    const under = bench();
    const { slowness } = under.disk.faults;
    const tookUs = (op: number): number => {
      const startUs = under.scheduler.nowUs;
      under.disk.list(op);
      under.done(op);
      return under.scheduler.nowUs - startUs;
    };
    slowness.begin(1, 1_000);
    slowness.begin(2, 10);
    expect(tookUs(1)).toBeLessThan(1_000);
    slowness.end(2);
    expect(tookUs(2)).toBeGreaterThan(10_000);
    slowness.end(1);
    expect(tookUs(3)).toBeLessThan(100);
    expect(under.effects).toEqual([2, 1]);
  });

  test("disk: fullDisk: no room until both have ended", () => {
    const under = bench();
    const grows = (op: number, file: string): boolean => {
      under.disk.create(op, file, 8);
      return under.done(op).ok;
    };
    under.disk.leaveRoom(1, 10);
    under.disk.leaveRoom(2, 2);
    expect(grows(1, "a")).toBe(false);
    under.disk.faults.limitBytes.end(2);
    expect(grows(2, "b")).toBe(true);
    expect(grows(3, "c")).toBe(false);
    under.disk.faults.limitBytes.end(1);
    expect(grows(4, "d")).toBe(true);
    expect(under.effects).toEqual([2, 1]);
  });

  test("disk: tornWrite: one of two ends, and crashes go on tearing for the other", () => {
    const effects = Array.from({ length: 20 }, (_, n) => {
      const under = bench(n + 1);
      withFile(under, 1_536);
      under.disk.faults.torn.begin(1, true);
      under.disk.faults.torn.begin(2, true);
      under.disk.faults.torn.end(2);
      under.disk.write(5, "a", 0, filled(1_536, 7));
      under.disk.crash();
      return under.effects;
    }).flat();
    expect(effects.length).toBeGreaterThan(5);
    expect(new Set(effects)).toEqual(new Set([1]));
  });

  test("disk: failSync and failRead of two faults: each happens, each to the credit of its own", () => {
    const under = bench();
    withFile(under, 4);
    under.disk.faults.failSyncs.push(1, 2);
    for (const op of [5, 6, 7]) under.disk.sync(op, "a");
    expect([5, 6, 7].map((op) => under.done(op).ok)).toEqual([false, false, true]);
    under.disk.faults.failReads.push(3, 4);
    // Never two reads in a row.
    for (const op of [8, 9, 10]) under.disk.read(op, "a", 0, 4);
    expect([8, 9, 10].map((op) => under.done(op).ok)).toEqual([false, true, false]);
    expect(under.effects).toEqual([1, 2, 3, 4]);
  });
});

test("disk: wipe: says whether anything was on it", () => {
  const under = bench();
  expect(under.disk.wipe()).toBe(false);
  withFile(under, 4);
  expect(under.disk.wipe()).toBe(true);
});
