import type { Command } from "commander";
import { mergeResults, readResultFile } from "../../sim/search/result-file.js";
import { vacuities } from "../../sim/search/vacuity.js";
import { CliError, fileError } from "../errors.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import { scenariosOption } from "../options.js";
import type { Output } from "../output.js";
import { chooseScenarios, loadScenarios } from "../scenarios.js";
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
  const files = folders.map((folder) => {
    const read = readResultFile(folder);
    if ("problem" in read) throw fileError(read.problem);
    return read.ok;
  });
  const merged = mergeResults(files);
  if ("error" in merged) {
    throw new CliError(exitCode.damagedFile, `these are not shards of one search: ${merged.error}`);
  }
  const { tally, failures, wallMs } = merged;
  const { made, plan, allScenarios } = merged.files[0]!;
  output.record(searchHeader(made, plan), null);
  for (const row of failures) tellFailure(output, row);
  const missing = [...merged.missing];
  if (missing.length === 0) {
    const searched = chooseScenarios(await loadScenarios(options.scenarios), plan.scenarios);
    missing.push(...vacuities(tally, { searched, all: allScenarios }));
  }
  const refused = tellEnd(output, { plan, tally, failures, wallMs, missing }, options);
  if (refused !== null) return refused.exitCode;
  return verdictOf({ failed: tally.failed, inconclusive: tally.inconclusive, missing });
}
