import { existsSync } from "node:fs";
import { Option, type Command } from "commander";
import type { RunResult } from "../../lab/run-result.js";
import type { Scenario } from "../../lab/scenario.js";
import type { SimulateOptions } from "../../sim/simulate.js";
import { currentBuild, otherCode } from "../../sim/search/artifact/build.js";
import type { FailureFile } from "../../sim/search/artifact/failure-file.js";
import { parseSeed } from "../../sim/search/seeds.js";
import { fileError, usageError } from "../errors.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import { readFailure, scenarioOf } from "../failure-input.js";
import { safetyOnlyOption, scenariosOption, wholeNumber } from "../options.js";
import type { Output } from "../output.js";
import { describeRun, exitOf, headerRecord, moduleFlag, quoted, resultRecord } from "../report.js";
import { mutantFlag, mutantOption, withMutant, withMutantOf } from "../planted.js";
import { runTraced } from "../runs.js";
import { findScenario, loadScenarios, type ScenarioModule } from "../scenarios.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";

interface ReplayOptions extends CommonOptions {
  readonly scenario?: string;
  readonly by?: "seed" | "decisions";
  readonly first?: number;
  readonly stopAt?: number;
  readonly trace?: string;
  readonly safetyOnly: boolean;
  readonly scenarios?: string;
  readonly mutant?: string;
}

/** What is to be run again, from a file or as it was typed. */
interface Replay {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly by: "seed" | "decisions";
  /** Null when only the seed is known. */
  readonly file: FailureFile | null;
}

export function replayVerb(cli: Cli): Command {
  return verb(cli, {
    name: "replay",
    about: "Runs a failure, or any seed, again.",
    example: "npx quorumlab replay out/failures/torn-logs-1234.json --trace trace.jsonl",
    exits: [0, 1, 2, 65, 66, 73],
  })
    .argument("<file or seed>", "a failure file, or a seed with --scenario")
    .option("--scenario <name>", "the scenario that the seed is for")
    .addOption(
      new Option(
        "--by <what>",
        "seed: the same code gives the same run. decisions: holds when code has changed; " +
          "what they do not name is as usual (default: what fits the file and the code)",
      ).choices(["seed", "decisions"]),
    )
    .option("--first <n>", "with only the first n decisions: faults, then unusual draws", (text) =>
      wholeNumber(text),
    )
    .option("--stop-at <step>", "ends after so many steps", (text) => wholeNumber(text))
    .option("--trace <file>", "writes the trace there")
    .addOption(safetyOnlyOption())
    .addOption(scenariosOption())
    .addOption(mutantOption())
    .action(
      acting(cli, async (output: Output, options: ReplayOptions, target: string) => {
        const module = await loadScenarios(options.scenarios);
        const what =
          options.scenario === undefined
            ? fromFile(output, module, target, options)
            : typed(module, target, options);
        const act = (mutated: Cli): ExitCode => replay(mutated, output, { options, target, what });
        return what.file === null
          ? withMutant(cli, options.mutant, act)
          : withMutantOf({ cli, output }, what.file, options.mutant, act);
      }),
    );
}

interface Asked {
  readonly options: ReplayOptions;
  /** As it was typed. */
  readonly target: string;
  readonly what: Replay;
}

