import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { allMarks } from "../../../src/core/marks.js";
import type { Scenario } from "../../../src/lab/scenario.js";
import { summaryOf } from "../../../src/sim/search/summary.js";
import { addTally, countRun, emptyTally, type Tally } from "../../../src/sim/search/tally.js";
import { marksElsewhere } from "../../../src/sim/search/marks-elsewhere.js";
import { vacuities } from "../../../src/sim/search/vacuity.js";
import { fakeSimulate } from "../../cli/fake.js";
import { scenarios } from "../../cli/scenarios.fixture.js";

const [first, , broken] = scenarios as [Scenario, Scenario, Scenario];

function tallyOf(seeds: readonly number[], scenario: Scenario = first): Tally {
  const tally = emptyTally();
  for (const seed of seeds) countRun(tally, fakeSimulate(scenario, { seed }), scenario);
  return tally;
}
const upTo = (n: number): number[] => Array.from({ length: n }, (_, at) => at);

describe("tally", () => {
  test("parts add up to the whole in any order, medians included", () => {
    const whole = summaryOf(tallyOf(upTo(101)), 0);
    const parts = [2, 0, 1].map((rest) => tallyOf(upTo(101).filter((seed) => seed % 3 === rest)));
    const sum = emptyTally();
    for (const part of parts) addTally(sum, part);
    expect(summaryOf(sum, 0)).toEqual(whole);
    expect(sum.scenarios).toEqual(tallyOf(upTo(101)).scenarios);
    expect(sum.scenarios["first"]?.planned.kill?.["kill-0"]?.inertRuns).toBeGreaterThan(20);
  });

  test("a median is a value that occurred: of an even number the lower one", () => {
    const tally = emptyTally();
    for (const [at, steps] of [40, 10, 30, 20].entries()) {
      countRun(tally, { ...fakeSimulate(first, { seed: at }), steps }, first);
    }
    expect(summaryOf(tally, 0).perRun.steps).toBe(20);
  });

  test("a violation of a scenario that expects one is passed", () => {
    const tally = tallyOf([7], broken);
    expect([tally.passed, tally.failed, tally.scenarios["broken"]?.violations]).toEqual([1, 0, 1]);
  });

  test("faults of the swarm are never held against a scenario's plan", () => {
    const tally = emptyTally();
    const result = fakeSimulate(first, { seed: 1 });
    countRun(tally, { ...result, inert: ["swarm-kill-1", "loss:1:2:0@3#0"] }, first);
    expect(tally.scenarios["first"]?.planned).toEqual({
      kill: { "kill-0": { runs: 1, inertRuns: 0 } },
    });
    const [fault] = result.decisions.faults;
    const decisions = { ...result.decisions, faults: [{ ...fault!, id: "swarm-kill-1" }] };
    const other = emptyTally();
    countRun(other, { ...result, decisions, inert: ["swarm-kill-1"] }, first);
    expect(other.scenarios["first"]?.planned).toEqual({});
  });
});

describe("tally: a run that a violation cut short", () => {
  test("is not held against faults that had no effect yet", () => {
    const tally = emptyTally();
    const result = {
      ...fakeSimulate(broken, { seed: 7 }),
      inert: ["kill-0"],
      faults: {
        kill: { drawn: 1, fired: 0, effective: 0 },
        pause: { drawn: 1, fired: 2, effective: 1 },
      },
    };
    countRun(tally, result, broken);
    countRun(tally, { ...result, verdict: "ok" }, broken);
    expect(tally.scenarios["broken"]).toEqual({
      runs: 2,
      violations: 1,
      planned: { kill: { "kill-0": { runs: 1, inertRuns: 1 } } },
    });
    expect(tally.faults.kill).toMatchObject({ drawnRuns: 1, effectiveRuns: 0 });
    expect(tally.faults.pause).toMatchObject({ drawnRuns: 2, effectiveRuns: 2 });
  });
});

