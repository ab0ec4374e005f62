import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/core/plain.js";
import type { Decisions, RunResult } from "../../../src/lab/run-result.js";
import type { ShrinkProgress } from "../../../src/sim/shrink/attempts.js";
import { shrink } from "../../../src/sim/shrink/shrink.js";
import { has, ids, large, plannedFault, plannedPut, plantedRun } from "./planted.js";

const lost = "no-lost-write: acknowledged value gone";

function startOf(run: (decisions: Decisions) => RunResult, decisions: Decisions): RunResult {
  const start = run(decisions);
  expect(start.verdict).toBe("violation");
  return start;
}

describe("what is left", () => {
  test("shrink: two faults and a later operation: exactly these are left, and proven needed", () => {
    const { run } = plantedRun({
      cause: (d) => (has(d, "kill-4", "cut-17", "2.31") ? lost : null),
    });
    const found = shrink(run, startOf(run, large()));
    expect(ids(found.decisions)).toEqual(["2.31", "cut-17", "kill-4"]);
    expect(found).toMatchObject({ outcome: "smaller", minimal: true, spent: false });
    expect(found.after).toMatchObject({ faults: 2, operations: 1, clients: 1, draws: 0 });
    expect(found.reruns).toBeLessThan(400);
  });

  test("shrink: a lost message is part of the cause: that draw alone is kept", () => {
    const { run } = plantedRun({
      cause: (d) => (has(d, "loss:321:0:0@321#0", "kill-8") ? lost : null),
    });
    const found = shrink(run, startOf(run, large()));
    expect(ids(found.decisions)).toEqual(["kill-8", "loss:321:0:0@321#0"]);
    expect(found.minimal).toBe(true);
  });

  test("shrink: any two of three faults will do: two are left, none can go alone", () => {
    const { run } = plantedRun({
      cause: (d) => {
        const there = ["kill-0", "kill-2", "kill-4"].filter((id) => has(d, id));
        return there.length >= 2 ? lost : null;
      },
    });
    const found = shrink(run, startOf(run, large()));
    expect(found.after).toMatchObject({ faults: 2, operations: 0, draws: 0 });
    expect(found.minimal).toBe(true);
  });

  test("shrink: fails without any decision at all: nothing is left", () => {
    const { run } = plantedRun({ cause: () => lost });
    const found = shrink(run, startOf(run, large()));
    expect(ids(found.decisions)).toEqual([]);
    expect(found.after).toMatchObject({ nodes: 1, groups: 1, attackUs: 100_000 });
    expect(found.reruns).toBeLessThan(60);
  });

  test("shrink: needs four nodes in one group: the cluster becomes that, and no smaller", () => {
    const { run } = plantedRun({
      cause: (d) => (Number(d.options["nodes"]) >= 4 && has(d, "cut-3") ? lost : null),
    });
    const found = shrink(run, startOf(run, large()));
    expect(found.decisions.options).toMatchObject({ nodes: 4, groups: 1, replication: 1 });
    expect(ids(found.decisions)).toEqual(["cut-3"]);
    for (const { nodes, peers } of found.decisions.faults) {
      expect(Math.max(...nodes, ...peers)).toBeLessThanOrEqual(4);
    }
  });

  test("shrink: the cause is in another group than the first: its operations move there", () => {
    const { run } = plantedRun({
      cause: (d) => {
        const operation = d.operations.find(({ id }) => id === "2.4");
        return operation !== undefined && operation.group < Number(d.options["groups"])
          ? lost
          : null;
      },
    });
    const found = shrink(run, startOf(run, large()));
    expect(found.decisions.options["groups"]).toBe(1);
    expect(found.decisions.operations).toMatchObject([{ id: "2.4", group: 0, value: "2.4" }]);
  });
});

