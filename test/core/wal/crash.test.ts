import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RecoveredNode, WalWrite } from "../../../src/core/wal/log-store.js";
import { index } from "../../../src/core/ids.js";
import { runs } from "../../setup/soak.js";
import {
  type Model,
  copyModel,
  differenceFrom,
  drawCompaction,
  drawWrite,
  hardStateDifference,
  lastIn,
  prefixDifference,
  snapshotsOf,
  withoutBatch,
} from "./model.js";
import { CountedMarks } from "../counted-marks.js";
import { Rig, drawer, key, recoveredIn } from "./rig.js";

const groups = 5;
const reached = new CountedMarks();

/** A run of random batches; `model` is what is durable, `after` also what is under way. */
class Run {
  readonly rig = new Rig();
  readonly draw: (n: number) => number;
  model: Model = new Map();
  after: Model = new Map();

  constructor(seed: number) {
    this.draw = drawer(seed);
    this.rig.format();
  }

  /** Begins a batch of writes to some of the groups. */
  beginBatch(): void {
    this.after = copyModel(this.model);
    const writes: WalWrite[] = [];
    const count = 1 + this.draw(3);
    const first = this.draw(groups);
    for (let n = 0; n < count; n++) {
      const drawn = drawWrite(this.after, 1 + ((first + n) % groups), this.draw);
      if (drawn !== null) writes.push(drawn);
    }
    this.rig.begin(...writes);
  }

  /** Finishes operations until the batch is durable. */
  finishBatch(): void {
    this.rig.settle();
    this.model = this.after;
  }

  maybeCompact(): void {
    for (const replica of this.model.values()) {
      if (this.draw(6) !== 0) continue;
      const through = drawCompaction(replica, this.draw);
      if (through > 0) this.rig.wal.compact(key(replica.group), index(through));
    }
  }

  /** Batches, compactions and idle rings, all durable. */
  steps(count: number): void {
    for (let n = 0; n < count; n++) {
      this.beginBatch();
      this.finishBatch();
      this.maybeCompact();
      if (this.draw(10) === 0) {
        this.rig.wal.writeRing();
        this.rig.settle();
      }
    }
  }

  restart(): RecoveredNode {
    const node = recoveredIn(this.rig.start(snapshotsOf(this.after)));
    for (const mark of this.rig.marks.counts.keys()) reached.hit(mark);
    return node;
  }
}

describe("log: crashes", () => {
  test("log: crash at any point: all that was synced, and of the rest a whole batch or nothing", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const run = new Run(seed);
        for (let life = 0; life < 6; life++) {
          run.steps(run.draw(25));
          run.beginBatch();
          const op = run.draw(6);
          for (let n = 0; n < op; n++) run.rig.step();
          const durable = run.rig.events.some(({ kind }) => kind === "batchDurable");
          run.rig.disk.crash(run.draw);
          const node = run.restart();
          const whole = differenceFrom(run.after, node);
          if (whole === null) run.model = run.after;
          else {
            expect(durable, whole).toBe(false);
            run.model = withoutBatch(run.model, run.after);
            expect(differenceFrom(run.model, node)).toBeNull();
            run.after = run.model;
          }
          const boot = node.boot;
          run.rig.disk.crash(run.draw);
          expect(run.restart().boot).toBeGreaterThan(boot);
        }
      }),
      { numRuns: runs(80) },
    );
  });

  test("log: crash while it recovers: the next start finds the same", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const run = new Run(seed);
        run.steps(20);
        for (let life = 0; life < 8; life++) {
          run.rig.disk.crash(run.draw);
          startPartly(run, run.draw(30));
          run.rig.disk.crash(run.draw);
          expect(differenceFrom(run.model, run.restart())).toBeNull();
          run.steps(3);
        }
      }),
      { numRuns: runs(40) },
    );
  });
});

/** A start that goes no further than `count` operations of the disk. */
function startPartly(run: Run, count: number): void {
  run.rig.disk.operationsLeft = count;
  run.rig.start(snapshotsOf(run.after));
  run.rig.disk.operationsLeft = Infinity;
}

describe("log: rot", () => {
  test("log: one flipped bit anywhere: mended, or one replica is marked and no other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const run = new Run(seed);
        run.steps(10 + run.draw(40));
        run.rig.wal.writeRing();
        run.rig.settle();
        const files = run.rig.disk.files();
        const file = files[run.draw(files.length)]!;
        run.rig.disk.rot(file.name, run.draw(file.sizeBytes), 1 << run.draw(8));
        const node = run.restart();
        expect(wrongIn(run.model, node)).toBeNull();
        expect(node.forgotten).toBe(false);
        expect(node.replicas.filter(({ lost }) => lost)).toEqual([]);
        const marked = node.replicas.filter(({ recovered }) => recovered.damagedThrough > 0);
        expect(marked.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: runs(150) },
    );
  });

  test("log: whole stretches gone: never silently wrong, not at the next start either", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const run = new Run(seed);
        run.steps(10 + run.draw(60));
        run.rig.wal.writeRing();
        run.rig.settle();
        const segments = run.rig.disk.files().filter(({ name }) => name.startsWith("segment"));
        const file = segments[run.draw(segments.length)]!;
        const from = run.draw(file.sizeBytes);
        const to = Math.min(file.sizeBytes, from + 300 + run.draw(6000));
        for (let at = from; at < to; at++) run.rig.disk.rot(file.name, at, 1 + run.draw(255));
        for (let life = 0; life < 3; life++) {
          const node = run.restart();
          expect(wrongIn(run.model, node)).toBeNull();
          run.rig.wal.writeRing();
          run.rig.settle();
        }
      }),
      { numRuns: runs(150) },
    );
  });
});

/** How the node says something wrong about what was durable; silence it is allowed nothing. */
function wrongIn(model: Model, node: RecoveredNode): string | null {
  for (const expected of model.values()) {
    const found = node.replicas.find(({ group }) => group === expected.group);
    if (found === undefined) {
      const tomb = node.removed.some(({ group }) => group === expected.group);
      if (tomb === expected.removed && tomb) continue;
      if (node.forgotten) continue;
      return `group ${expected.group} vanished`;
    }
    if (found.lost) continue;
    if (expected.removed) return `group ${expected.group} came back`;
    const hard = hardStateDifference(expected, found);
    if (hard !== null) return `group ${expected.group}: ${hard}`;
    const { entries, damagedThrough } = found.recovered;
    const prefix = prefixDifference(expected.entries, entries);
    if (prefix !== null) return `group ${expected.group}: ${prefix}`;
    if (damagedThrough === 0 && entries.length !== expected.entries.length) {
      return `group ${expected.group}: ${entries.length} entries and no mark`;
    }
    if (damagedThrough > 0 && damagedThrough < lastIn(expected)) {
      return `group ${expected.group}: held ${lastIn(expected)}, says ${damagedThrough}`;
    }
  }
  return null;
}

test("log: what these runs must have met", () => {
  for (const mark of [
    "tornTailCut",
    "damagedRangeMarked",
    "replicaLost",
    "batchHeaderRepaired",
  ] as const) {
    expect(reached.has(mark), mark).toBe(true);
  }
});
