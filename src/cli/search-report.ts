/** The end of a search or of a merge, which look alike. */
import { writeWhole } from "../sim/search/artifact/json-file.js";
import type { Build } from "../sim/search/artifact/build.js";
import type { FailureRow } from "../sim/search/result-file.js";
import type { SearchPlan } from "../sim/search/seeds.js";
import { summaryOf, type Summary } from "../sim/search/summary.js";
import type { Tally } from "../sim/search/tally.js";
import { githubError, junitXml } from "./ci.js";
import { tryWriting, type CliError } from "./errors.js";
import { duration, grouped, table, type Output, type OutputRecord } from "./output.js";
import { failureRecord, headerRecord, replayLines } from "./report.js";
import { checkTarget } from "./runs.js";

export interface ReportOptions {
  readonly junit?: string;
  readonly github?: boolean;
  /** Module of scenarios that was asked for. */
  readonly scenarios?: string;
}

export interface SearchReport {
  readonly plan: SearchPlan;
  readonly tally: Tally;
  readonly failures: readonly FailureRow[];
  readonly wallMs: number;
  /** Why the search is not whole, or proved less than it seems to. */
  readonly missing: readonly string[];
}

/** Failures of so many different kinds get their lines for replay. */
const replayedMax = 5;

/** The same for any number of jobs and shards. */
export function searchHeader(made: Build, plan: SearchPlan): OutputRecord {
  const { scenarios, from, runs, safetyOnly } = plan;
  return headerRecord(made, { scenarios, from, seeds: runs, safetyOnly });
}

/** Makes sure, before a long search, that its report can be written. */
export function checkReport({ junit }: ReportOptions): void {
  if (junit !== undefined) checkTarget(junit);
}

export function tellFailure(output: Output, row: FailureRow): void {
  const { paint } = output;
  const place = `${row.scenario}, seed ${row.seed}, step ${row.step}`;
  output.record(
    failureRecord(row),
    `${paint.red("FAILED")} ${paint.bold(row.property)}  ${place}\n       ${row.message}`,
  );
}

/**
 * Summary, reports for machines, what is missing; last of all, how to replay what failed. Gives back
 * why a report could not be written.
 */
export function tellEnd(
  output: Output,
  report: SearchReport,
  options: ReportOptions,
): CliError | null {
  const { plan, tally, failures, wallMs, missing } = report;
  const summary = summaryOf(tally, wallMs);
  output.record({ ...summary }, describe(output, summary));
  const how = { safetyOnly: plan.safetyOnly, module: options.scenarios };
  const replay = (row: FailureRow): string[] => replayLines({ ...row, ...how });
  const { junit } = options;
  let refused: CliError | null = null;
  if (junit !== undefined) {
    const text = junitXml(tally, failures, { wallMs, replay: (row) => replay(row)[0]! });
    refused = tryWriting(junit, () => writeWhole(junit, [text]));
  }
  if (options.github === true) {
    for (const row of failures) output.note(githubError(row, replay(row)[0]!));
  }
  for (const reason of missing) output.note(`missing: ${reason}`);
  if (refused !== null) output.note(`missing: ${refused.message}`);
  for (const row of differing(failures).slice(0, replayedMax)) output.last(replay(row)[0]!);
  return refused;
}

/** The first failure of each scenario and property. */
function differing(failures: readonly FailureRow[]): FailureRow[] {
  const first = new Map<string, FailureRow>();
  for (const row of failures) {
    const key = `${row.property} ${row.scenario}`;
    if (!first.has(key)) first.set(key, row);
  }
  return [...first.values()];
}

function describe({ paint }: Output, summary: Summary): string {
  const { seeds, passed, failed, inconclusive, perRun } = summary;
  const counts = [
    paint.green(`${grouped(passed)} passed`),
    failed > 0 ? paint.red(`${grouped(failed)} failed`) : "0 failed",
    inconclusive > 0 ? paint.yellow(`${grouped(inconclusive)} undecided`) : "0 undecided",
  ];
  const reached = Object.values(summary.marks).filter((hits) => hits > 0).length;
  const faults = Object.entries(summary.faults)
    .filter(([, { fired }]) => fired > 0)
    .map(([kind, { fired, effective }]) => `${kind} ${grouped(fired)} (${grouped(effective)})`);
  const rows = [
    ["seeds", `${grouped(seeds)}: ${counts.join(", ")}`],
    [
      "steps",
      `${grouped(summary.steps)} (${grouped(perRun.steps)} in a usual run), ` +
        `${grouped(summary.stepsPerSecond)} a second`,
    ],
    [
      "time",
      `${duration(summary.simulatedMs)} simulated in ${duration(summary.wallMs)}, ` +
        `${duration(perRun.simulatedMs)} in a usual run`,
    ],
    [
      "clients",
      `${grouped(summary.acknowledged)} operations acknowledged, ` +
        `${grouped(perRun.acknowledged)} in a usual run`,
    ],
    [
      "leaders",
      `${grouped(summary.leaderChanges)} changes, ${grouped(perRun.leaderChanges)} in a usual run`,
    ],
    ["marks", `${reached} of ${Object.keys(summary.marks).length} reached`],
    ["faults", faults.length === 0 ? "none" : `${faults.join(", ")}: fired (effects)`],
  ];
  return table(rows);
}
