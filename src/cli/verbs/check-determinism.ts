import type { Command } from "commander";
import { currentBuild, defaultSeed } from "../../sim/search/artifact/build.js";
import { checkSeed, type Difference } from "../../sim/search/determinism.js";
import { seedLimit } from "../../sim/search/seeds.js";
import { usageError } from "../errors.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import { scenariosOption, seedOption, wholeNumber } from "../options.js";
import type { Output } from "../output.js";
import { headerRecord, moduleFlag } from "../report.js";
import { chooseScenarios, loadScenarios } from "../scenarios.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";

interface CheckDeterminismOptions extends CommonOptions {
  readonly seeds: number;
  readonly from?: number;
  readonly scenarios?: string;
}

export function checkDeterminismVerb(cli: Cli): Command {
  return verb(cli, {
    name: "check-determinism",
    about:
      "Runs each seed twice in one process, in both orders of the scenarios, and once in a fresh " +
      "process, and compares them event by event.",
    example: "npx quorumlab check-determinism swarm --seeds 3",
    exits: [0, 3, 65, 66, 130],
  })
    .argument("[scenario...]", "names, as `list` shows them (default: all)")
    .option(
      "--seeds <n>",
      "how many seeds, each with every scenario",
      (text) => wholeNumber(text),
      1,
    )
    .addOption(seedOption("--from <seed>", "the first seed (default: the built commit)"))
    .addOption(scenariosOption())
    .action(
      acting(cli, (output: Output, options: CheckDeterminismOptions, names: readonly string[]) =>
        checkDeterminism(cli, output, options, names),
      ),
    );
}

async function checkDeterminism(
  cli: Cli,
  output: Output,
  options: CheckDeterminismOptions,
  names: readonly string[],
): Promise<ExitCode> {
  const module = await loadScenarios(options.scenarios);
  const scenarios = chooseScenarios(module, names);
  const build = currentBuild();
  const from = options.from ?? defaultSeed(build);
  const { seeds } = options;
  if (from + seeds - 1 > seedLimit) throw usageError("the last seed must be below 2^53");
  const header = { scenarios: scenarios.map(({ name }) => name), from, seeds };
  const startedMs = performance.now();
  const stop = new AbortController();
  const forget = cli.onInterrupt(() => stop.abort());
  output.record(headerRecord(build, header), null);
  let compared = 0;
  try {
    for (let seed = from; seed < from + seeds && !stop.signal.aborted; seed++) {
      const { simulate } = cli;
      const { url: scenariosUrl } = module;
      const { signal } = stop;
      const found = await checkSeed({ simulate, scenarios, scenariosUrl, seed, signal });
      if (found !== null) {
        tell(output, found, options.scenarios);
        return exitCode.notDeterministic;
      }
      if (!signal.aborted) compared += scenarios.length;
      output.note(`seed ${seed}: ${signal.aborted ? "interrupted" : "no difference"}`);
    }
  } finally {
    forget();
  }
  const wallMs = Math.round(performance.now() - startedMs);
  const runs = 3 * compared;
  output.record(
    { kind: "summary", seeds: compared, runs, differences: 0, wallMs },
    `deterministic: ${compared} seeds, ${runs} runs, no event differs`,
  );
  return stop.signal.aborted ? exitCode.interrupted : exitCode.held;
}

function tell(output: Output, found: Difference, module: string | undefined): void {
  const { scenario, seed, event, sides } = found;
  const lines = sides.map(
    ({ run, digest, shown }) =>
      `  ${run} (digest ${digest}):\n    ${shown ?? "nothing there, or nothing that comes back"}`,
  );
  output.record(
    { kind: "difference", scenario, seed, event, sides },
    `${output.paint.red("NOT DETERMINISTIC")}  ${scenario}, seed ${seed}: ` +
      `event ${event} differs\n${lines.join("\n")}`,
  );
  output.last(`npx quorumlab check-determinism ${scenario} --from ${seed}${moduleFlag(module)}`);
}
