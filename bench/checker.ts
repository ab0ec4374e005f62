/**
 * The history checker against the frozen naive one, on the recordings that take the naive one over 10,000 steps.
 * Needs the shared data (`QUORUMLAB_SHARED`, or `../shared` beside the repository); without it
 * nothing is measured.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { argv, env, stderr, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { checkOperations } from "../src/lab/history/checker.js";
import type { CasRegisterInput, RegisterOutput } from "../src/lab/history/models/register.js";
import { casRegister } from "../src/lab/history/models/register.js";
import { kv } from "../src/lab/history/models/kv.js";
import type { KvInput, KvOutput } from "../src/lab/history/models/kv.js";
import type { Operation } from "../src/lab/history/operation.js";
import { naiveOf, operationsOf, recordedHistories } from "./naive-histories.js";
import type { RecordedHistory } from "./naive-histories.js";

export interface BenchLine {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it was measured against, in the same run. */
  readonly against: string;
  /** Ours over theirs: below 1 is faster. */
  readonly ratio: number;
}

const PAIRS = 7;
const HARD_STEPS_MIN = 10_000;
/** A measurement repeats ours until it lasts this long, since single checks are shorter than the clock is exact. */
const MEASURE_MS_MIN = 5;

/** Median of 7 alternating pairs for each hard recording, and for all recordings together. */
export function run(): BenchLine[] {
  const directory = join(
    env["QUORUMLAB_SHARED"] ?? fileURLToPath(new URL("../../shared", import.meta.url)),
    "data/histories",
  );
  if (!existsSync(directory)) {
    stderr.write(`checker: skipped: no recorded histories at ${directory}; set QUORUMLAB_SHARED\n`);
    return [];
  }
  const histories = recordedHistories(directory).map((history) => ({
    history,
    operations: operationsOf(history),
  }));
  const hard = histories.filter(
    ({ history, operations }) => naiveOf(operations, history.naive).steps > HARD_STEPS_MIN,
  );
  return [
    ...hard.map((one) => compare(`checker ${one.history.name}`, [one])),
    compare("checker all recordings", histories),
  ];
}

interface Measured {
  readonly history: RecordedHistory;
  readonly operations: readonly Operation[];
}

function compare(name: string, histories: readonly Measured[]): BenchLine {
  const ours: number[] = [];
  const ratios: number[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    const first = pair % 2 === 0 ? timeOurs(histories) : timeNaive(histories);
    const second = pair % 2 === 0 ? timeNaive(histories) : timeOurs(histories);
    const [mine, naive] = pair % 2 === 0 ? [first, second] : [second, first];
    ours.push(mine);
    ratios.push(mine / naive);
  }
  return {
    name,
    value: median(ours),
    unit: "ms",
    against: "frozen naive checker",
    ratio: median(ratios),
  };
}

function timeOurs(histories: readonly Measured[]): number {
  const start = performance.now();
  let elapsed = 0;
  let times = 0;
  do {
    for (const measured of histories) check(measured);
    times++;
    elapsed = performance.now() - start;
  } while (elapsed < MEASURE_MS_MIN);
  return elapsed / times;
}

function timeNaive(histories: readonly Measured[]): number {
  const start = performance.now();
  for (const { history, operations } of histories) naiveOf(operations, history.naive);
  return performance.now() - start;
}

function check({ history, operations }: Measured): void {
  if (history.model === "kv") checkOperations(kv, operations as Operation<KvInput, KvOutput>[]);
  else checkOperations(casRegister, operations as Operation<CasRegisterInput, RegisterOutput>[]);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  for (const line of run()) stdout.write(`${JSON.stringify(line)}\n`);
}
