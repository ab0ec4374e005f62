/** One run of a search, done in this thread, and what is worth sending back of it. */
import type { RunResult } from "../../lab/run-result.js";
import type { Scenario } from "../../lab/scenario.js";
import { isScenarioError } from "../../lab/scenario-error.js";
import type { PlannedRun } from "./seeds.js";
import { countRun, emptyTally, standingOf, type Tally } from "./tally.js";

export type Simulate = (
  scenario: Scenario,
  options: { readonly seed: number; readonly safetyOnly: boolean },
) => RunResult;

export interface RunReport {
  readonly tally: Tally;
  /** Null unless it failed; then with all that is needed to run it again. */
  readonly failure: FailedRun | null;
  /** Null unless the simulator itself broke down; then nothing was counted. */
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

export function runPlanned(
  simulate: Simulate,
  scenarios: ReadonlyMap<string, Scenario>,
  planned: PlannedRun,
): RunReport {
  const scenario = scenarios.get(planned.scenario);
  if (scenario === undefined) return brokenDown(planned, "there is no such scenario");
  try {
    const { run, seed, safetyOnly } = planned;
    const result = simulate(scenario, { seed, safetyOnly });
    const tally = emptyTally();
    countRun(tally, result, scenario);
    const failed = standingOf(result, scenario) === "failed";
    return { tally, failure: failed ? { run, result } : null, crash: null };
  } catch (error) {
    return brokenDown(planned, error);
  }
}

export function brokenDown(planned: PlannedRun, error: unknown): RunReport {
  const message = error instanceof Error ? error.message : String(error);
  const crash = { ...planned, message, byScenario: isScenarioError(error) };
  return { tally: emptyTally(), failure: null, crash };
}

export function byName(scenarios: readonly Scenario[]): ReadonlyMap<string, Scenario> {
  return new Map(scenarios.map((scenario) => [scenario.name, scenario]));
}
