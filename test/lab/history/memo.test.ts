import { describe, expect, it, vi } from "vitest";
import type { CheckResult } from "../../../src/lab/history/checker.js";
import { casRegister } from "../../../src/lab/history/models/register.js";
import { generatedCas } from "./generated.js";

type Check = typeof import("../../../src/lab/history/checker.js").checkOperations;

const history = generatedCas({ seed: 11, clients: 5, keys: 2, operations: 80, openOneIn: 9 }, 4);
/** From too little for the history to more than enough. */
const limitsBytes = Array.from({ length: 40 }, (_, at) => 1_000 * (at + 1));

/** A checker that has checked nothing yet. */
async function freshChecker(): Promise<Check> {
  vi.resetModules();
  return (await import("../../../src/lab/history/checker.js")).checkOperations;
}

describe("memo: arrays kept for the next check", () => {
  it("memo: other checks came before: each budget of memory gives the same answer, step by step", async () => {
    const resultsOf = async (before: (check: Check) => void): Promise<CheckResult[]> => {
      const results: CheckResult[] = [];
      for (const memoryBytes of limitsBytes) {
        const check = await freshChecker();
        before(check);
        results.push(check(casRegister, history, { memoryBytes }));
      }
      return results;
    };
    const first = await resultsOf(() => {});
    const later = await resultsOf((check) => {
      for (const seed of [1, 2, 3]) {
        const other = { seed, clients: 12, keys: 3, operations: 400, openOneIn: 5 };
        check(casRegister, generatedCas(other, 4));
      }
    });
    expect(later).toEqual(first);
    expect(new Set(first.map(({ verdict }) => verdict))).toEqual(new Set(["ok", "unknown"]));
  });
});
