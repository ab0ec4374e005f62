/** Runs seeds in a worker thread, on the code of the `dist` folder that it is told to load. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import type { Scenario } from "../../../lab/scenario.js";
import type { RunResult } from "../../../lab/run-result.js";
import type { simulate as Simulate } from "../../simulate.js";

/** Asks for one run. */
export interface RunRequest {
  readonly scenario: string;
  readonly seed: number;
}

/** What is worth sending back of a run. */
export type RunReply =
  | { readonly kind: "ran"; readonly result: RunResult }
  | { readonly kind: "crashed"; readonly message: string };

export interface WorkerSetup {
  readonly dist: string;
}

/** A run of the unmutated code needs a tenth of it; a storm of messages must end some time. */
const stepsMax = 2_000_000;

const { dist } = workerData as WorkerSetup;
const load = async <T>(file: string): Promise<T> =>
  (await import(pathToFileURL(join(dist, file)).href)) as T;
const { simulate } = await load<{ simulate: typeof Simulate }>("sim/simulate.js");
const { scenarios } = await load<{ scenarios: readonly Scenario[] }>("scenarios/index.js");

parentPort?.on("message", ({ scenario, seed }: RunRequest) => {
  parentPort?.postMessage(run(scenario, seed));
});

function run(name: string, seed: number): RunReply {
  const scenario = scenarios.find((each) => each.name === name);
  if (scenario === undefined) return { kind: "crashed", message: `no scenario ${name}` };
  try {
    return { kind: "ran", result: simulate(scenario, { seed, stopAtStep: stepsMax }) };
  } catch (error) {
    // A mutant may break the simulator's own assumptions; that is no verdict of an oracle.
    return { kind: "crashed", message: error instanceof Error ? error.message : String(error) };
  }
}