describe("when it happens", () => {
  test("shrink: commands of a user's own state machine: none is made another one", () => {
    const own = [
      plannedPut(0, 0, { kind: "command", key: "a", value: "join ann..." }),
      plannedPut(0, 1, { kind: "query", key: "b", value: "who.." }),
    ];
    const { run } = plantedRun({ cause: (d) => (has(d, "0.0", "0.1") ? lost : null) });
    const found = shrink(run, startOf(run, { ...large(), operations: own }));
    const asked = found.decisions.operations.map(({ kind, key, value }) => [kind, key, value]);
    expect(asked).toEqual(own.map(({ kind, key, value }) => [kind, key, value]));
  });

  test("shrink: operations left out: those that stay keep their time", () => {
    const start = large();
    const latencyUs = 30_000;
    const dueUs = (d: Decisions): number => {
      const own = d.operations.filter(({ client }) => client === 2);
      const at = own.findIndex(({ id }) => id === "2.30");
      const thoughtUs = own.slice(0, at + 1).reduce((sum, o) => sum + o.thinkUs, 0);
      return at < 0 ? -1 : thoughtUs + at * latencyUs;
    };
    const { run } = plantedRun({
      cause: (d) => (dueUs(d) === dueUs(start) ? lost : null),
      latencyUs,
    });
    const found = shrink(run, startOf(run, start));
    expect(found.decisions.operations).toHaveLength(1);
    expect(dueUs(found.decisions)).toBe(dueUs(start));
  });

  test("shrink: what was planned after the violation: goes first, in a handful of runs", () => {
    const { run, asked } = plantedRun({
      cause: (d) => (has(d, "kill-4") ? lost : null),
      atUs: () => 6_000_000,
      inert: (d) => d.operations.filter(({ id }) => id.length > 4).map(({ id }) => id),
    });
    shrink(run, startOf(run, large()));
    const early = asked.slice(0, 12).some(({ faults }) => faults.length <= 6);
    expect(early).toBe(true);
    expect(asked.slice(0, 6).some(({ options }) => Number(options["attackUs"]) < 7_000_001)).toBe(
      true,
    );
  });

  test("shrink: operations that the failing run never came to: they go in one run", () => {
    const { run, asked } = plantedRun({
      cause: (d) => (has(d, "kill-4", "0.1") ? lost : null),
      came: (d) => ({ ...d, operations: d.operations.filter(({ id }) => id.length === 3) }),
    });
    const start = large();
    shrink(run, { ...startOf(run, start), decisions: start });
    expect(asked.slice(0, 8).some(({ operations }) => operations.length === 60)).toBe(true);
  });

  test("shrink: shows only in the last reads: the attack gets as short as it may be", () => {
    const { run } = plantedRun({
      cause: (d) => (Number(d.options["attackUs"]) >= 5_000_000 ? lost : null),
      atUs: (d) => Number(d.options["attackUs"]) + 4_000_000,
    });
    const { attackUs } = shrink(run, startOf(run, large())).after;
    expect(attackUs).toBeGreaterThanOrEqual(5_000_000);
    expect(attackUs).toBeLessThan(5_200_000);
  });

  test("shrink: a fault that must last two seconds from the third: its times fall to about that", () => {
    const decisions: Decisions = {
      options: { nodes: 3, groups: 1, replication: 3, attackUs: 60_000_000 },
      faults: [plannedFault("pause", 0, { atUs: 41_234_567, forUs: 9_876_543 })],
      operations: [],
      draws: [],
    };
    const { run } = plantedRun({
      cause: ({ faults: [pause] }) =>
        pause !== undefined && pause.atUs >= 3_000_000 && pause.forUs >= 2_000_000 ? lost : null,
      atUs: ({ faults: [pause] }) => (pause?.atUs ?? 0) + 2_000_000,
    });
    const { faults } = shrink(run, startOf(run, decisions)).decisions;
    expect(faults[0]!.atUs).toBeLessThan(6_000_000);
    expect(faults[0]!.atUs).toBeGreaterThanOrEqual(3_000_000);
    expect(faults[0]!.forUs).toBeLessThan(4_000_000);
    expect(faults[0]!.forUs).toBeGreaterThanOrEqual(2_000_000);
  });
});

describe("what only chance finds", () => {
  test("shrink: a race that is lost one time in 16: not as many chances for it, but one", () => {
    const lucky = (d: Decisions): boolean => digestOf(d)[0] % 16 === 0;
    const { run } = plantedRun({
      cause: (d) =>
        d.operations.length >= 60 || (d.operations.length >= 2 && lucky(d)) ? lost : null,
    });
    const found = shrink(run, startOf(run, large()));
    expect(found.after.operations).toBeLessThanOrEqual(4);
    expect(found.minimal).toBe(true);
    expect(found.reruns).toBeLessThan(700);
  });

  test("shrink: a race among faults: not as many chances for it either", () => {
    const { run } = plantedRun({
      cause: (d) =>
        d.faults.length >= 12 || (d.faults.length >= 1 && digestOf(d)[0] % 16 === 0) ? lost : null,
    });
    const found = shrink(run, startOf(run, large()));
    expect(found.after.faults).toBeLessThanOrEqual(4);
    expect(found.minimal).toBe(true);
  });

  test("shrink: the same twice: chance is the same each time", () => {
    const cause = (d: Decisions): string | null =>
      d.operations.length >= 30 || digestOf(d)[0] % 8 === 0 ? lost : null;
    const [one, other] = [1, 2].map(() => {
      const { run } = plantedRun({ cause });
      return shrink(run, startOf(run, large()));
    });
    expect(other).toEqual(one);
  });

  test("shrink: many operations fill a log until its first snapshot: it comes sooner", () => {
    const { run } = plantedRun({
      cause: ({ operations, options }) => {
        const every = Number(options["snapshotEveryEntries"] ?? 24);
        return every >= 4 && operations.length >= every ? lost : null;
      },
    });
    const found = shrink(run, startOf(run, large()));
    expect(found.after.operations).toBeLessThanOrEqual(10);
    expect(found.decisions.options["snapshotEveryEntries"]).toBe(found.after.operations);
  });

  test("shrink: a failure of few operations: snapshots stay as they were", () => {
    const { run } = plantedRun({ cause: (d) => (has(d, "kill-4", "1.2") ? lost : null) });
    const { options } = shrink(run, startOf(run, large())).decisions;
    expect(options).not.toHaveProperty("snapshotEveryEntries");
  });
});

