import fc from "fast-check";
import { expect, test } from "vitest";
import { SimClock } from "../../src/sim/clock.js";

function clockAt(world: { us: number }): SimClock {
  return new SimClock(
    () => world.us,
    { monotonicUs: 1_000, wallUs: 5_000_000 },
    () => {},
  );
}

test("clock: any drifts and wall steps: monotonic time never falls", () => {
  const change = fc.record({
    afterUs: fc.integer({ min: 0, max: 10_000_000 }),
    rate: fc.integer({ min: -900_000, max: 900_000 }),
    stepUs: fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const world = { us: 0 };
      const clock = clockAt(world);
      let last = clock.nowUs();
      for (const { afterUs, rate, stepUs } of changes) {
        world.us += afterUs;
        expect(clock.nowUs()).toBeGreaterThanOrEqual(last);
        clock.setRate(rate);
        clock.stepWall(stepUs);
        last = clock.nowUs();
        expect(Number.isSafeInteger(last)).toBe(true);
      }
    }),
  );
});

test("clock: any rate: worldUs is the first moment at which the wished reading is there", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -500_000, max: 500_000 }),
      fc.integer({ min: 0, max: 100_000_000 }),
      (rate, aheadUs) => {
        const world = { us: 777 };
        const clock = clockAt(world);
        clock.setRate(rate);
        const wished = clock.nowUs() + aheadUs;
        const due = clock.worldUs(wished);
        expect(clock.localUs(due)).toBeGreaterThanOrEqual(wished);
        if (due > world.us) expect(clock.localUs(due - 1)).toBeLessThan(wished);
      },
    ),
  );
});

test("clock: a fast clock: gains by its rate; wall time can step, monotonic does not", () => {
  const world = { us: 0 };
  const clock = clockAt(world);
  clock.setRate(10_000);
  world.us = 1_000_000;
  expect(clock.nowUs()).toBe(1_000 + 1_010_000);
  clock.stepWall(-3_000_000);
  expect(clock.wallUs()).toBe(clock.nowUs() + 2_000_000);
});
