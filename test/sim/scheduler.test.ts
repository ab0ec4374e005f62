import fc from "fast-check";
import { expect, test } from "vitest";
import { Scheduler } from "../../src/sim/scheduler.js";

test("scheduler: events of any times: come by time, equal times in the order of adding", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 3_000 }), (times) => {
      const scheduler = new Scheduler();
      times.forEach((atUs, ordinal) => scheduler.add(atUs, 1, ordinal));
      const got: [number, number][] = [];
      while (scheduler.next()) got.push([scheduler.nowUs, scheduler.a]);
      const want = times
        .map((atUs, ordinal): [number, number] => [atUs, ordinal])
        .sort(([t, n], [u, m]) => t - u || n - m);
      expect(got).toEqual(want);
    }),
  );
});

test("scheduler: adding while running: never goes back in time, keeps every field", () => {
  const scheduler = new Scheduler();
  scheduler.add(10, 1, 1, 2, 2 ** 50, "first");
  expect(scheduler.next()).toBe(true);
  expect([scheduler.kind, scheduler.a, scheduler.b, scheduler.c, scheduler.payload]).toEqual([
    1,
    1,
    2,
    2 ** 50,
    "first",
  ]);
  scheduler.add(3, 2);
  scheduler.add(11, 3);
  expect([scheduler.next(), scheduler.kind, scheduler.nowUs]).toEqual([true, 2, 10]);
  expect([scheduler.next(), scheduler.kind, scheduler.nowUs]).toEqual([true, 3, 11]);
  expect(scheduler.next()).toBe(false);
  expect(scheduler.nextAtUs()).toBe(Infinity);
});

test("scheduler: interleaved adding and taking: behaves as a sorted list", () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.integer({ min: 0, max: 100 })), { maxLength: 400 }),
      (steps) => {
        const scheduler = new Scheduler();
        const model: { atUs: number; n: number }[] = [];
        steps.forEach((delayUs, n) => {
          if (delayUs === null) {
            model.sort((a, b) => a.atUs - b.atUs || a.n - b.n);
            const least = model.shift();
            expect(scheduler.next()).toBe(least !== undefined);
            if (least !== undefined)
              expect([scheduler.nowUs, scheduler.a]).toEqual([least.atUs, least.n]);
          } else {
            const atUs = scheduler.nowUs + delayUs;
            scheduler.add(atUs, 1, n);
            model.push({ atUs, n });
          }
        });
        expect(scheduler.size).toBe(model.length);
      },
    ),
  );
});
