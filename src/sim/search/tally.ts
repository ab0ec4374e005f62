/**
 * What is counted of runs. Tallies of parts of a search add up to that of the whole, in any order:
 * nothing in them depends on how the runs were dealt out to threads or shards.
 */
import type { FaultKind } from "../../lab/fault.js";
import type { RunResult } from "../../lab/run-result.js";
import type { Scenario } from "../../lab/scenario.js";

export interface Tally {
  seeds: number;
  passed: number;
  failed: number;
  inconclusive: number;
  /** One number for each run, in no particular order; medians are taken over them. */
  perRun: Record<Measure, number[]>;
  faults: Partial<Record<FaultKind, FaultTally>>;
  marks: Record<string, number>;
  scenarios: Record<string, ScenarioTally>;
}

/** What is measured of each run. */
export const measures = ["steps", "simulatedUs", "acknowledged", "leaderChanges"] as const;
export type Measure = (typeof measures)[number];

export interface FaultTally {
  fired: number;
  effective: number;
  /** Runs whose plan held the kind, without those cut short before it had an effect. */
  drawnRuns: number;
  /** Runs in which it changed anything. */
  effectiveRuns: number;
}

export interface ScenarioTally {
  runs: number;
  /** Runs that violated a property, wanted or not. */
  violations: number;
  /** By kind and id: faults of the scenario's own plan, in runs without a violation. */
  planned: Partial<Record<FaultKind, Record<string, PlannedTally>>>;
}

/** A plan may hold a fault in some seeds only. */
export interface PlannedTally {
  /** Runs whose plan held it. */
  runs: number;
  /** Those in which it changed nothing. */
  inertRuns: number;
}

/** `passed` counts an `expect: violation` scenario either way: the search as a whole judges that. */
export type Standing = "passed" | "failed" | "inconclusive";

export function emptyTally(): Tally {
  return {
    seeds: 0,
    passed: 0,
    failed: 0,
    inconclusive: 0,
    perRun: { steps: [], simulatedUs: [], acknowledged: [], leaderChanges: [] },
    faults: {},
    marks: {},
    scenarios: {},
  };
}

export function standingOf({ verdict }: RunResult, { expect }: Scenario): Standing {
  if (verdict === "ok") return "passed";
  if (verdict === "undecided") return "inconclusive";
  return expect === "violation" ? "passed" : "failed";
}

export function countRun(tally: Tally, result: RunResult, scenario: Scenario): void {
  const cutShort = result.verdict === "violation";
  tally.seeds++;
  tally[standingOf(result, scenario)]++;
  for (const measure of measures) tally.perRun[measure].push(result[measure]);
  for (const [kind, { drawn, fired, effective }] of Object.entries(result.faults)) {
    const count = faultOf(tally, kind as FaultKind);
    count.fired += fired;
    count.effective += effective;
    // A run that a violation cut short says nothing of what would have come later.
    if (drawn > 0 && (effective > 0 || !cutShort)) count.drawnRuns++;
    if (drawn > 0 && effective > 0) count.effectiveRuns++;
  }
  for (const [mark, hits] of Object.entries(result.marks)) add(tally.marks, mark, hits);
  const own = scenarioOf(tally, scenario.name);
  own.runs++;
  if (cutShort) own.violations++;
  else countPlanned(own, result);
}

/** Adds `from` to `to`. */
export function addTally(to: Tally, from: Tally): void {
  to.seeds += from.seeds;
  to.passed += from.passed;
  to.failed += from.failed;
  to.inconclusive += from.inconclusive;
  for (const measure of measures) {
    for (const value of from.perRun[measure]) to.perRun[measure].push(value);
  }
  for (const [kind, count] of Object.entries(from.faults)) {
    const sum = faultOf(to, kind as FaultKind);
    sum.fired += count.fired;
    sum.effective += count.effective;
    sum.drawnRuns += count.drawnRuns;
    sum.effectiveRuns += count.effectiveRuns;
  }
  for (const [mark, hits] of Object.entries(from.marks)) add(to.marks, mark, hits);
  for (const [name, theirs] of Object.entries(from.scenarios)) {
    const own = scenarioOf(to, name);
    own.runs += theirs.runs;
    own.violations += theirs.violations;
    for (const [kind, ids] of Object.entries(theirs.planned)) {
      for (const [id, { runs, inertRuns }] of Object.entries(ids)) {
        const sum = plannedOf(own, kind as FaultKind, id);
        sum.runs += runs;
        sum.inertRuns += inertRuns;
      }
    }
  }
}

/** Faults of the swarm are drawn anew for each seed: their kinds are judged over the whole search. */
function countPlanned(tally: ScenarioTally, { inert, decisions }: RunResult): void {
  const without = new Set(inert);
  for (const { id, kind } of decisions.faults) {
    if (id.startsWith("swarm-")) continue;
    const count = plannedOf(tally, kind, id);
    count.runs++;
    if (without.has(id)) count.inertRuns++;
  }
}

function plannedOf({ planned }: ScenarioTally, kind: FaultKind, id: string): PlannedTally {
  const ids = (planned[kind] ??= {});
  return (ids[id] ??= { runs: 0, inertRuns: 0 });
}

function faultOf(tally: Tally, kind: FaultKind): FaultTally {
  return (tally.faults[kind] ??= { fired: 0, effective: 0, drawnRuns: 0, effectiveRuns: 0 });
}

function scenarioOf(tally: Tally, name: string): ScenarioTally {
  return (tally.scenarios[name] ??= { runs: 0, violations: 0, planned: {} });
}

function add(counts: Record<string, number>, name: string, by: number): void {
  counts[name] = (counts[name] ?? 0) + by;
}
