/** Failure files as they are given to a verb, with the scenario that they are of. */
import type { Scenario } from "../lab/scenario.js";
import { readFailureFile, type FailureFile } from "../sim/search/artifact/failure-file.js";
import { readText, type FileProblem, type Read } from "../sim/search/artifact/json-file.js";
import { optionProblems } from "../sim/option-problems.js";
import { CliError, fileError } from "./errors.js";
import { exitCode } from "./exit-codes.js";
import type { ScenarioModule } from "./scenarios.js";

export interface FailureInput {
  readonly file: FailureFile;
  readonly scenario: Scenario;
}

/** A failure file, and nothing else that looks like one. */
export function readFailure(path: string): Read<FailureFile> {
  const read = readFailureFile(path);
  if ("ok" in read || read.problem.code !== "damaged") return read;
  const text = readText(path);
  if (!("ok" in text) || !isTrace(text.ok)) return read;
  const message = "it looks like a trace, not a failure file; `explain` reads both";
  return { problem: { ...read.problem, message } satisfies FileProblem };
}

export function openFailure(module: ScenarioModule, path: string): FailureInput {
  const read = readFailure(path);
  if ("problem" in read) throw fileError(read.problem);
  return { file: read.ok, scenario: scenarioOf(module, path, read.ok) };
}

/** Who typed the path did not type the scenario: it is the file that fits nothing here. */
export function scenarioOf(
  { scenarios }: ScenarioModule,
  path: string,
  { scenario: name, decisions }: FailureFile,
): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined)
    throw new CliError(exitCode.damagedFile, `${path} is of scenario ${name}, which is not there`);
  const [problem] = optionProblems(found, decisions.options);
  if (problem === undefined) return found;
  throw new CliError(exitCode.damagedFile, `${path}: at decisions.options, ${problem}`);
}

/** A trace names itself in its first line; a failure file does not. */
export function isTrace(text: string): boolean {
  const end = text.indexOf("\n");
  return /"tool"\s*:\s*"quorumlab"/.test(text.slice(0, end < 0 ? undefined : end));
}
