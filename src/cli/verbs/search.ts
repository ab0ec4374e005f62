import { Option, type Command } from "commander";
import type { RunResult } from "../../lab/run-result.js";
import { currentBuild, defaultSeed } from "../../sim/search/artifact/build.js";
import { localPool, workerPool, type Pool } from "../../sim/search/pool.js";
import { writeResultFile, type FailureRow } from "../../sim/search/result-file.js";
import { search as runSearch, type SearchOutcome } from "../../sim/search/search.js";
import { parseSeedRange, seedLimit, type SearchPlan, type Shard } from "../../sim/search/seeds.js";
import { vacuities } from "../../sim/search/vacuity.js";
import { checkEarlier } from "../earlier-results.js";
import { CliError, tryWriting, usageError } from "../errors.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import {
  durationArgument,
  jobsOption,
  safetyOnlyOption,
  scenariosOption,
  seedOption,
  shardArgument,
  wholeNumber,
} from "../options.js";
import type { Output } from "../output.js";
import { Progress } from "../progress.js";
import { moduleFlag, quoted } from "../report.js";
import { checkResultsFolder, keepFailure, keptNothing } from "../runs.js";
import { chooseScenarios, loadScenarios, type ScenarioModule } from "../scenarios.js";
import {
  checkReport,
  searchHeader,
  tellEnd,
  tellFailure,
  type ReportOptions,
} from "../search-report.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";

interface SearchOptions extends CommonOptions, ReportOptions {
  readonly seeds?: string;
  readonly from?: number;
  readonly budget?: number;
  readonly jobs: number;
  readonly shard: Shard;
  readonly bail?: number;
  readonly safetyOnly: boolean;
  readonly out?: string;
}

interface NamedOptions extends SearchOptions {
  readonly nameOf: NameOf;
}

/** Without a number of seeds or a budget. */
const seedsDefault = 1_000;
/** More failure files help nobody. */
const artifactsMax = 100;

export function searchVerb(cli: Cli): Command {
  const command = verb(cli, {
    name: "search",
    about: "Runs scenarios with many seeds, the scenarios taking turns.",
    example: "npx quorumlab search swarm torn-logs --seeds 500 --jobs 4",
    exits: [0, 1, 2, 65, 66, 73, 130],
  })
    .argument("[scenario...]", "names, as `list` shows them (default: all)")
    .addOption(
      new Option(
        "--seeds <seeds>",
        `A..B, both included, or a number of runs (default: ${seedsDefault})`,
      ).env(variables.seeds),
    )
    .addOption(
      seedOption("--from <seed>", "the first seed (default: the built commit)").env(variables.from),
    )
    .option("--budget <time>", "no new run after this long, like 90s, 10m or 2h", durationArgument)
    .addOption(jobsOption())
    .addOption(
      new Option("--shard <i/n>", "every n-th run, beginning with run i; see `merge`")
        .argParser(shardArgument)
        .default({ index: 1, of: 1 }, "1/1"),
    )
    .option("--bail <n>", "stop after so many failures", (text) => wholeNumber(text))
    .option(
      "--out <folder>",
      "where results and failures are kept (default: out). The result of an earlier search is " +
        "replaced, unless it is of another shard; its failure files stay",
    )
    .option("--junit <file>", "writes a report in JUnit's XML")
    .option("--github", "writes annotations for GitHub to standard error")
    .addOption(safetyOnlyOption())
    .addOption(scenariosOption());
  const nameOf: NameOf = (option) =>
    command.getOptionValueSource(option) === "env" ? variables[option] : `--${option}`;
  return command.action(
    acting(cli, (output: Output, options: SearchOptions, names: readonly string[]) =>
      search(cli, output, { ...options, nameOf }, names),
    ),
  );
}

/** What these options may come from, beside what is typed. */
const variables = { seeds: "QUORUMLAB_SEEDS", from: "QUORUMLAB_FROM" } as const;

/** How whoever set an option knows it. */
type NameOf = (option: keyof typeof variables) => string;

async function search(
  cli: Cli,
  output: Output,
  options: NamedOptions,
  names: readonly string[],
): Promise<ExitCode> {
  const module = await loadScenarios(options.scenarios);
  const searched = chooseScenarios(module, names);
  const made = currentBuild();
  const plan = planOf(
    options,
    searched.map(({ name }) => name),
    defaultSeed(made),
  );
  const folder = options.out ?? defaultFolder(plan.shard);
  checkResultsFolder(folder);
  checkReport(options);
  checkEarlier(output, folder, plan);
  const stop = new AbortController();
  const forget = cli.onInterrupt(() => stop.abort());
  output.record(searchHeader(made, plan), null);
  const setting = { options, plan, module, folder, stop };
  const { outcome, failures, unkept } = await drive(cli, output, setting).finally(forget);
  const { end, tally, wallMs } = outcome;
  const allScenarios = searched.length === module.scenarios.length;
  // Without a number of runs there is nothing that a budget could cut short.
  const complete = end === "done" || (end === "budget" && plan.runs === null);
  const whole = complete && plan.shard.of === 1;
  const unsaved = tryWriting(folder, () =>
    writeResultFile(folder, {
      format: "quorumlab-search",
      version: 2,
      made,
      plan,
      allScenarios,
      complete,
      wallMs,
      tally,
      failures,
    }),
  );
  const missing = whole ? vacuities(tally, { searched, all: allScenarios }) : [];
  if (end === "budget" && !complete) missing.push("the budget ran out before all seeds were run");
  if (unkept !== null) missing.push(`the search ended at a failure: ${unkept.message}`);
  else if (end === "interrupted") {
    missing.push(`the search was interrupted; what it found is in ${quoted(folder)}`);
  }
  if (unsaved !== null) missing.push(unsaved.message);
  const unreported = tellEnd(output, { plan, tally, failures, wallMs, missing }, options);
  const refused = unkept ?? unsaved ?? unreported;
  if (refused !== null) return refused.exitCode;
  if (end === "interrupted") return exitCode.interrupted;
  if (outcome.crash !== null) throw crashError(outcome.crash, options.scenarios);
  return verdictOf({ failed: tally.failed, inconclusive: tally.inconclusive, missing });
}

