import { setImmediate } from "node:timers/promises";
import type { Command } from "commander";
import type { RunResult } from "../../lab/run-result.js";
import { currentBuild } from "../../sim/search/artifact/build.js";
import {
  failureFileOf,
  writeFailureFile,
  type FailureFile,
} from "../../sim/search/artifact/failure-file.js";
import {
  rerunsMaxDefault,
  shrinking,
  type DecisionsSize,
  type ShrinkResult,
} from "../../sim/shrink/shrink.js";
import { tryWriting, type CliError } from "../errors.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import { openFailure, type FailureInput } from "../failure-input.js";
import { scenariosOption, wholeNumber } from "../options.js";
import { grouped, table, type Output } from "../output.js";
import { mutantOption, withMutantOf } from "../planted.js";
import { moduleFlag, quoted } from "../report.js";
import { checkTarget } from "../runs.js";
import { runAgain } from "../runs-again.js";
import { loadScenarios } from "../scenarios.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";

interface ShrinkVerbOptions extends CommonOptions {
  readonly reruns: number;
  readonly to?: string;
  readonly scenarios?: string;
  readonly mutant?: string;
}

export function shrinkVerb(cli: Cli): Command {
  return verb(cli, {
    name: "shrink",
    about: "Makes a failure smaller: fewer faults, operations and nodes, the same fingerprint.",
    example: "npx quorumlab shrink out/failures/swarm-42.json",
    exits: [0, 2, 3, 65, 66, 73, 130],
  })
    .argument("<file>", "a failure file, as `search` and `run` leave it")
    .option(
      "--reruns <n>",
      "how often to run it again at most, from 4",
      (text) => wholeNumber(text, 1_000_000, 4),
      rerunsMaxDefault,
    )
    .option("--to <file>", "where to write it (default: FILE with .shrunk.json)")
    .addOption(scenariosOption())
    .addOption(mutantOption())
    .action(
      acting(cli, async (output: Output, options: ShrinkVerbOptions, path: string) => {
        const { file, scenario } = openFailure(await loadScenarios(options.scenarios), path);
        const given = { path, file, scenario, options };
        return withMutantOf({ cli, output }, file, options.mutant, (mutated) =>
          shrinkFile(mutated, output, given),
        );
      }),
    );
}

interface Given extends FailureInput {
  readonly path: string;
  readonly options: ShrinkVerbOptions;
}

async function shrinkFile(
  cli: Cli,
  output: Output,
  { path, file, scenario, options }: Given,
): Promise<ExitCode> {
  const to = options.to ?? shrunkPath(path);
  checkTarget(to);
  const start = runAgain(cli, scenario, file);
  if (start === null) {
    output.note(`The failure of ${path} does not come back; nothing to shrink.`);
    return exitCode.undecided;
  }
  const { seed, safetyOnly } = file;
  let left = Infinity;
  const stop = new AbortController();
  const trying = shrinking(
    (decisions, stopAtStep) => cli.simulate(scenario, { seed, safetyOnly, decisions, stopAtStep }),
    start,
    {
      rerunsMax: options.reruns,
      signal: stop.signal,
      onProgress(progress) {
        if (progress.decisions === left) return;
        left = progress.decisions;
        output.note(`${progress.reruns} runs, ${left} decisions left: ${progress.pass}`);
      },
    },
  );
  const forget = cli.onInterrupt(() => stop.abort());
  const found = await driven(trying).finally(forget);
  const { aborted: interrupted } = stop.signal;
  return conclude(output, { path, to, file, scenario, found, interrupted, options });
}

/** Takes a breath between two runs, to hear of an interrupt. */
async function driven<Result>(trying: Generator<void, Result>): Promise<Result> {
  for (;;) {
    const turn = trying.next();
    if (turn.done === true) return turn.value;
    await setImmediate();
  }
}

interface Shrunk extends Given {
  readonly to: string;
  readonly found: ShrinkResult;
  readonly interrupted: boolean;
}

function conclude(
  output: Output,
  { path, to, file, found, interrupted, options }: Shrunk,
): ExitCode {
  const { outcome, reruns, minimal, before, after } = found;
  const kept = outcome === "smaller" || outcome === "same";
  const mutant = options.mutant ?? file.mutant;
  const smallest = { ...found.result, decisions: found.decisions };
  const refused = kept ? keep(to, smallest, { ...file, mutant }) : null;
  const artifact = kept && refused === null ? to : null;
  const { scenario, seed, property } = file;
  const { digest } = found.result;
  output.record(
    {
      kind: "shrunk",
      scenario,
      seed,
      property,
      outcome,
      minimal,
      reruns,
      before,
      after,
      digest,
      artifact,
    },
    describe(output, found),
  );
  if (outcome === "notReproduced") {
    output.note(`The decisions of ${path} alone do not bring its failure back.`);
    return exitCode.undecided;
  }
  if (outcome === "unstable") {
    output.note(
      "The smallest failure did not come out twice the same: the run is not deterministic.",
    );
    return exitCode.notDeterministic;
  }
  if (refused !== null) {
    output.note(`quorumlab: ${refused.message}`);
    return refused.exitCode;
  }
  if (interrupted) output.note(`Interrupted; the smallest failure so far is in ${quoted(to)}.`);
  const from = moduleFlag(options.scenarios);
  output.last(`npx quorumlab explain ${quoted(to)}${from}`);
  output.last(`npx quorumlab replay ${quoted(to)}${from}`);
  return interrupted ? exitCode.interrupted : exitCode.held;
}

function keep(path: string, result: RunResult, of: FailureFile): CliError | null {
  const { mutant, safetyOnly } = of;
  const made = currentBuild();
  const file = failureFileOf(result, { made, mutant, by: "decisions", safetyOnly });
  return file === null ? null : tryWriting(path, () => writeFailureFile(path, file));
}

function describe(
  { paint }: Output,
  { outcome, before, after, reruns, minimal }: ShrinkResult,
): string {
  const words = {
    smaller: paint.green("smaller"),
    same: paint.green("as small as it was"),
    notReproduced: paint.yellow("not reproduced"),
    unstable: paint.red("not deterministic"),
  }[outcome];
  const counts = ["faults", "operations", "clients", "draws", "nodes", "groups"] as const;
  const rows = counts.map((name: keyof DecisionsSize) => [
    name === "draws" ? "unusual draws" : name,
    `${grouped(before[name])} -> ${grouped(after[name])}`,
  ]);
  const proof = minimal
    ? "each one that is left is needed"
    : "it was not proven that all are needed";
  return `${words} after ${grouped(reruns)} runs; ${proof}\n${table(rows)}`;
}

/** `a/b.json` becomes `a/b.shrunk.json`, and that stays itself. */
export function shrunkPath(path: string): string {
  return path.endsWith(".shrunk.json") ? path : `${path.replace(/\.json$/, "")}.shrunk.json`;
}
