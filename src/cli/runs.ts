/** Runs with or without a trace, and keeps what the run leaves behind. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RunResult } from "../lab/run-result.js";
import type { Scenario } from "../lab/scenario.js";
import type { TraceEvent } from "../core/trace/schema.js";
import type { SimulateOptions } from "../sim/simulate.js";
import { currentBuild } from "../sim/search/artifact/build.js";
import { failureFileOf, writeFailureFile } from "../sim/search/artifact/failure-file.js";
import { makeFolder } from "../sim/search/artifact/folders.js";
import { writeTraceFile } from "../sim/search/artifact/trace-file.js";
import { CliError, tryWriting, writing } from "./errors.js";
import { exitCode } from "./exit-codes.js";
import type { Cli } from "./verb.js";

/** A file that a run was to leave behind. */
export interface Kept {
  /** Null when there is none. */
  readonly path: string | null;
  /** Why it could not be written; that must not keep anybody from telling what the run came to. */
  readonly refused: CliError | null;
}

export const keptNothing: Kept = { path: null, refused: null };

/** One run, with its trace written if there is a path for it. */
export function runTraced(
  cli: Cli,
  scenario: Scenario,
  options: SimulateOptions,
  path: string | undefined,
): { readonly result: RunResult; readonly trace: Kept } {
  if (path === undefined) return { result: cli.simulate(scenario, options), trace: keptNothing };
  // Found out before the run, not after it.
  checkTarget(path);
  const events: TraceEvent[] = [];
  const result = cli.simulate(scenario, { ...options, trace: (event) => events.push(event) });
  const trace = keep(path, () => writeTraceFile(path, result, { made: currentBuild(), events }));
  return { result, trace };
}

/** Where `--out` keeps failure files. */
export function failuresFolder(out: string): string {
  return join(out, "failures");
}

/** Writes the failure file of a run below `folder`, if anything was violated. */
export function keepFailure(
  folder: string,
  result: RunResult,
  { safetyOnly }: { readonly safetyOnly: boolean },
): Kept {
  const made = currentBuild();
  const file = failureFileOf(result, { made, mutant: null, by: "seed", safetyOnly });
  if (file === null) return keptNothing;
  const path = join(failuresFolder(folder), `${result.scenario}-${result.seed}.json`);
  return keep(path, () => writeFailureFile(path, file));
}

function keep(path: string, write: () => void): Kept {
  const refused = tryWriting(path, write);
  return { path: refused === null ? path : null, refused };
}

/** Makes sure, before a long search, that results can be kept below `folder`, failures too. */
export function checkResultsFolder(folder: string): void {
  checkFolder(folder);
  // There may never be any, so their folder is not made.
  const failures = failuresFolder(folder);
  if (existsSync(failures)) checkFolder(failures);
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
  if (there?.isDirectory() === true) {
    throw new CliError(exitCode.cannotWrite, `cannot write ${path} (it is a folder)`);
  }
  if (there === undefined || there.isFile()) checkFolder(dirname(path));
  else writing(path, () => accessSync(path, constants.W_OK));
}
