/** Some runs done one after another, in this thread, and what is worth sending back of them. */
import type { RunResult } from "../../lab/run-result.js";
import type { Scenario } from "../../lab/scenario.js";
import { isScenarioError } from "../../lab/scenario-error.js";
import type { PlannedRun } from "./seeds.js";
import { countRun, emptyTally, standingOf, type Tally } from "./tally.js";

export type Simulate = (
  scenario: Scenario,
  options: { readonly seed: number; readonly safetyOnly: boolean },
) => RunResult;

export interface ChunkResult {
  readonly tally: Tally;
  /** Runs that failed, with all that is needed to run them again. */
  readonly failures: readonly FailedRun[];
  /** The first run that the simulator itself broke down in; those after it were not done. */
  readonly crash: CrashedRun | null;
}

export interface FailedRun {
  readonly run: number;
  readonly result: RunResult;
}

export interface CrashedRun extends PlannedRun {
  readonly message: string;
  /** True if the scenario's own code threw. */
  readonly byScenario: boolean;
}

/** Runs what is planned until something breaks down or `goOn` says no. */
export function* runChunk(
  simulate: Simulate,
  scenarios: ReadonlyMap<string, Scenario>,
  runs: readonly PlannedRun[],
): Generator<void, ChunkResult> {
  const tally = emptyTally();
  const failures: FailedRun[] = [];
  for (const planned of runs) {
    const scenario = scenarios.get(planned.scenario);
    if (scenario === undefined) {
      return {
        tally,
        failures,
        crash: { ...planned, message: "there is no such scenario", byScenario: false },
      };
    }
    try {
      const { seed, safetyOnly } = planned;
      const result = simulate(scenario, { seed, safetyOnly });
      countRun(tally, result, scenario);
      if (standingOf(result, scenario) === "failed") failures.push({ run: planned.run, result });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return {
        tally,
        failures,
        crash: { ...planned, message, byScenario: isScenarioError(error) },
      };
    }
    yield;
  }
  return { tally, failures, crash: null };
}

export function byName(scenarios: readonly Scenario[]): ReadonlyMap<string, Scenario> {
  return new Map(scenarios.map((scenario) => [scenario.name, scenario]));
}