describe("vacuity", () => {
  const sound = (): Tally => {
    const tally = emptyTally();
    tally.seeds = 2_000;
    tally.marks = Object.fromEntries(Object.keys(allMarks).map((name) => [name, 1]));
    tally.faults = { kill: { fired: 500, effective: 5, drawnRuns: 500, effectiveRuns: 5 } };
    tally.scenarios = {
      first: {
        runs: 1_000,
        violations: 0,
        planned: {
          kill: {
            "kill-0": { runs: 1_000, inertRuns: 490 },
            "kill-1": { runs: 100, inertRuns: 50 },
            "kill-2": { runs: 19, inertRuns: 19 },
          },
        },
      },
      broken: { runs: 1_000, violations: 1, planned: {} },
    };
    return tally;
  };
  const judged = (change: (tally: Tally) => void, all = true): string[] => {
    const tally = sound();
    change(tally);
    return vacuities(tally, { searched: [first, broken], all });
  };
  const mark = Object.keys(allMarks)[0]!;

  test("nothing is missing from a sound search", () => {
    expect(judged(() => {})).toEqual([]);
  });

  test.each<[string, (tally: Tally) => void, string]>([
    ["a mark that was never reached", (tally) => delete tally.marks[mark], `mark ${mark}`],
    [
      "a fault without effect in 1 of 100 seeds that drew it",
      (tally) => (tally.faults.kill!.effectiveRuns = 4),
      "fault kill had an effect in 4 of the 500",
    ],
    [
      "a fault that was set off and never had an effect, as every run was cut short before",
      (tally) =>
        (tally.faults.lyingSync = { fired: 9, effective: 0, drawnRuns: 0, effectiveRuns: 0 }),
      "fault lyingSync was set off 9 times and never had an effect",
    ],
    [
      "an expected violation that was not found",
      (tally) => (tally.scenarios["broken"]!.violations = 0),
      "scenario broken expects a violation",
    ],
    [
      "a planned fault that changed nothing in more than half of the seeds",
      (tally) => (tally.scenarios["first"]!.planned.kill!["kill-0"]!.inertRuns = 501),
      "fault kill-0 of scenario first changed nothing in 501 of the 1000",
    ],
    [
      "a fault that few seeds plan, and that changed nothing in more than half of these",
      (tally) => (tally.scenarios["first"]!.planned.kill!["kill-1"]!.inertRuns = 51),
      "fault kill-1 of scenario first changed nothing in 51 of the 100",
    ],
    [
      "faults of a kind, each in too few seeds, that changed nothing in more than half of them",
      (tally) =>
        (tally.scenarios["first"]!.planned.pause = {
          "pause-0": { runs: 15, inertRuns: 9 },
          "pause-1": { runs: 14, inertRuns: 6 },
        }),
      "faults pause of scenario first changed nothing in 15 of the 29",
    ],
  ])("%s is missing", (_what, change, reason) => {
    const found = judged(change);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(reason);
  });

  test("a fault that nothing in a node can feel: its effect is not missed", () => {
    const count = { fired: 500, effective: 0, drawnRuns: 500, effectiveRuns: 0 };
    expect(judged((tally) => (tally.faults.wallStep = count))).toEqual([]);
    expect(judged((tally) => (tally.faults.drift = count))).toHaveLength(1);
  });

  test("marks that are reached elsewhere: not missed, and their tests name them", () => {
    const found = judged((tally) => {
      for (const name of Object.keys(marksElsewhere)) delete tally.marks[name];
    });
    expect(found).toEqual([]);
    for (const [name, { test: path }] of Object.entries(marksElsewhere)) {
      expect(readFileSync(path, "utf8")).toContain(`"${name}"`);
    }
  });

  test("a search of fewer than 2,000 seeds is not judged", () => {
    const change = (tally: Tally): void => {
      tally.seeds = 1_999;
      tally.marks = {};
    };
    expect(judged(change)).toEqual([]);
  });

  test("a search of some scenarios need not reach every mark", () => {
    expect(judged((tally) => (tally.marks = {}), false)).toEqual([]);
  });
});
