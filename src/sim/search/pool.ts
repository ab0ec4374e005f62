/** Where chunks of runs are done: in this thread, or in as many worker threads as are asked for. */
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import type { Scenario } from "../../lab/scenario.js";
import { byName, runChunk, type ChunkResult, type Simulate } from "./chunk.js";
import type { PlannedRun } from "./seeds.js";

export interface Pool {
  readonly jobs: number;
  /** Rejects when it is closed before the chunk is done. */
  run(chunk: readonly PlannedRun[]): Promise<ChunkResult>;
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

/** This thread, which takes a breath after every run to hear of interrupts and show progress. */
export function localPool(simulate: Simulate, scenarios: readonly Scenario[]): Pool {
  const known = byName(scenarios);
  let open = true;
  return {
    jobs: 1,
    async run(chunk) {
      const running = runChunk(simulate, known, chunk);
      for (;;) {
        const turn = running.next();
        if (turn.done === true) return turn.value;
        await setImmediate();
        if (!open) throw new Error("the pool was closed");
      }
    },
    async close() {
      open = false;
    },
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
    // Each thread is kept busy; whoever hands out chunks bounds how many wait.
    concurrentTasksPerWorker: 1,
    // A run leaves much short-lived data: the larger its nursery, the less of it is ever copied.
    resourceLimits: { maxYoungGenerationSizeMb: youngMbMax },
  });
  return {
    jobs,
    run: (chunk) => piscina.run(chunk) as Promise<ChunkResult>,
    close: () => piscina.destroy(),
  };
}
