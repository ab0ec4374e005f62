/** Small random histories of each model, against every order there is. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkOperations } from "../../../src/lab/history/checker.js";
import type { KvInput, KvOutput } from "../../../src/lab/history/models/kv.js";
import { kv } from "../../../src/lab/history/models/kv.js";
import type { Model } from "../../../src/lab/history/models/model.js";
import type {
  CasRegisterInput,
  RegisterInput,
  RegisterOutput,
} from "../../../src/lab/history/models/register.js";
import { casRegister, register } from "../../../src/lab/history/models/register.js";
import type { SlotKvInput, SlotKvOutput } from "../../../src/lab/history/models/slot-kv.js";
import { slotKv } from "../../../src/lab/history/models/slot-kv.js";
import type { Operation } from "../../../src/lab/history/operation.js";
import { runs } from "../../setup/soak.js";
import type { Replay } from "./brute-force.js";
import { isLinearizable } from "./brute-force.js";

const RUNS = runs(3_000);
const value = fc.constantFrom(0, 1, 2);
const seen = fc.constantFrom(null, 0, 1, 2);

const registerAnswers: fc.Arbitrary<[RegisterInput, RegisterOutput]> = fc.oneof(
  seen.map((got): [RegisterInput, RegisterOutput] => [{ f: "read" }, { value: got }]),
  value.map((put): [RegisterInput, RegisterOutput] => [{ f: "write", value: put }, {}]),
);

const casAnswers: fc.Arbitrary<[CasRegisterInput, RegisterOutput]> = fc.oneof(
  registerAnswers,
  fc
    .tuple(seen, value, fc.boolean())
    .map(([from, to, ok]): [CasRegisterInput, RegisterOutput] => [{ f: "cas", from, to }, { ok }]),
);

const letters = fc.constantFrom("a", "b");
const kvAnswers: fc.Arbitrary<[KvInput, KvOutput]> = fc.oneof(
  fc
    .constantFrom("", "a", "b", "aa", "ab", "ba", "bb", "aab", "aba")
    .map((got): [KvInput, KvOutput] => [{ f: "get" }, { value: got }]),
  letters.map((put): [KvInput, KvOutput] => [{ f: "put", value: put }, {}]),
  letters.map((end): [KvInput, KvOutput] => [{ f: "append", value: end }, {}]),
);

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const slotKey = fc.constantFrom("s/a", "s/b", "t/a").map(bytes);
const slotValue = fc.constantFrom("", "1", "2").map(bytes);
const slotSeen = fc.option(slotValue, { nil: null });
const slotEntry = (key: string): fc.Arbitrary<[Uint8Array, Uint8Array][]> =>
  slotSeen.map((got) => (got === null ? [] : [[bytes(key), got]]));

const slotAnswers: fc.Arbitrary<[SlotKvInput, SlotKvOutput]> = fc.oneof(
  fc
    .tuple(slotKey, slotSeen)
    .map(([key, got]): [SlotKvInput, SlotKvOutput] => [{ f: "get", key }, { value: got }]),
  fc
    .tuple(slotKey, slotValue)
    .map(([key, put]): [SlotKvInput, SlotKvOutput] => [{ f: "put", key, value: put }, {}]),
  fc
    .tuple(slotKey, fc.option(fc.boolean(), { nil: undefined }))
    .map(([key, existed]): [SlotKvInput, SlotKvOutput] => [
      { f: "delete", key },
      existed === undefined ? {} : { existed },
    ]),
  fc
    .tuple(slotKey, slotSeen, slotValue, fc.boolean())
    .map(([key, expected, put, ok]): [SlotKvInput, SlotKvOutput] => [
      { f: "cas", key, expected, value: put },
      { ok },
    ]),
  fc
    .tuple(
      slotEntry("s/a"),
      slotEntry("s/b"),
      fc.constantFrom("s/b", null),
      fc.constantFrom(1, 2, 5),
    )
    .map(([a, b, end, limit]): [SlotKvInput, SlotKvOutput] => [
      { f: "range", start: bytes("s/"), end: end === null ? null : bytes(end), limit },
      { entries: [...a, ...b] },
    ]),
);

function histories<Input, Output>(
  answers: fc.Arbitrary<[Input, Output]>,
): fc.Arbitrary<Operation<Input, Output>[]> {
  const operation = fc
    .record({
      answer: answers,
      call: fc.nat(9),
      length: fc.nat(6),
      isOpen: fc.nat(4).map((draw) => draw === 0),
      key: fc.constantFrom("k", "k", "l"),
    })
    .map(({ answer: [input, output], call, length, isOpen, key }): Operation<Input, Output> => ({
      client: 0,
      call,
      return: isOpen ? null : call + length,
      key,
      input,
      output: isOpen ? undefined : output,
    }));
  return fc.array(operation, { minLength: 1, maxLength: 6 });
}

class CasReplay implements Replay<CasRegisterInput, RegisterOutput> {
  #held: unknown = null;

  apply(input: CasRegisterInput, output: RegisterOutput | undefined): boolean {
    if (input.f === "read") return output === undefined || output.value === this.#held;
    if (input.f === "write") {
      this.#held = input.value;
      return true;
    }
    const equal = this.#held === input.from;
    if (equal) this.#held = input.to;
    return output === undefined || output.ok === equal;
  }
}

class KvReplay implements Replay<KvInput, KvOutput> {
  #held = "";

  apply(input: KvInput, output: KvOutput | undefined): boolean {
    if (input.f === "get") return output === undefined || output.value === this.#held;
    this.#held = input.f === "put" ? input.value : this.#held + input.value;
    return true;
  }
}

/** Not parted at all: one map for every slot. */
class SlotReplay implements Replay<SlotKvInput, SlotKvOutput> {
  readonly #held = new Map<string, string>();

