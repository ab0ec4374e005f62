import { InvalidArgumentError, Option, type Command } from "commander";
import { currentBuild, defaultSeed } from "../../sim/search/artifact/build.js";
import type { ExitCode } from "../exit-codes.js";
import { safetyOnlyOption, scenariosOption, seedOption } from "../options.js";
import type { Output } from "../output.js";
import {
  describeRun,
  exitOf,
  failureRecord,
  headerRecord,
  replayLines,
  resultRecord,
} from "../report.js";
import { keepFailure, runTraced } from "../runs.js";
import { findScenario, loadScenarios } from "../scenarios.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";

interface RunOptions extends CommonOptions {
  readonly seed?: number;
  readonly trace?: string;
  readonly out: string;
  readonly safetyOnly: boolean;
  readonly scenarios?: string;
}

export function runVerb(cli: Cli): Command {
  return verb(cli, {
    name: "run",
    about: "Runs one scenario with one seed.",
    example: "npx quorumlab run leader-crash-loop --seed 42",
    exits: [0, 1, 2, 65, 66, 73],
  })
    .argument("<scenario>", "its name, as `list` shows it")
    .addOption(
      seedOption("--seed <seed>", "what decides everything (default: the built commit)").env(
        "QUORUMLAB_SEED",
      ),
    )
    .addOption(
      new Option("--world <world>", "where to run it").argParser(worldArgument).default("sim"),
    )
    .option("--trace <file>", "writes the trace there")
    .option("--out <folder>", "where a failure is kept", "out")
    .addOption(safetyOnlyOption())
    .addOption(scenariosOption())
    .action(
      acting(cli, (output: Output, options: RunOptions, name: string) =>
        run(cli, output, options, name),
      ),
    );
}

function worldArgument(text: string): string {
  if (text === "sim") return text;
  const why = text === "real" ? "The real world is not built yet. " : "";
  throw new InvalidArgumentError(`${why}Allowed choices are sim.`);
}

async function run(cli: Cli, output: Output, options: RunOptions, name: string): Promise<ExitCode> {
  const scenario = findScenario(await loadScenarios(options.scenarios), name);
  const build = currentBuild();
  const seed = options.seed ?? defaultSeed(build);
  const { safetyOnly } = options;
  const { result, trace } = runTraced(cli, scenario, { seed, safetyOnly }, options.trace);
  const { failure } = result;
  const kept = keepFailure(options.out, result, { safetyOnly });
  const artifact = kept.path;
  output.record(
    headerRecord(build, { scenario: name, seed, options: result.decisions.options }),
    null,
  );
  if (failure !== null) {
    const { property, step } = failure;
    output.record(
      failureRecord({ scenario: name, seed, property, step, digest: result.digest, artifact }),
      null,
    );
  }
  output.record(
    resultRecord(result, { expect: scenario.expect }),
    describeRun(output, result, scenario),
  );
  const refused = kept.refused ?? trace.refused;
  if (refused !== null) output.note(`quorumlab: ${refused.message}`);
  if (failure !== null) {
    const where = { scenario: name, seed, step: failure.step, artifact, safetyOnly };
    for (const line of replayLines({ ...where, module: options.scenarios })) output.last(line);
  }
  return refused?.exitCode ?? exitOf(result, scenario);
}
