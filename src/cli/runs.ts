/** Runs with or without a trace, and keeps what the run leaves behind. */
import { accessSync, constants, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RunResult } from "../lab/run-result.js";
import type { Scenario } from "../lab/scenario.js";
import type { TraceEvent } from "../core/trace/schema.js";
import type { SimulateOptions } from "../sim/simulate.js";
import { currentBuild } from "../sim/search/artifact/build.js";
import { failureFileOf, writeFailureFile } from "../sim/search/artifact/failure-file.js";
import { makeFolder } from "../sim/search/artifact/folders.js";
import { writeTraceFile } from "../sim/search/artifact/trace-file.js";
import { writing } from "./errors.js";
import type { Cli } from "./verb.js";

/** One run, with its trace written if there is a path for it. */
export function runTraced(
  cli: Cli,
  scenario: Scenario,
  options: SimulateOptions,
  path: string | undefined,
): RunResult {
  if (path === undefined) return cli.simulate(scenario, options);
  // Found out before the run, not after it.
  checkTarget(path);
  const events: TraceEvent[] = [];
  const result = cli.simulate(scenario, { ...options, trace: (event) => events.push(event) });
  writing(path, () => writeTraceFile(path, result, { made: currentBuild(), events }));
  return result;
}

/** Where `--out` keeps failure files. */
export function failuresFolder(out: string): string {
  return join(out, "failures");
}

/** Writes the failure file of a run below `folder`; null when nothing was violated. */
export function keepFailure(
  folder: string,
  result: RunResult,
  { safetyOnly }: { readonly safetyOnly: boolean },
): string | null {
  const file = failureFileOf(result, {
    made: currentBuild(),
    mutant: null,
    by: "seed",
    safetyOnly,
  });
  if (file === null) return null;
  const path = join(failuresFolder(folder), `${result.scenario}-${result.seed}.json`);
  writing(path, () => writeFailureFile(path, file));
  return path;
}

/** Makes the folder if need be, and makes sure that it can be written to. */
export function checkFolder(folder: string): void {
  writing(folder, () => {
    makeFolder(folder);
    accessSync(folder, constants.W_OK);
  });
}

/** Makes sure that a file can be written there; what is no plain file needs no room beside it. */
export function checkTarget(path: string): void {
  const there = writing(path, () => statSync(path, { throwIfNoEntry: false }));
  if (there === undefined || there.isFile()) checkFolder(dirname(path));
  else writing(path, () => accessSync(path, constants.W_OK));
}