describe("one by one", () => {
  /** The sets with one decision less, left out as plainly as can be. */
  const oneLess = (d: Decisions): Decisions[] => [
    ...d.faults.map((gone) => ({ ...d, faults: d.faults.filter((each) => each !== gone) })),
    ...d.operations.map((gone) => ({
      ...d,
      operations: d.operations.filter((each) => each !== gone),
    })),
    ...d.draws.map((gone) => ({ ...d, draws: d.draws.filter((each) => each !== gone) })),
  ];

  test("shrink: 200 decisions are left at most: to leave out any one loses the failure", () => {
    const thresholds = fc.record({
      faults: fc.nat(30),
      operations: fc.nat(110),
      draws: fc.nat(60),
      odd: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(thresholds, ({ faults, operations, draws, odd }) => {
        const { run } = plantedRun({
          cause: (d) => {
            const enough = d.faults.length >= faults && d.operations.length >= operations;
            // Some smaller sets fail though larger ones do not.
            const gap = (d.operations.length + d.draws.length) % (odd + 1) === odd;
            return enough && d.draws.length >= draws && !gap ? lost : null;
          },
        });
        const start = run(large());
        fc.pre(start.verdict === "violation");
        const found = shrink(run, start);
        expect(found.minimal).toBe(true);
        for (const less of oneLess(found.decisions)) expect(run(less).verdict).toBe("ok");
      }),
      { numRuns: 8 },
    );
  });

  test("shrink: more than 200 are left: nothing is claimed, no run is spent on it", () => {
    const { run } = plantedRun({ cause: (d) => (d.operations.length > 200 ? lost : null) });
    const seen: string[] = [];
    const found = shrink(run, startOf(run, large()), {
      onProgress: ({ pass }) => seen.push(pass),
    });
    expect(found).toMatchObject({ minimal: false, after: { operations: 201 } });
    expect(seen).not.toContain("one by one");
  });
});

describe("what counts", () => {
  test("shrink: a smaller set fails in another way: it is never taken", () => {
    const { run } = plantedRun({
      cause: (d) => {
        if (has(d, "kill-4", "cut-17", "2.31")) return lost;
        return d.faults.length < 10 ? "election-safety: two leaders" : null;
      },
    });
    const found = shrink(run, startOf(run, large()));
    expect(found.result.failure?.fingerprint).toBe(lost);
    expect(ids(found.decisions)).toEqual(["2.31", "cut-17", "kill-4"]);
  });

  test("shrink: the start does not fail again: it says so after one run", () => {
    const failing = plantedRun({ cause: () => lost });
    const start = startOf(failing.run, large());
    const fixed = plantedRun({ cause: () => null });
    const found = shrink(fixed.run, start);
    expect(found).toMatchObject({ outcome: "notReproduced", reruns: 1, minimal: false });
    expect(found.decisions).toEqual(start.decisions);
  });

  test("shrink: a run that is not deterministic: the result is not called verified", () => {
    const { run } = plantedRun({ cause: (d) => (has(d, "kill-4") ? lost : null) });
    let runs = 0;
    const wobbling = (decisions: Decisions): RunResult => ({
      ...run(decisions),
      digest: `${runs++}`,
    });
    const found = shrink(wobbling, startOf(run, large()));
    expect(found).toMatchObject({ outcome: "unstable", minimal: false });
  });

  test("shrink: a smallest failure already: nothing is gained, and it is proven", () => {
    const decisions: Decisions = {
      options: { nodes: 1, groups: 1, replication: 1, attackUs: 0 },
      faults: [plannedFault("kill", 0, { atUs: 0, forUs: 0 })],
      operations: [],
      draws: [],
    };
    const { run } = plantedRun({ cause: (d) => (has(d, "kill-0") ? lost : null) });
    const found = shrink(run, startOf(run, decisions));
    expect(found).toMatchObject({ outcome: "same", minimal: true, decisions });
  });
});

describe("budget", () => {
  test("shrink: a run that outlasts the smallest failure by far: may be stopped", () => {
    const { run } = plantedRun({ cause: (d) => (has(d, "kill-4") ? lost : null) });
    const start = startOf(run, large());
    const stops = new Set<number>();
    const late = { ...start, failure: { ...start.failure!, step: 50_000 } };
    shrink((decisions, stopAtStep) => {
      stops.add(stopAtStep);
      return run(decisions);
    }, late);
    // The planted run fails at step 7 as soon as anything of it is left out.
    expect([...stops]).toEqual([110_000, 10_014]);
  });

  test("shrink: budget: never more runs than allowed, no set is tried twice", () => {
    for (const rerunsMax of [4, 10, 60, 250]) {
      const { run, asked } = plantedRun({
        cause: (d) => (has(d, "kill-4", "cut-17", "2.31", "3.7", "0.44") ? lost : null),
      });
      const start = startOf(run, large());
      asked.length = 0;
      const found = shrink(run, start, { rerunsMax });
      expect(found.reruns).toBe(asked.length);
      expect(asked.length).toBeLessThanOrEqual(rerunsMax);
      expect(found.result.failure?.fingerprint).toBe(lost);
      if (found.spent) expect(found.minimal).toBe(false);
      const searched = asked.slice(1, -2).map((d) => JSON.stringify(d));
      expect(new Set(searched).size).toBe(searched.length);
    }
  });

  test("shrink: progress: reruns rise, decisions fall", () => {
    const { run } = plantedRun({ cause: (d) => (has(d, "kill-4") ? lost : null) });
    const seen: ShrinkProgress[] = [];
    shrink(run, startOf(run, large()), { onProgress: (progress) => seen.push(progress) });
    expect(seen.length).toBeGreaterThan(5);
    for (const [at, { reruns, decisions }] of seen.entries()) {
      if (at === 0) continue;
      expect(reruns).toBeGreaterThanOrEqual(seen[at - 1]!.reruns);
      expect(decisions).toBeLessThanOrEqual(seen[at - 1]!.decisions);
    }
  });
});

describe("any cause", () => {
  const everything = ids(large());
  const causes = fc.uniqueArray(fc.constantFrom(...everything), { minLength: 1, maxLength: 7 });

  test("shrink: any set of decisions as cause: a subset that still fails, exactly the cause", () => {
    fc.assert(
      fc.property(causes, (cause) => {
        const { run } = plantedRun({ cause: (d) => (has(d, ...cause) ? lost : null) });
        const start = run(large());
        const found = shrink(run, start);
        expect(run(found.decisions).failure?.fingerprint).toBe(lost);
        const before = new Set(everything);
        for (const id of ids(found.decisions)) expect(before.has(id)).toBe(true);
        expect(found.minimal).toBe(true);
        expect(ids(found.decisions)).toEqual([...cause].toSorted());
        expect(found.reruns).toBeLessThan(2_000);
      }),
      { numRuns: 40 },
    );
  });

  test("shrink: any threshold of faults and operations as cause: as few as it takes", () => {
    const thresholds = fc.record({ faults: fc.nat(8), operations: fc.nat(20) });
    fc.assert(
      fc.property(thresholds, ({ faults, operations }) => {
        const { run } = plantedRun({
          cause: (d) =>
            d.faults.length >= faults && d.operations.length >= operations ? lost : null,
        });
        const found = shrink(run, run(large()));
        expect(found.after).toMatchObject({ faults, operations, draws: 0 });
        expect(found.minimal).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test("shrink: small plans: nothing planted is lost for a put that must precede a get", () => {
    const decisions: Decisions = {
      options: { nodes: 3, groups: 1, replication: 3, attackUs: 9_000_000 },
      faults: [],
      operations: [
        plannedPut(0, 0),
        plannedPut(1, 0),
        plannedPut(0, 1, { kind: "get", value: "" }),
      ],
      draws: [],
    };
    const { run } = plantedRun({
      cause: (d) => {
        const put = d.operations.findIndex(({ id }) => id === "0.0");
        const get = d.operations.findIndex(({ kind }) => kind === "get");
        return put >= 0 && get > put ? lost : null;
      },
    });
    expect(ids(shrink(run, run(decisions)).decisions)).toEqual(["0.0", "0.1"]);
  });
});