  apply(input: SlotKvInput, output: SlotKvOutput | undefined): boolean {
    if (input.f === "range") return output === undefined || this.#range(input, output);
    const key = String(input.key);
    const before = this.#held.get(key);
    switch (input.f) {
      case "get":
        return (
          output === undefined ||
          (output.value === null ? undefined : String(output.value)) === before
        );
      case "put":
        this.#held.set(key, String(input.value));
        return true;
      case "delete":
        this.#held.delete(key);
        return output?.existed === undefined || output.existed === (before !== undefined);
      case "cas": {
        const equal = before === (input.expected === null ? undefined : String(input.expected));
        if (equal) this.#held.set(key, String(input.value));
        return output === undefined || output.ok === equal;
      }
    }
  }

  #range(input: SlotKvInput & { f: "range" }, output: SlotKvOutput): boolean {
    const expected = ["s/a", "s/b"]
      .filter((key) => input.end === null || key < String.fromCharCode(...input.end))
      .flatMap((key) => {
        const held = this.#held.get(String(bytes(key)));
        return held === undefined ? [] : [`${String(bytes(key))}=${held}`];
      })
      .slice(0, input.limit);
    const got = output.entries!.map(([key, held]) => `${String(key)}=${String(held)}`);
    return got.length === expected.length && got.every((entry, at) => entry === expected[at]);
  }
}

/** Compares on many histories, and demands that both answers came up often. */
function agrees<State, Input, Output>(
  model: Model<State, Input, Output>,
  answers: fc.Arbitrary<[Input, Output]>,
  start: () => Replay<Input, Output>,
  byKey: boolean,
): void {
  const count = { ok: 0, illegal: 0 };
  fc.assert(
    fc.property(histories(answers), (operations) => {
      const parts = byKey
        ? ["k", "l"].map((key) => operations.filter((operation) => operation.key === key))
        : [operations];
      const expected = parts.every((part) => isLinearizable(part, start)) ? "ok" : "illegal";
      const result = checkOperations(model, operations);
      count[expected]++;
      expect(result.verdict).toBe(expected);
      for (const report of result.reports) {
        expect(isLinearizable(report.linearized.map(closed), start)).toBe(true);
      }
    }),
    { numRuns: RUNS },
  );
  expect(count.ok).toBeGreaterThan(RUNS / 10);
  expect(count.illegal).toBeGreaterThan(RUNS / 10);
}

/** The same operation at its place in an order that is to be legal as it stands. */
function closed<Input, Output>(
  operation: Operation<Input, Output>,
  at: number,
): Operation<Input, Output> {
  return { ...operation, call: at * 2, return: at * 2 + 1 };
}

describe("checker: small histories", () => {
  it("checker: register: agrees with every order tried", () => {
    agrees(register, registerAnswers, () => new CasReplay(), true);
  });

  it("checker: cas-register: agrees with every order tried", () => {
    agrees(casRegister, casAnswers, () => new CasReplay(), true);
  });

  it("checker: kv: agrees with every order tried", () => {
    agrees(kv, kvAnswers, () => new KvReplay(), true);
  });

  it("checker: slot-kv: agrees with every order tried over all slots at once", () => {
    agrees(slotKv, slotAnswers, () => new SlotReplay(), false);
  });
});
