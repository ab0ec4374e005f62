import type { Command } from "commander";
import { type ExplainOptions, explainTrace } from "../../lab/explain/explain.js";
import { readTrace, traceProblemText, type Trace } from "../../lab/trace-reader.js";
import { currentBuild } from "../../sim/search/artifact/build.js";
import { readText } from "../../sim/search/artifact/json-file.js";
import { traceHeader } from "../../sim/trace-writer.js";
import { CliError, fileError } from "../errors.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import { isTrace, openFailure, type FailureInput } from "../failure-input.js";
import { durationArgument, scenariosOption, wholeNumber } from "../options.js";
import type { Output } from "../output.js";
import { mutantFlag, mutantOption, withMutantOf } from "../planted.js";
import { replayLines } from "../report.js";
import { traceAgain, type FailedAgain } from "../runs-again.js";
import { loadScenarios } from "../scenarios.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";

interface ExplainVerbOptions extends CommonOptions {
  readonly lines?: number;
  readonly window?: number;
  readonly scenarios?: string;
  readonly mutant?: string;
}

export function explainVerb(cli: Cli): Command {
  return verb(cli, {
    name: "explain",
    about: "Tells a failure as a timeline: what broke, what led to it, what each node believed.",
    example: "npx quorumlab explain out/failures/swarm-42.shrunk.json",
    exits: [0, 2, 65, 66],
  })
    .argument("<file>", "a failure file, or a trace")
    .option("--lines <n>", "of the timeline, at most", (text) => wholeNumber(text, 100_000))
    .option("--window <time>", "small things are told so long before the end", durationArgument)
    .addOption(scenariosOption())
    .addOption(mutantOption())
    .action(
      acting(cli, (output: Output, options: ExplainVerbOptions, path: string) =>
        explainFile(cli, output, options, path),
      ),
    );
}

async function explainFile(
  cli: Cli,
  output: Output,
  options: ExplainVerbOptions,
  path: string,
): Promise<ExitCode> {
  const text = readText(path);
  if ("problem" in text) throw fileError(text.problem);
  if (isTrace(text.ok)) {
    const trace = traceOf(path, text.ok);
    tell(output, trace, options, {});
    if (trace.cut === null) return exitCode.held;
    // What is left can be told, but what is missing may be what matters.
    output.note(`${path} is not whole: ${traceProblemText(trace.cut)}`);
    return exitCode.undecided;
  }
  const { file, scenario } = openFailure(await loadScenarios(options.scenarios), path);
  const given = { path, file, scenario, options };
  return withMutantOf({ cli, output }, file, options.mutant, (mutated) =>
    explainFailure(mutated, output, given),
  );
}

interface Given extends FailureInput {
  readonly path: string;
  readonly options: ExplainVerbOptions;
}

function explainFailure(
  cli: Cli,
  output: Output,
  { path, file, scenario, options }: Given,
): ExitCode {
  const again = traceAgain(cli, scenario, file);
  if (again === null) {
    output.note(`The failure of ${path} does not come back.`);
    return exitCode.undecided;
  }
  const hints = {
    scenario: file.scenario,
    seed: file.seed,
    step: file.step,
    artifact: path,
    safetyOnly: file.safetyOnly,
    module: options.scenarios,
  };
  // What was shrunk comes back by its decisions alone.
  const lines = file.by === "seed" ? replayLines(hints) : replayLines(hints).slice(0, 1);
  const flag = mutantFlag(options.mutant ?? file.mutant ?? undefined);
  const pasted = lines.map((line) => line + flag);
  const properties = (scenario.protocol ?? scenario.stateMachine)?.properties ?? [];
  tell(output, traceOfRun(again), options, { replay: pasted, properties });
  return exitCode.held;
}

function tell(
  output: Output,
  trace: Trace,
  { lines, window }: ExplainVerbOptions,
  known: ExplainOptions,
): void {
  const text = explainTrace(trace, {
    ...known,
    ...(lines === undefined ? {} : { linesMax: lines }),
    ...(window === undefined ? {} : { windowUs: window * 1_000 }),
  });
  const { header, cut } = trace;
  const { scenario, seed } = header;
  const missing = cut && { code: cut.code, line: cut.line, message: traceProblemText(cut) };
  output.record({ kind: "explanation", scenario, seed, cut: missing, text }, text);
}

function traceOf(path: string, text: string): Trace {
  const read = readTrace(text.split("\n"));
  if ("ok" in read) return read.ok;
  throw new CliError(exitCode.damagedFile, `${path}: ${traceProblemText(read.error)}`);
}

function traceOfRun({ result, events }: FailedAgain): Trace {
  const { commit, node: nodeVersion } = currentBuild();
  const { scenario, seed, decisions } = result;
  const { options } = decisions;
  const header = traceHeader({ scenario, seed, options, commit: commit ?? "", nodeVersion });
  return { header, events, cut: null };
}
