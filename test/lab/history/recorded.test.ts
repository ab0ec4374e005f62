/** Recorded histories whose answers are known, and the frozen step counts of the naive checker. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  NAIVE_STEPS_MAX,
  naiveOf,
  operationsOf,
  recordedHistories,
} from "../../../bench/naive-histories.js";
import { checkHistory } from "../../../src/lab/history/check-history.js";
import { sharedData } from "../../conformance/shared-data.js";

const directory = sharedData("histories");
const histories = directory === null ? [] : recordedHistories(directory);
const frozen = JSON.parse(
  readFileSync(new URL("../../../bench/naive-steps.json", import.meta.url), "utf8"),
) as { stepsMax: number; steps: Record<string, number | "capped"> };

const LINEARIZABLE = ["002", "018", "038", "048", "056", "076", "080", "092", "098", "100", "102"];

function answerOf(name: string): "ok" | "illegal" {
  const number = /etcd_(\d+)\.log$/.exec(name)?.[1];
  if (number !== undefined) return LINEARIZABLE.includes(number) ? "ok" : "illegal";
  return name.endsWith("-ok.txt") ? "ok" : "illegal";
}

describe.skipIf(directory === null)("checker: recorded histories", () => {
  it("checker: recordings: all 52 etcd logs and the kv files are there", () => {
    expect(histories.filter(({ name }) => name.startsWith("jepsen-etcd/"))).toHaveLength(52);
    expect(Object.keys(frozen.steps)).toEqual(histories.map(({ name }) => name));
    expect(frozen.stepsMax).toBe(NAIVE_STEPS_MAX);
  });

  it.each(histories.map((history) => [history.name, history] as const))(
    "checker: %s: the known answer",
    (name, history) => {
      const result = checkHistory(history.text, history);
      expect(result.ok && result.value.verdict).toBe(answerOf(name));
    },
  );

  it.each(histories.map((history) => [history.name, history] as const))(
    "naive checker: %s: the frozen number of steps",
    (name, history) => {
      const { verdict, steps } = naiveOf(operationsOf(history), history.naive);
      expect(verdict === "capped" ? "capped" : steps).toBe(frozen.steps[name]);
      expect(["capped", answerOf(name)]).toContain(verdict);
    },
  );
});
