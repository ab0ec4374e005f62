import { allMarks } from "../../core/marks.js";
import { faultKinds, type FaultKind } from "../../lab/fault.js";
import type { Tally } from "./tally.js";

/** The last line of a search. All but `wallMs` and `stepsPerSecond` is the same on every machine. */
export interface Summary {
  readonly kind: "summary";
  readonly seeds: number;
  readonly passed: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly steps: number;
  readonly simulatedMs: number;
  readonly wallMs: number;
  readonly stepsPerSecond: number;
  readonly acknowledged: number;
  readonly leaderChanges: number;
  /** Medians; of an even number of runs the lower of the two in the middle. */
  readonly perRun: {
    readonly steps: number;
    readonly simulatedMs: number;
    readonly acknowledged: number;
    readonly leaderChanges: number;
  };
  /** Every kind there is, in the order of `list`. */
  readonly faults: Readonly<Record<FaultKind, { fired: number; effective: number }>>;
  /** Every mark there is, in the order of `list`. */
  readonly marks: Readonly<Record<string, number>>;
}

export function summaryOf(tally: Tally, wallMs: number): Summary {
  const { steps, simulatedUs, acknowledged, leaderChanges } = tally.perRun;
  return {
    kind: "summary",
    seeds: tally.seeds,
    passed: tally.passed,
    failed: tally.failed,
    inconclusive: tally.inconclusive,
    steps: sum(steps),
    simulatedMs: Math.round(sum(simulatedUs) / 1_000),
    wallMs: Math.round(wallMs),
    stepsPerSecond: wallMs > 0 ? Math.round((sum(steps) * 1_000) / wallMs) : 0,
    acknowledged: sum(acknowledged),
    leaderChanges: sum(leaderChanges),
    perRun: {
      steps: median(steps),
      simulatedMs: Math.round(median(simulatedUs) / 1_000),
      acknowledged: median(acknowledged),
      leaderChanges: median(leaderChanges),
    },
    faults: faultCounts(tally),
    marks: markCounts(tally),
  };
}

function faultCounts(tally: Tally): Summary["faults"] {
  const counts: Partial<Record<FaultKind, { fired: number; effective: number }>> = {};
  for (const kind of Object.keys(faultKinds) as FaultKind[]) {
    const { fired, effective } = tally.faults[kind] ?? { fired: 0, effective: 0 };
    counts[kind] = { fired, effective };
  }
  return counts as Summary["faults"];
}

function markCounts(tally: Tally): Record<string, number> {
  const names = Object.keys(allMarks);
  return Object.fromEntries(names.map((name) => [name, tally.marks[name] ?? 0]));
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[(sorted.length - 1) >> 1] ?? 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
