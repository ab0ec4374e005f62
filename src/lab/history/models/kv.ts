import type { Operation } from "../operation.js";
import { partByKey } from "../operation.js";
import type { Foresight, Model } from "./model.js";

export type KvInput =
  | { readonly f: "get" }
  | { readonly f: "put"; readonly value: string }
  | { readonly f: "append"; readonly value: string };

/** `value` answers a get. */
export interface KvOutput {
  readonly value?: string;
}

/** One string per key, "" when absent; `put` replaces it and `append` adds to its end. */
export const kv: Model<string, KvInput, KvOutput> = {
  name: "kv",
  partition: partByKey,
  initial: "",
  step(state, input, output) {
    switch (input.f) {
      case "get":
        return output === undefined || (output.value ?? "") === state ? state : undefined;
      case "put":
        return input.value;
      case "append":
        return state + input.value;
    }
  },
  readOnly: (input) => input.f === "get",
  stateKey: (state) => state,
  operationKey(input, output) {
    if (input.f === "get") return output === undefined ? "g?" : `g${output.value ?? ""}`;
    return `${input.f === "put" ? "p" : "a"}${input.value}`;
  },
  abstraction: kvAbstraction,
  foresight: kvForesight,
};

/**
 * A string that is not the beginning of anything that was got can never be got, nor can what is appended to it; only a
 * put matters then. All such strings are one, which is longer than whatever was got. Appends that nobody saw before a
 * put would else be tried in every order.
 */
function kvAbstraction(
  operations: readonly Operation<KvInput, KvOutput>[],
): (state: string) => string {
  const got: string[] = [];
  for (const { input, output } of operations) {
    if (input.f === "get" && output !== undefined) got.push(output.value ?? "");
  }
  got.sort(byCodeUnits);
  const unseen = "?".repeat(got.reduce((longest, value) => Math.max(longest, value.length), 0) + 1);
  return (state) => {
    // The first value that is not below the state begins with it, if any does.
    let low = 0;
    let high = got.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (got[middle]! < state) low = middle + 1;
      else high = middle;
    }
    return got[low]?.startsWith(state) === true ? state : unseen;
  };
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * A string only grows, until a put replaces it. So a get of `v` is still possible only if the present string is a
 * beginning of `v`, or some put that may yet come is.
 */
function kvForesight(operations: readonly Operation<KvInput, KvOutput>[]): Foresight<string> {
  const puts: { readonly call: number; readonly return: number; readonly value: string }[] = [];
  for (const { input, call, return: returned } of operations) {
    if (input.f === "put") puts.push({ call, return: returned ?? Infinity, value: input.value });
  }
  /** For each get, the last return of a put that could begin its value; computed when first asked for. */
  const lastPut = new Float64Array(operations.length).fill(NaN);
  return (state, read, now) => {
    const get = operations[read]!;
    const value = get.output?.value ?? "";
    if (value.startsWith(state)) return true;
    if (Number.isNaN(lastPut[read]!)) {
      let last = -Infinity;
      for (const put of puts) {
        if (put.call > get.return! || put.return <= last) continue;
        if (value.startsWith(put.value)) last = put.return;
      }
      lastPut[read] = last;
    }
    return lastPut[read]! >= now;
  };
}
