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
  foresight: kvForesight,
};

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
