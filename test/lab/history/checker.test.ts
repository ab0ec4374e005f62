import { describe, expect, it } from "vitest";
import {
  naiveCasRegister,
  naiveCheck,
  naiveKv,
  type NaiveModel,
} from "../../../bench/naive-checker.js";
import { checkOperations } from "../../../src/lab/history/checker.js";
import type { KvInput, KvOutput } from "../../../src/lab/history/models/kv.js";
import { kv } from "../../../src/lab/history/models/kv.js";
import type { Model } from "../../../src/lab/history/models/model.js";
import { casRegister } from "../../../src/lab/history/models/register.js";
import type { Operation } from "../../../src/lab/history/operation.js";
import { partByKey } from "../../../src/lab/history/operation.js";
import { generatedCas, generatedKv, numbers } from "./generated.js";

type CasOperation = ReturnType<typeof generatedCas>[number];

/** Twenty writes at once, and then two reads of which no order allows both: no answer without trying very many. */
function hardKey(): CasOperation[] {
  const one = { client: 0, key: "hard" };
  const writes = Array.from({ length: 20 }, (_, at): CasOperation => ({
    ...one,
    call: at,
    return: 100 + at,
    input: { f: "write", value: at },
    output: {},
  }));
  const reads = [5, 6].map((value, at): CasOperation => ({
    ...one,
    call: 200 + 2 * at,
    return: 201 + 2 * at,
    input: { f: "read" },
    output: { value },
  }));
  return [...writes, ...reads];
}

function verdictOfNaive(operations: readonly Operation[], model: NaiveModel): string {
  const verdicts = partByKey(operations).map((part) => naiveCheck(part.operations, model, 20_000));
  if (verdicts.some(({ verdict }) => verdict === "illegal")) return "illegal";
  return verdicts.every(({ verdict }) => verdict === "ok") ? "ok" : "capped";
}

/** Exchanges the answers of two reads, or of one read and a value from elsewhere. */
function spoiled<Input extends { f: string }, Output extends object>(
  history: readonly Operation<Input, Output>[],
  seed: number,
  answers: readonly Output[],
): Operation<Input, Output>[] {
  const random = numbers(seed);
  const reads = history.filter(({ input, output }) => input.f !== "write" && output !== undefined);
  const chosen = reads[random(reads.length)];
  const output = answers[random(answers.length)]!;
  return history.map((operation) =>
    operation === chosen && (operation.input.f === "read" || operation.input.f === "get")
      ? { ...operation, output }
      : operation,
  );
}

function compare<State, Input extends { f: string }, Output extends object>(
  model: Model<State, Input, Output>,
  naive: NaiveModel,
  history: readonly Operation<Input, Output>[],
  count: Record<string, number>,
): void {
  const expected = verdictOfNaive(history, naive);
  const found = checkOperations(model, history).verdict;
  count[found] = (count[found] ?? 0) + 1;
  if (expected !== "capped") expect(found).toBe(expected);
}

describe("checker: generated histories", () => {
  it("checker: cas-register with open operations: the naive checker's verdicts, as recorded and spoiled", () => {
    const count: Record<string, number> = {};
    for (let seed = 1; seed <= 400; seed++) {
      const options = {
        seed,
        clients: 3 + (seed % 6),
        keys: 1 + (seed % 2),
        operations: 24,
        openOneIn: seed % 6,
      };
      const history = generatedCas(options, 3);
      expect(checkOperations(casRegister, history).verdict).toBe("ok");
      const answers = [0, 1, 2, null].map((value) => ({ value }));
      compare(casRegister, naiveCasRegister, spoiled(history, seed, answers), count);
    }
    expect(count["illegal"]).toBeGreaterThan(40);
    expect(count["ok"]).toBeGreaterThan(40);
  });

  it("checker: kv with open operations: the naive checker's verdicts, as recorded and spoiled", () => {
    const count: Record<string, number> = {};
    for (let seed = 1; seed <= 400; seed++) {
      const options = {
        seed,
        clients: 3 + (seed % 4),
        keys: 2,
        operations: 24,
        openOneIn: seed % 6,
      };
      const history = generatedKv(options);
      expect(checkOperations(kv, history).verdict).toBe("ok");
      const answers = history.flatMap(({ output }) =>
        output?.value === undefined ? [] : [output],
      );
      if (answers.length > 0) compare(kv, naiveKv, spoiled(history, seed, answers), count);
    }
    expect(count["illegal"]).toBeGreaterThan(40);
    expect(count["ok"]).toBeGreaterThan(40);
  });

  it("checker: one read changed to a value that was never there: illegal, with its key", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const history = generatedKv({ seed, clients: 8, keys: 4, operations: 200, openOneIn: 20 });
      const reads = history.filter(
        ({ input, output }) => input.f === "get" && output !== undefined,
      );
      const read = reads[numbers(seed)(reads.length)]!;
      const bad = { ...read, output: { value: `${read.output!.value}?` } };
      const result = checkOperations(
        kv,
        history.map((operation) => (operation === read ? bad : operation)),
      );
      expect(result.verdict).toBe("illegal");
      expect(result.reports).toHaveLength(1);
      expect(result.reports[0]!.key).toBe(read.key);
      expect(result.reports[0]!.linearized).not.toContain(bad);
    }
  });

  it("checker: fifty clients on ten keys: decided within the default budgets, good and bad", () => {
    const history = generatedKv({
      seed: 7,
      clients: 50,
      keys: 10,
      operations: 4_000,
      openOneIn: 0,
    });
    expect(checkOperations(kv, history).verdict).toBe("ok");
    const reads = history.filter(({ input, key }) => input.f === "get" && key === "3");
    const late = reads.at(-1)!;
    const stale = { ...late, output: reads[0]!.output };
    const result = checkOperations(
      kv,
      history.map((operation) => (operation === late ? stale : operation)),
    );
    expect(result.verdict).toBe("illegal");
    expect(result.reports[0]!.key).toBe("3");
    expect(result.steps).toBeLessThan(1_000_000);
  });
});