interface Setting {
  readonly options: SearchOptions;
  readonly plan: SearchPlan;
  readonly module: ScenarioModule;
  readonly folder: string;
  readonly stop: AbortController;
}

interface Driven {
  readonly outcome: SearchOutcome;
  readonly failures: readonly FailureRow[];
  /** Why the last of them is in no file: that ended the search. */
  readonly unkept: CliError | null;
}

/** Runs the search, keeping and telling failures as they come. */
async function drive(
  cli: Cli,
  output: Output,
  { options, plan, module, folder, stop }: Setting,
): Promise<Driven> {
  const failures: FailureRow[] = [];
  let unkept: CliError | null = null;
  const pool = makePool(cli, options.jobs, module);
  const progress = new Progress(cli.terminal, output);
  try {
    const outcome = await runSearch(plan, {
      pool,
      bail: options.bail ?? null,
      budgetMs: options.budget ?? null,
      signal: stop.signal,
      onFailure({ run, result }) {
        const mayKeep = failures.length < artifactsMax && unkept === null;
        const kept = mayKeep ? keepFailure(folder, result, options) : keptNothing;
        const row = rowOf(run, result, kept.path);
        failures.push(row);
        progress.aside(() => tellFailure(output, row));
        unkept ??= kept.refused;
        if (unkept !== null) stop.abort();
      },
      onProgress: (now) => progress.show(now),
    });
    return { outcome, failures, unkept };
  } finally {
    progress.stop();
    await pool.close();
  }
}

function makePool(cli: Cli, jobs: number, { url, scenarios }: ScenarioModule): Pool {
  return jobs === 1 ? localPool(cli.simulate, scenarios) : workerPool(jobs, { scenariosUrl: url });
}

function planOf(
  { seeds, from, budget, shard, safetyOnly, nameOf }: NamedOptions,
  scenarios: readonly string[],
  fallback: number,
): SearchPlan {
  const range = seeds === undefined ? null : parseSeedRange(seeds);
  if (range !== null && from !== undefined) {
    throw usageError(`${nameOf("seeds")} A..B says where to begin; leave ${nameOf("from")} out`);
  }
  if (budget === 0) throw usageError("--budget leaves no time for any run");
  const first = range?.from ?? from ?? fallback;
  const runs = range?.runs ?? runsOf(seeds, budget, nameOf);
  if (first + (runs ?? 0) - 1 > seedLimit) throw usageError("the last seed must be below 2^53");
  return { scenarios, from: first, runs, safetyOnly, shard };
}

function runsOf(
  seeds: string | undefined,
  budget: number | undefined,
  nameOf: NameOf,
): number | null {
  if (seeds === undefined) return budget === undefined ? seedsDefault : null;
  const runs = /^[0-9]{1,16}$/.test(seeds) ? Number(seeds) : 0;
  if (runs >= 1 && runs <= seedLimit) return runs;
  const form = "a number of runs from 1 on, or A..B with A at most B";
  throw usageError(`${nameOf("seeds")} is ${form}; not ${seeds}`);
}

function defaultFolder({ index, of }: Shard): string {
  return of === 1 ? "out" : `out/shard-${index}-of-${of}`;
}

function rowOf(run: number, result: RunResult, artifact: string | null): FailureRow {
  const { scenario, seed, digest } = result;
  const { property, message, step } = result.failure!;
  return { run, scenario, seed, property, message, step, digest, artifact };
}

function crashError(
  { scenario, seed, safetyOnly, message, byScenario }: NonNullable<SearchOutcome["crash"]>,
  module: string | undefined,
): CliError {
  const how = `${safetyOnly ? " --safety-only" : ""}${moduleFlag(module)}`;
  return new CliError(
    byScenario ? exitCode.damagedFile : exitCode.ourFault,
    `${byScenario ? "" : "the simulator itself broke down: "}${message}\n` +
      `npx quorumlab run ${scenario} --seed ${seed}${how}`,
  );
}

export function verdictOf(of: {
  readonly failed: number;
  readonly inconclusive: number;
  readonly missing: readonly string[];
}): ExitCode {
  if (of.failed > 0) return exitCode.violated;
  return of.inconclusive > 0 || of.missing.length > 0 ? exitCode.undecided : exitCode.held;
}
