/** A worker thread of the search: loads the scenarios once, then does chunks of runs. */
import { workerData } from "node:worker_threads";
import type { Scenario } from "../../lab/scenario.js";
import { simulate } from "../simulate.js";
import { byName, runChunk, type ChunkResult } from "./chunk.js";
import type { WorkerSetup } from "./pool.js";
import type { PlannedRun } from "./seeds.js";

const { scenariosUrl } = workerData as WorkerSetup;
const { scenarios } = (await import(scenariosUrl)) as { scenarios: readonly Scenario[] };
const known = byName(scenarios);

export default function work(chunk: readonly PlannedRun[]): ChunkResult {
  const running = runChunk(simulate, known, chunk);
  for (;;) {
    const turn = running.next();
    if (turn.done === true) return turn.value;
  }
}