describe("checker: budgets", () => {
  const written: CasOperation = {
    client: 0,
    call: 0,
    return: 1,
    key: "bad",
    input: { f: "write", value: 1 },
    output: {},
  };
  const read: CasOperation = {
    client: 0,
    call: 2,
    return: 3,
    key: "bad",
    input: { f: "read" },
    output: { value: 1 },
  };
  const bad: CasOperation[] = [
    written,
    ...Array.from({ length: 60 }, (_, at) => ({ ...read, call: 2 + 2 * at, return: 3 + 2 * at })),
    { ...read, call: 500, return: 501, output: { value: 2 } },
  ];

  it("checker: a hard key before a bad one: the bad one is found within the budget", () => {
    const result = checkOperations(casRegister, [...hardKey(), ...bad], { stepBudget: 20_000 });
    expect(result.verdict).toBe("illegal");
    expect(result.reports.map(({ key }) => key)).toEqual(["bad"]);
    expect(result.reports[0]!.linearized).toHaveLength(61);
    expect(result.reports[0]!.blocked).toBe(bad.at(-1));
  });

  it("checker: too few steps: unknown, with the part and how far it came", () => {
    const result = checkOperations(casRegister, hardKey(), { stepBudget: 5_000 });
    expect(result.verdict).toBe("unknown");
    expect(result.steps).toBeLessThanOrEqual(5_100);
    expect(result.reports.map(({ key, why }) => [key, why])).toEqual([["hard", "steps"]]);
    expect(result.reports[0]!.linearized.length).toBeGreaterThan(0);
    expect(result.reports[0]!.blocked).not.toBeNull();
  });

  it("checker: too little memory: unknown, and other parts are still judged", () => {
    const memoryBytes = 200_000;
    const alone = checkOperations(casRegister, hardKey(), { memoryBytes });
    expect(alone.verdict).toBe("unknown");
    expect(alone.reports[0]!.why).toBe("memory");
    const both = checkOperations(casRegister, [...hardKey(), ...bad], { memoryBytes });
    expect(both.verdict).toBe("illegal");
    expect(checkOperations(casRegister, bad, { memoryBytes: 10 }).verdict).toBe("unknown");
  });

  it("checker: a budget given up on once: the same history is decided by a larger one", () => {
    const history = generatedCas(
      { seed: 3, clients: 6, keys: 3, operations: 300, openOneIn: 9 },
      4,
    );
    const full = checkOperations(casRegister, history);
    expect(full.verdict).toBe("ok");
    expect(checkOperations(casRegister, history, { stepBudget: 20 }).verdict).toBe("unknown");
    expect(checkOperations(casRegister, history)).toEqual(full);
  });

  it("checker: nothing was recorded: ok", () => {
    expect(checkOperations(casRegister, []).verdict).toBe("ok");
  });
});

describe("checker: operations that step alike", () => {
  it("checker: two equal appends at once: both may take effect before a read that returns first", () => {
    const append = (at: number): Operation<KvInput, KvOutput> => ({
      client: at,
      call: at,
      return: 100 + at,
      key: "k",
      output: {},
      input: { f: "append", value: "a" },
    });
    const get = (value: string): Operation<KvInput, KvOutput> => ({
      client: 9,
      call: 9,
      return: 10,
      key: "k",
      output: { value },
      input: { f: "get" },
    });
    const verdict = (value: string): string =>
      checkOperations(kv, [append(0), append(1), append(2), get(value)]).verdict;
    expect(["", "a", "aa", "aaa", "aaaa"].map(verdict)).toEqual([
      "ok",
      "ok",
      "ok",
      "ok",
      "illegal",
    ]);
  });
});

describe("checker: many small checks", () => {
  it("checker: memos taken from the pool: each check answers as a fresh one", () => {
    const histories = Array.from({ length: 40 }, (_, seed) =>
      generatedCas({ seed, clients: 5, keys: 1 + (seed % 3), operations: 40, openOneIn: 7 }, 3),
    );
    const first = histories.map((history) => checkOperations(casRegister, history));
    const again = [...histories].reverse().map((history) => checkOperations(casRegister, history));
    expect(again.reverse()).toEqual(first);
  });
});
