import { expect, test } from "vitest";
import type { Entry } from "../../../src/core/entry.js";
import { identitySealer } from "../../../src/core/keys/sealing.js";
import { Applying } from "../../../src/core/node/applying.js";
import type { NodeContext } from "../../../src/core/node/context.js";
import { nodeOptions } from "../../../src/core/node/options.js";
import { WakeHeap } from "../../../src/core/node/wake-heap.js";
import { CountedMarks } from "../counted-marks.js";

/** One replica on a node whose clock moves only while its state machine works, or by hand. */
class Rig {
  nowUs = 1_000_000;
  costUs = 0;
  mayApply = true;
  applied = 0;
  readonly slices: { readonly count: number; readonly whole: boolean }[] = [];
  readonly marks = new CountedMarks();
  readonly wakes = new WakeHeap();
  readonly #context = {
    clockUs: () => this.nowUs,
    options: nodeOptions(),
    marks: this.marks,
    wakes: this.wakes,
    nowUs: this.nowUs,
  } as unknown as NodeContext;
  readonly applying = new Applying(this.#context, identitySealer, {
    mayApply: () => this.mayApply,
    applyEntry: ({ index }) => {
      expect(index).toBe(this.applied + 1);
      this.applied = index;
      this.nowUs += this.costUs;
    },
    sliceApplied: (entries, whole) => this.slices.push({ count: entries.length, whole }),
  });

  begin(count: number): void {
    this.#context.nowUs = this.nowUs;
    const entries = Array.from({ length: count }, (_, at) => {
      return { index: this.applied + at + 1, keyEpoch: 0 };
    });
    this.applying.begin(entries as Entry[]);
  }

  /** Goes on when it wants to; gives how long it slept. */
  goOn(): number {
    const sleptUs = this.wakes.soonestUs - this.nowUs;
    this.nowUs = this.wakes.soonestUs;
    this.#context.nowUs = this.nowUs;
    this.wakes.takeDue(this.nowUs)!.woken();
    return sleptUs;
  }
}

test("applying: a quick machine: all of it in one go", () => {
  const rig = new Rig();
  rig.costUs = 1;
  rig.begin(500);
  expect(rig.slices).toEqual([{ count: 500, whole: true }]);
  expect(rig.wakes.soonestUs).toBe(Infinity);
});

test("applying: more than a slice: the rest goes on at once, in turns of its own", () => {
  const rig = new Rig();
  rig.costUs = 100;
  rig.begin(25);
  while (rig.wakes.size > 0) expect(rig.goOn()).toBe(1);
  expect(rig.slices).toEqual([
    { count: 10, whole: false },
    { count: 10, whole: false },
    { count: 5, whole: true },
  ]);
  expect(rig.marks.has("stalledMachineRests")).toBe(false);
});

test("applying: one pause of the process is forgiven", () => {
  const rig = new Rig();
  rig.costUs = 9_000;
  rig.begin(1);
  rig.costUs = 1;
  rig.begin(1);
  expect(rig.applied).toBe(2);
  expect(rig.marks.has("stalledMachineRests")).toBe(false);
});

test("applying: a machine that stalls again and again gets one part in 500 of the time", () => {
  const rig = new Rig();
  rig.costUs = 3_000;
  const count = 200;
  for (let n = 0; n < count; n++) {
    rig.begin(1);
    if (rig.wakes.size > 0) rig.goOn();
  }
  const passedUs = rig.nowUs - 1_000_000;
  expect(rig.applied).toBe(count);
  expect(passedUs).toBeGreaterThan(count * 2_000 * 500 * 0.9);
  expect(passedUs).toBeLessThan(count * 2_000 * 500 * 1.1);
});

test("applying: however long it stalled, it rests for four seconds at most", () => {
  const rig = new Rig();
  rig.costUs = 60_000_000;
  rig.begin(2);
  expect(rig.slices).toEqual([{ count: 1, whole: false }]);
  expect(rig.goOn()).toBe(4_000_000);
});

test("applying: a replica that leaves: what is left is not applied", () => {
  const rig = new Rig();
  rig.costUs = 5_000;
  rig.begin(3);
  rig.applying.stop();
  expect(rig.wakes.size).toBe(0);
  expect(rig.applied).toBe(1);
});

test("applying: what waits for its key is given back, once, and is begun again when it may be", () => {
  const rig = new Rig();
  rig.mayApply = false;
  rig.begin(3);
  expect(rig.applied).toBe(0);
  expect(rig.wakes.soonestUs).toBe(Infinity);
  expect([rig.applying.giveBack(), rig.applying.giveBack()]).toEqual([true, false]);
  rig.mayApply = true;
  rig.begin(3);
  expect(rig.slices).toEqual([{ count: 3, whole: true }]);
  expect(rig.applying.giveBack()).toBe(false);
});
