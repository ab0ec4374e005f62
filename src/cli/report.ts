/** How runs and failures are told, to people and to programs. */
import type { RunResult } from "../lab/run-result.js";
import type { Scenario } from "../lab/scenario.js";
import type { Build } from "../sim/search/artifact/build.js";
import type { FailureRow } from "../sim/search/result-file.js";
import { standingOf } from "../sim/search/tally.js";
import { exitCode, type ExitCode } from "./exit-codes.js";
import { duration, grouped, table, type Output, type OutputRecord } from "./output.js";

/** The first line of every verb that runs anything. */
export function headerRecord(
  { commit, dirty, version, node }: Build,
  fields: Readonly<Record<string, unknown>>,
): OutputRecord {
  return { kind: "header", tool: "quorumlab", version, commit, dirty, node, ...fields };
}

export function failureRecord(row: Omit<FailureRow, "run" | "message">): OutputRecord {
  const { scenario, seed, property, step, digest, artifact } = row;
  return { kind: "failure", scenario, seed, property, step, digest, artifact };
}

export function resultRecord(
  result: RunResult,
  fields: Readonly<Record<string, unknown>>,
): OutputRecord {
  const { scenario, seed, verdict, failure, digest, steps, acknowledged, leaderChanges } = result;
  return {
    kind: "result",
    scenario,
    seed,
    verdict,
    property: failure?.property ?? null,
    message: failure?.message ?? null,
    step: failure?.step ?? null,
    digest,
    steps,
    simulatedMs: Math.round(result.simulatedUs / 1_000),
    acknowledged,
    leaderChanges,
    faults: result.faults,
    marks: result.marks,
    inert: result.inert,
    ...fields,
  };
}

/** What a run came to, for people. */
export function describeRun(output: Output, result: RunResult, scenario: Scenario): string {
  const { paint } = output;
  const { failure, decisions, inert } = result;
  const word = {
    passed: paint.green(result.verdict === "violation" ? "violated, as expected" : "held"),
    failed: paint.red("violated"),
    inconclusive: paint.yellow("undecided"),
  }[standingOf(result, scenario)];
  const faults = Object.entries(result.faults)
    .filter(([, { drawn }]) => drawn > 0)
    .map(([kind, { fired, effective }]) => `${kind} ${fired} (${effective})`);
  const options = Object.entries(decisions.options)
    .filter(([, value]) => typeof value !== "object")
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  const limits = Object.entries(decisions.options["limits"] ?? {}).map(
    ([name, value]) => `${name} ${JSON.stringify(value)}`,
  );
  const rows = [
    ["run", `${result.scenario}, seed ${result.seed}`],
    ["options", options.join(", ")],
    ["limits", limits.length === 0 ? "usual" : limits.join(", ")],
    ["faults", faults.length === 0 ? "none" : `${faults.join(", ")}: fired (effects)`],
    [
      "did",
      `${grouped(result.steps)} steps, ${duration(result.simulatedUs / 1_000)} simulated, ` +
        `${grouped(result.acknowledged)} operations acknowledged, ` +
        `${result.leaderChanges} changes of leader`,
    ],
    ["digest", result.digest],
  ];
  if (inert.length > 0) rows.push(["inert", inert.slice(0, 12).join(", ")]);
  if (failure !== null) {
    const place = `step ${failure.step}, ${duration(failure.atUs / 1_000)} into the run`;
    rows.push(["property", failure.property], ["at", place], ["because", failure.message]);
  }
  return `${word}\n${table(rows)}`;
}

export function exitOf(result: RunResult, scenario: Scenario): ExitCode {
  return {
    passed: exitCode.held,
    failed: exitCode.violated,
    inconclusive: exitCode.undecided,
  }[standingOf(result, scenario)];
}

/** How to get there again. */
export interface ReplayHints {
  readonly scenario: string;
  readonly seed: number;
  readonly step: number;
  readonly artifact: string | null;
  readonly safetyOnly: boolean;
  /** Module of scenarios that was asked for. */
  readonly module: string | undefined;
}

/** Lines that can be pasted into a shell. */
export function replayLines(hints: ReplayHints): string[] {
  const { scenario, seed, step, artifact, safetyOnly } = hints;
  const from = moduleFlag(hints.module);
  const how = `${safetyOnly ? " --safety-only" : ""}${from}`;
  const bySeed = `npx quorumlab replay ${seed} --scenario ${scenario} --stop-at ${step}${how}`;
  if (artifact === null) return [bySeed];
  return [`npx quorumlab replay ${quoted(artifact)}${from}`, bySeed];
}

export function moduleFlag(module: string | undefined): string {
  return module === undefined ? "" : ` --scenarios ${quoted(module)}`;
}

/** As a shell takes it for one word. */
export function quoted(path: string): string {
  return /^[\w./:=@+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
