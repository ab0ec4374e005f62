/** A worker thread of the search: loads the scenarios once, then does one run after another. */
import { workerData } from "node:worker_threads";
import type { Scenario } from "../../lab/scenario.js";
import { simulate } from "../simulate.js";
import type { WorkerSetup } from "./pool.js";
import { byName, runPlanned, type RunReport } from "./run-planned.js";
import type { PlannedRun } from "./seeds.js";

const { scenariosUrl } = workerData as WorkerSetup;
const { scenarios } = (await import(scenariosUrl)) as { scenarios: readonly Scenario[] };
const known = byName(scenarios);

export default function work(planned: PlannedRun): RunReport {
  return runPlanned(simulate, known, planned);
}
