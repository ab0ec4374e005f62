import type { RunResult } from "../lab/run-result.js";
import type { Scenario } from "../lab/scenario.js";
import type { FailureFile } from "../sim/search/artifact/failure-file.js";
import type { TraceEvent } from "../core/trace/schema.js";
import type { SimulateOptions } from "../sim/simulate.js";
import type { Cli } from "./verb.js";

/** A failure that came back, and the events of that run. */
export interface FailedAgain {
  readonly result: RunResult;
  readonly events: readonly TraceEvent[];
}

/**
 * Runs a failure again: by its decisions, and if that does not bring it back, and it may, by its
 * seed. Null when neither gives a failure with the same fingerprint.
 */
export function runAgain(cli: Cli, scenario: Scenario, file: FailureFile): RunResult | null {
  for (const how of waysOf(file)) {
    const result = cli.simulate(scenario, how);
    if (result.failure?.fingerprint === file.fingerprint) return result;
  }
  return null;
}

/** The same, with every event kept. */
export function traceAgain(cli: Cli, scenario: Scenario, file: FailureFile): FailedAgain | null {
  for (const how of waysOf(file)) {
    const events: TraceEvent[] = [];
    const result = cli.simulate(scenario, { ...how, trace: (event) => events.push(event) });
    if (result.failure?.fingerprint === file.fingerprint) return { result, events };
  }
  return null;
}

type Way = Pick<SimulateOptions, "seed" | "safetyOnly" | "decisions">;

function waysOf({ by, seed, safetyOnly, decisions }: FailureFile): readonly Way[] {
  const way = { seed, safetyOnly };
  return by === "seed" ? [{ ...way, decisions }, way] : [{ ...way, decisions }];
}
