/** Where runs are done: in this thread, or in as many worker threads as are asked for. */
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import type { Scenario } from "../../lab/scenario.js";
import { byName, runPlanned, type RunReport, type Simulate } from "./run-planned.js";
import type { PlannedRun } from "./seeds.js";

export interface Pool {
  readonly jobs: number;
  /** Rejects when the thread dies, or the pool is closed before the run is done. */
  run(planned: PlannedRun): Promise<RunReport>;
  close(): Promise<void>;
}

export const jobsMax = 256;

/** The built worker: a thread cannot load TypeScript. Seen alike from `src` and from `dist`. */
const workerUrl = new URL("../../../dist/sim/search/worker.js", import.meta.url);

/** What a worker is told when it starts. */
export interface WorkerSetup {
  /** URL of the module that exports `scenarios`. */
  readonly scenariosUrl: string;
}

/** This thread: each run is done before `run` comes back. */
export function localPool(simulate: Simulate, scenarios: readonly Scenario[]): Pool {
  const known = byName(scenarios);
  return {
    jobs: 1,
    run: async (planned) => runPlanned(simulate, known, planned),
    close: async () => {},
  };
}

/** Of one worker: three semi-spaces of 32 MB. */
const youngMbMax = 96;

export function workerPool(jobs: number, setup: WorkerSetup): Pool {
  const piscina = new Piscina({
    filename: fileURLToPath(workerUrl),
    workerData: setup,
    minThreads: jobs,
    maxThreads: jobs,
    // Each thread is kept busy; whoever hands out runs bounds how many wait.
    concurrentTasksPerWorker: 1,
    // A run leaves much short-lived data: the larger its nursery, the less of it is ever copied.
    resourceLimits: { maxYoungGenerationSizeMb: youngMbMax },
  });
  return {
    jobs,
    run: (planned) => piscina.run(planned) as Promise<RunReport>,
    close: () => piscina.destroy(),
  };
}
