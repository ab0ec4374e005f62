/**
 * How many steps the naive checker takes for a recorded history. To take the counts again after a change of the
 * recordings: `npx tsx bench/naive-histories.ts DIRECTORY > bench/naive-steps.json`.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { argv, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import type { HistoryInput, HistoryModel } from "../src/lab/history/check-history.js";
import { parseHistory } from "../src/lab/history/check-history.js";
import type { Operation } from "../src/lab/history/operation.js";
import { partByKey } from "../src/lab/history/operation.js";
import type { NaiveModel, NaiveResult } from "./naive-checker.js";
import { naiveCasRegister, naiveCheck, naiveKv } from "./naive-checker.js";

/** Above it a search of the naive checker is given up. */
export const NAIVE_STEPS_MAX = 3_000_000;

export interface RecordedHistory {
  /** Such as `kv/c01-ok.txt`. */
  readonly name: string;
  readonly text: string;
  readonly model: HistoryModel;
  readonly input: HistoryInput;
  readonly naive: NaiveModel;
}

/** The recorded histories of a directory with `jepsen-etcd/*.log` and `kv/*.txt`, in order of their names. */
export function recordedHistories(directory: string): RecordedHistory[] {
  const from = (
    folder: string,
    rest: Pick<RecordedHistory, "model" | "input" | "naive">,
  ): RecordedHistory[] =>
    readdirSync(join(directory, folder))
      .sort()
      .map((file) => ({
        name: `${folder}/${file}`,
        text: readFileSync(join(directory, folder, file), "utf8"),
        ...rest,
      }));
  return [
    ...from("jepsen-etcd", { model: "cas-register", input: "jepsen-log", naive: naiveCasRegister }),
    ...from("kv", { model: "kv", input: "edn", naive: naiveKv }),
  ];
}

/** The operations of a recorded history; throws when it can't be understood. */
export function operationsOf(history: RecordedHistory): readonly Operation[] {
  const parsed = parseHistory(history.text, history);
  if (parsed.ok) return parsed.value;
  const { line, expected } = parsed.error;
  throw new Error(`${history.name}: line ${line}: expected ${expected}`);
}

/** The naive checker over the keys in turn, to the first that is illegal or too hard. */
export function naiveOf(operations: readonly Operation[], model: NaiveModel): NaiveResult {
  let steps = 0;
  for (const part of partByKey(operations)) {
    const result = naiveCheck(part.operations, model, NAIVE_STEPS_MAX - steps);
    steps += result.steps;
    if (result.verdict !== "ok") return { verdict: result.verdict, steps };
  }
  return { verdict: "ok", steps };
}

function main(directory: string): void {
  const steps: Record<string, number | "capped"> = {};
  for (const history of recordedHistories(directory)) {
    const result = naiveOf(operationsOf(history), history.naive);
    steps[history.name] = result.verdict === "capped" ? "capped" : result.steps;
  }
  stdout.write(`${JSON.stringify({ stepsMax: NAIVE_STEPS_MAX, steps }, null, 2)}\n`);
}

if (argv[1] === fileURLToPath(import.meta.url)) main(argv[2] ?? ".");
