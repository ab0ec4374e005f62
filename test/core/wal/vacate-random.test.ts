import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { index } from "../../../src/core/ids.js";
import type { WalWrite } from "../../../src/core/wal/log-store.js";
import { runs } from "../../setup/soak.js";
import { CountedMarks } from "../counted-marks.js";
import {
  type Model,
  type ModelReplica,
  copyModel,
  differenceFrom,
  drawCompaction,
  drawWrite,
  lastIn,
  snapshotsOf,
} from "./model.js";
import { Rig, drawer, key, recoveredIn, snapshotAt, state, write } from "./rig.js";
import { piecesBelow, recordsBelow, sealedEntry } from "./sealed-disk.js";

const groups = 4;
const reached = new CountedMarks();

/** Groups that write under data keys that change, on one log; every batch of theirs is durable. */
class Run {
  readonly rig = new Rig({ checkpointBytesMax: 2_000, retrySpaceUs: 1_000 });
  readonly draw: (n: number) => number;
  readonly model: Model = new Map();
  readonly epochs = new Map<number, number>();
  now = 0;

  constructor(seed: number) {
    this.draw = drawer(seed);
    this.rig.format();
    // The last one seals nothing.
    for (let group = 1; group < groups; group++) this.epochs.set(group, 1);
  }

  epochOf(group: number): number {
    return this.epochs.get(group) ?? 0;
  }

  /** A batch of writes to some of the groups; what they seal is sealed under their keys. */
  batch(): void {
    const writes: WalWrite[] = [];
    const first = this.draw(groups);
    for (let n = this.draw(3); n >= 0; n--) {
      const group = 1 + ((first + n) % groups);
      const drawn = drawWrite(this.model, group, this.draw);
      if (drawn !== null) writes.push(this.#sealed(drawn));
    }
    if (writes.length > 0) this.rig.write(...writes);
  }

  #sealed(drawn: WalWrite): WalWrite {
    const replica = this.model.get(drawn.group)!;
    const entries = drawn.entries.map(({ index: at, term, payload }) =>
      sealedEntry(drawn.group, at, term, this.epochOf(drawn.group), payload.length),
    );
    replica.entries.splice(replica.entries.length - entries.length, entries.length, ...entries);
    return { ...drawn, entries };
  }

  compactSome(): void {
    for (const replica of this.model.values()) {
      if (this.draw(4) !== 0) continue;
      const through = drawCompaction(replica, this.draw);
      if (through > 0) this.rig.wal.compact(key(replica.group), index(through));
    }
  }

  steps(count: number): void {
    for (let n = 0; n < count; n++) {
      this.batch();
      this.compactSome();
      if (this.draw(3) === 0) this.idle();
    }
  }

  idle(): void {
    this.rig.wal.idle((this.now += 1_000 + this.draw(3) * 100_000));
    if (this.draw(2) === 0) this.rig.settle();
    else for (let n = this.draw(8); n > 0; n--) this.rig.step();
    while (this.rig.wal.busy && this.rig.step());
  }

  /** A new data key, a snapshot of all that was written under the old one, and nothing before it. */
  rotate(group: number): void {
    const replica = this.model.get(group);
    this.epochs.set(group, this.epochOf(group) + 1);
    if (replica === undefined || replica.removed) return;
    if (replica.entries.length > 0) this.#compactAll(replica);
  }

  #compactAll(replica: ModelReplica): void {
    const { group, hardState } = replica;
    const last = lastIn(replica);
    replica.hardState = state(hardState.term, hardState.vote, last);
    this.rig.write(write(group, { state: replica.hardState }));
    replica.snapshot = snapshotAt(last, replica.entries.at(-1)!.term);
    replica.entries = [];
    this.rig.wal.compact(key(group), index(last));
  }

  vacateSome(group: number, turns: number): void {
    const epoch = this.epochOf(group);
    this.rig.wal.vacate(key(group), epoch);
    for (let turn = 0; turn < turns && this.rig.wal.holdsBelow(key(group), epoch); turn++) {
      if (this.draw(4) === 0) this.batch();
      this.idle();
    }
  }

  /** The machine stops anywhere in the midst of vacating, and starts again. */
  crash(): void {
    this.rig.disk.crash(this.draw);
    this.restart();
  }

  restart(): void {
    const node = recoveredIn(this.rig.start(snapshotsOf(this.model)));
    expect(differenceFrom(copyModel(this.model), node)).toBeNull();
    for (const mark of this.rig.marks.counts.keys()) reached.hit(mark);
  }

  /** What the log says of what it holds is so: nothing that it does not know of stands on disk. */
  check(): void {
    for (const [group, epoch] of this.epochs) {
      for (let below = 2; below <= epoch; below++) {
        if (this.rig.wal.holdsBelow(key(group), below)) continue;
        expect(recordsBelow(this.rig.disk, group, below)).toEqual([]);
      }
    }
    expect(this.rig.wal.holdsBelow(key(groups), 0xffff)).toBe(false);
  }
}

describe("vacating: random histories", () => {
  test("vacating: whatever was written, cut, compacted, crashed: the log knows, and it goes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const run = new Run(seed);
        for (let life = 0; life < 5; life++) {
          run.steps(run.draw(60));
          const group = 1 + run.draw(groups - 1);
          run.rotate(group);
          run.steps(run.draw(10));
          run.check();
          run.vacateSome(group, run.draw(12));
          run.check();
          const before = run.rig.wal.holdsBelow(key(group), run.epochOf(group));
          run.crash();
          if (!before) expect(recordsBelow(run.rig.disk, group, run.epochOf(group))).toEqual([]);
          run.check();
          run.vacateSome(group, 500);
          expect(run.rig.wal.holdsBelow(key(group), run.epochOf(group))).toBe(false);
          expect(recordsBelow(run.rig.disk, group, run.epochOf(group))).toEqual([]);
          expect(piecesBelow(run.rig.disk, group, run.epochOf(group))).toEqual([]);
          run.rig.settle();
          run.restart();
          run.check();
        }
      }),
      { numRuns: runs(15) },
    );
  });

  test("vacating: a disk that is full now and then: it waits, and ends when there is room", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const run = new Run(seed);
        run.steps(20 + run.draw(60));
        const group = 1 + run.draw(groups - 1);
        run.rotate(group);
        run.rig.settle();
        run.rig.disk.capacityBytes = run.rig.disk.usedBytes + run.draw(4) * 11_000;
        for (let turn = 0; turn < 8; turn++) {
          run.rig.wal.vacate(key(group), run.epochOf(group));
          run.idle();
        }
        run.check();
        run.rig.disk.capacityBytes = Infinity;
        run.vacateSome(group, 500);
        expect(run.rig.wal.holdsBelow(key(group), run.epochOf(group))).toBe(false);
        expect(piecesBelow(run.rig.disk, group, run.epochOf(group))).toEqual([]);
        run.rig.settle();
        run.restart();
      }),
      { numRuns: runs(40) },
    );
  });

  test("vacating: what these runs must have met", () => {
    for (const mark of ["segmentRecycled", "segmentRemoved", "checkpointRowsWritten"] as const) {
      expect(reached.has(mark), mark).toBe(true);
    }
  });
});
