import { join } from "node:path";
import type { Command } from "commander";
import type { RunResult } from "../../lab/run-result.js";
import type { Scenario } from "../../lab/scenario.js";
import { currentBuild } from "../../sim/search/artifact/build.js";
import { failureFileOf, writeFailureFile } from "../../sim/search/artifact/failure-file.js";
import { standingOf } from "../../sim/search/tally.js";
import { shrink, type ShrinkResult } from "../../sim/shrink/shrink.js";
import { CliError, writing } from "../errors.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import { counted, duration, grouped, type Output } from "../output.js";
import { withMutant } from "../planted.js";
import { quoted } from "../report.js";
import { checkFolder } from "../runs.js";
import { findScenario, loadScenarios } from "../scenarios.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";

interface DemoOptions extends CommonOptions {
  readonly out: string;
}

/** A follower that acknowledges more than the append it answers has proven. */
const planted = {
  mutant: "34-acknowledges-its-whole-log",
  scenario: "flapping-network",
} as const;
/** Something of each kind that ships. */
export const shown = [
  "calm-cluster",
  "leader-crash-loop",
  "majority-partition",
  "torn-logs",
  "bit-rot",
  "membership-under-fire",
  "rolling-restart",
  "lying-fsync",
  "vanished-tail",
  "slots-on-the-move",
  "split-under-crashes",
  "group-reborn",
  "sealed",
  "tokens-replaced",
  "wake-up-storm",
  "swarm",
] as const;
/** The same for everybody, so that README can show what comes out. A search begins elsewhere with each commit. */
const firstSeed = 1;
/** The first part stops after so long, wherever it is; the second finds its bug in a few seeds. */
const searchMsMax = 20_000;
const seedsMax = 50;
/** Enough to see what is left of a failure, and over in seconds. */
const rerunsMax = 400;

export function demoVerb(cli: Cli): Command {
  return verb(cli, {
    name: "demo",
    about:
      "Under a minute: searches the shipped scenarios, then plants a bug, finds it, shrinks it.",
    example: "npx quorumlab demo",
    exits: [0, 1, 2, 3, 73],
  })
    .option("--out <dir>", "where the failure is kept", "out/demo")
    .action(acting(cli, (output: Output, options: DemoOptions) => demo(cli, output, options)));
}

async function demo(cli: Cli, output: Output, { out }: DemoOptions): Promise<ExitCode> {
  const module = await loadScenarios(undefined);
  checkFolder(out);
  const scenarios = shown.map((name) => findScenario(module, name));
  if (!searchShipped(cli, output, scenarios)) return exitCode.violated;
  const scenario = findScenario(module, planted.scenario);
  return withMutant(cli, planted.mutant, (mutated) => {
    output.pretty(`\n2. The same code with a bug planted: ${planted.mutant}`);
    const found = findBug(mutated, scenario);
    if (found === null) {
      output.note(`the planted bug was not found in ${seedsMax} seeds`);
      return exitCode.undecided;
    }
    tellFound(output, found);
    return shrinkBug(mutated, output, { scenario, found, out });
  });
}

/** As far as time allows. False when something is wrong with us. */
function searchShipped(cli: Cli, output: Output, scenarios: readonly Scenario[]): boolean {
  output.pretty("1. Some of the shipped scenarios, a seed each");
  const startedMs = performance.now();
  for (const scenario of scenarios) {
    if (performance.now() - startedMs > searchMsMax) break;
    const result = cli.simulate(scenario, { seed: firstSeed });
    const standing = standingOf(result, scenario);
    const { seed, verdict, steps, acknowledged, leaderChanges } = result;
    const word =
      standing === "failed"
        ? output.paint.red("FAILED")
        : output.paint.green(verdict === "violation" ? "violated, as it must be" : "held");
    output.record(
      { kind: "run", scenario: scenario.name, seed, verdict, steps, acknowledged, leaderChanges },
      `   ${scenario.name.padEnd(26)} ${grouped(steps).padStart(7)} steps, ` +
        `${grouped(acknowledged).padStart(5)} operations, ${counted(leaderChanges, "leader")}: ${word}`,
    );
    if (standing === "failed") {
      output.last(`npx quorumlab replay ${seed} --scenario ${scenario.name}`);
      return false;
    }
  }
  return true;
}

function findBug(cli: Cli, scenario: Scenario): RunResult | null {
  for (let seed = firstSeed; seed < firstSeed + seedsMax; seed++) {
    const result = cli.simulate(scenario, { seed });
    if (result.verdict === "violation") return result;
  }
  return null;
}

function tellFound(output: Output, { scenario, seed, failure, steps }: RunResult): void {
  output.record(
    { kind: "found", mutant: planted.mutant, scenario, seed, property: failure?.property, steps },
    `   found: ${output.paint.red(failure?.property ?? "")} in ${scenario}, seed ${seed}, ` +
      `at step ${grouped(steps)}\n   ${failure?.message ?? ""}`,
  );
}

interface Found {
  readonly scenario: Scenario;
  readonly found: RunResult;
  readonly out: string;
}

function shrinkBug(cli: Cli, output: Output, { scenario, found, out }: Found): ExitCode {
  const { seed } = found;
  const startedMs = performance.now();
  const shrunk = shrink(
    (decisions, stopAtStep) => cli.simulate(scenario, { seed, decisions, stopAtStep }),
    found,
    { rerunsMax },
  );
  if (shrunk.outcome === "unstable") return exitCode.notDeterministic;
  if (shrunk.outcome === "notReproduced") return exitCode.undecided;
  output.pretty("\n3. Shrunk, with the same property broken in the same way");
  tellShrunk(output, shrunk, performance.now() - startedMs);
  const result: RunResult = { ...shrunk.result, decisions: shrunk.decisions };
  const { mutant } = planted;
  const path = join(out, `${mutant}.json`);
  const made = { made: currentBuild(), mutant, by: "decisions", safetyOnly: false } as const;
  const file = failureFileOf(result, made);
  if (file === null) throw new CliError(exitCode.ourFault, "the shrunk run did not fail");
  writing(path, () => writeFailureFile(path, file));
  const again = cli.simulate(scenario, { seed, decisions: file.decisions });
  if (again.digest !== file.digest) return exitCode.notDeterministic;
  output.pretty(
    "\n4. Replayed from its file: the same failure, byte for byte. See for yourself:\n",
  );
  output.last(`npx quorumlab explain ${quoted(path)}`);
  output.last(`npx quorumlab replay ${quoted(path)}`);
  return exitCode.held;
}

function tellShrunk(
  output: Output,
  { before, after, reruns, decisions }: ShrinkResult,
  ms: number,
): void {
  const left = decisions.faults.map(
    ({ kind, nodes, group, atUs }) =>
      `   ${duration(atUs / 1_000).padStart(7)}  ${kind} ` +
      (nodes.length > 0 ? `node ${nodes.join(", ")}` : `the leader of group ${group + 1}`),
  );
  output.record(
    { kind: "shrunk", before, after, reruns },
    `   ${sizeOf(before)}\n   -> ${sizeOf(after)} ` +
      `(${counted(reruns, "run")}, ${duration(ms)})\n${left.join("\n")}`,
  );
}

function sizeOf({ faults, operations, draws }: ShrinkResult["before"]): string {
  const parts = [counted(faults, "fault"), counted(operations, "operation")];
  return [...parts, counted(draws, "unusual draw")].join(", ");
}