function replay(cli: Cli, output: Output, { options, target, what }: Asked): ExitCode {
  const { scenario, seed, by, file } = what;
  const safetyOnly = file?.safetyOnly ?? options.safetyOnly;
  const asked: SimulateOptions = {
    seed,
    safetyOnly,
    ...(options.stopAt === undefined ? {} : { stopAtStep: options.stopAt }),
    ...(by === "seed"
      ? {}
      : { decisions: file?.decisions ?? cli.simulate(scenario, { seed, safetyOnly }).decisions }),
    ...(options.first === undefined ? {} : { firstDecisions: options.first }),
  };
  const { result, trace } = runTraced(cli, scenario, asked, options.trace);
  const stopped = result.verdict === "undecided" && result.steps === options.stopAt;
  output.record(
    headerRecord(currentBuild(), {
      scenario: scenario.name,
      seed,
      by,
      options: result.decisions.options,
    }),
    null,
  );
  output.record(
    resultRecord(result, { expect: scenario.expect, by, same: file && isSame(file, result) }),
    describeRun(output, result, scenario),
  );
  if (stopped) output.pretty(`stopped at step ${result.steps}, as asked`);
  else if (file !== null) output.pretty(compared(file, result, { by, options }));
  if (trace.refused !== null) output.note(`quorumlab: ${trace.refused.message}`);
  if (result.failure !== null) {
    const named = options.scenario === undefined ? "" : ` --scenario ${options.scenario}`;
    const how = file === null && safetyOnly ? " --safety-only" : "";
    const part = [
      options.first === undefined ? "" : ` --first ${options.first}`,
      options.stopAt === undefined ? "" : ` --stop-at ${options.stopAt}`,
    ].join("");
    const from = moduleFlag(options.scenarios) + mutantFlag(options.mutant);
    output.last(`npx quorumlab replay ${quoted(target)}${named} --by ${by}${part}${how}${from}`);
  }
  if (trace.refused !== null) return trace.refused.exitCode;
  if (stopped) return exitCode.held;
  // Whoever replays a failure asks whether it is still there, whatever the scenario expects.
  return file !== null && result.failure !== null ? exitCode.violated : exitOf(result, scenario);
}

function typed(
  module: ScenarioModule,
  target: string,
  { scenario: name = "", by, first }: ReplayOptions,
): Replay {
  const seed = parseSeed(target);
  if (seed === null && existsSync(target)) {
    throw usageError(`${target} is a file, which names its scenario itself; leave --scenario out`);
  }
  if (seed === null) {
    throw usageError(
      `${target} is no seed: a decimal number below 2^53, hex with 0x, or a commit's 40 digits`,
    );
  }
  const scenario = findScenario(module, name);
  return { scenario, seed, by: chosen(by, first) ?? "seed", file: null };
}

function fromFile(
  output: Output,
  module: ScenarioModule,
  path: string,
  { by, first, safetyOnly }: ReplayOptions,
): Replay {
  const read = readFailure(path);
  if ("problem" in read) {
    const isSeed = read.problem.code === "missing" && parseSeed(path) !== null;
    throw isSeed
      ? usageError(`to replay a seed, name its scenario: replay ${path} --scenario NAME`)
      : fileError(read.problem);
  }
  const file = read.ok;
  const scenario = scenarioOf(module, path, file);
  if (safetyOnly && !file.safetyOnly) {
    throw usageError(`${path} is of a run without --safety-only; leave it out`);
  }
  const now = currentBuild();
  const sameCode = otherCode(now, file.made) === null;
  if (!sameCode) {
    output.note(
      `note: the file was made by ${codeName(file.made)}, this is ${codeName(now)}: ` +
        "a seed may mean another run, decisions mostly mean the same",
    );
  }
  if (file.drawsNotRecorded > 0) {
    output.note(
      `note: ${file.drawsNotRecorded} unusual draws had no room in the file: only --by seed repeats the run`,
    );
  }
  const usual = sameCode ? file.by : "decisions";
  return { scenario, seed: file.seed, by: chosen(by, first) ?? usual, file };
}

function chosen(
  by: "seed" | "decisions" | undefined,
  first: number | undefined,
): "seed" | "decisions" | null {
  if (first === undefined) return by ?? null;
  if (by === "seed") throw usageError("--first takes some of the decisions: leave --by seed out");
  return "decisions";
}

function isSame({ fingerprint }: FailureFile, { failure }: RunResult): boolean {
  return failure?.fingerprint === fingerprint;
}

function compared(
  file: FailureFile,
  result: RunResult,
  { by, options }: { readonly by: Replay["by"]; readonly options: ReplayOptions },
): string {
  if (result.failure === null) return `${file.property} did not come back`;
  if (!isSame(file, result))
    return `this is another failure than that of the file, ${file.property}`;
  if (by !== file.by || options.first !== undefined) return "the same failure";
  return result.digest === file.digest
    ? "the same failure, byte for byte"
    : `the same failure in another run: the file has digest ${file.digest}`;
}

function codeName({ commit, dirty, version }: FailureFile["made"]): string {
  const code = commit === null ? `version ${version}` : commit.slice(0, 12);
  return dirty ? `${code} with changes` : code;
}
