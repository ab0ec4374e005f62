import { statSync } from "node:fs";
import { dirname, normalize } from "node:path";
import type { Command } from "commander";
import { mergeResults, readResultFile, resultPath } from "../../sim/search/result-file.js";
import { vacuities } from "../../sim/search/vacuity.js";
import { CliError, fileError, usageError } from "../errors.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import { scenariosOption } from "../options.js";
import type { Output } from "../output.js";
import { chooseScenarios, loadScenarios, type ScenarioModule } from "../scenarios.js";
import {
  checkReport,
  searchHeader,
  tellEnd,
  tellFailure,
  type ReportOptions,
} from "../search-report.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";
import { verdictOf } from "./search.js";

interface MergeOptions extends CommonOptions, ReportOptions {}

export function mergeVerb(cli: Cli): Command {
  return verb(cli, {
    name: "merge",
    about: "Joins the results of shards, and judges them as one search.",
    example: "npx quorumlab merge shard-1 shard-2 shard-3",
    exits: [0, 1, 2, 65, 66, 73],
  })
    .argument("<folder...>", "what each shard was given as --out")
    .option("--junit <file>", "writes a report in JUnit's XML")
    .option("--github", "writes annotations for GitHub to standard error")
    .addOption(scenariosOption())
    .action(acting(cli, merge));
}

async function merge(
  output: Output,
  options: MergeOptions,
  folders: readonly string[],
): Promise<ExitCode> {
  checkReport(options);
  const files = folders.map((given) => {
    const read = readResultFile(folderOf(given));
    if ("problem" in read) throw fileError(read.problem);
    return read.ok;
  });
  const merged = mergeResults(files);
  if ("error" in merged) {
    throw new CliError(exitCode.damagedFile, `these are not shards of one search: ${merged.error}`);
  }
  const { tally, failures, wallMs } = merged;
  const { made, plan, allScenarios } = merged.files[0]!;
  const module = await loadScenarios(options.scenarios);
  const searched = chooseScenarios(module, knownNames(module, plan.scenarios, options));
  output.record(searchHeader(made, plan), null);
  for (const row of failures) tellFailure(output, row);
  const missing = [...merged.missing];
  if (missing.length === 0) missing.push(...vacuities(tally, { searched, all: allScenarios }));
  const refused = tellEnd(output, { plan, tally, failures, wallMs, missing }, options);
  if (refused !== null) return refused.exitCode;
  return verdictOf({ failed: tally.failed, inconclusive: tally.inconclusive, missing });
}

/** Also when the file in it was named. */
function folderOf(given: string): string {
  const isFile = statSync(given, { throwIfNoEntry: false })?.isFile() === true;
  return isFile && resultPath(dirname(given)) === normalize(given) ? dirname(given) : given;
}

function knownNames(
  { scenarios }: ScenarioModule,
  names: readonly string[],
  options: MergeOptions,
): readonly string[] {
  const stranger = names.find((name) => scenarios.every((scenario) => scenario.name !== name));
  if (stranger === undefined) return names;
  throw usageError(
    options.scenarios === undefined
      ? `these shards are of scenario ${stranger}, which does not ship: ` +
          "name the module that they were searched with: --scenarios FILE"
      : `these shards are of scenario ${stranger}, which ${options.scenarios} does not have`,
  );
}
