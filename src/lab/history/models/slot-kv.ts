import type { Model } from "./model.js";
import { partBySlot } from "./slot-parts.js";
import { slotAbstraction, slotForesight } from "./slot-reads.js";
import { counted, lowerBound, optional, text, textOrNull } from "./slot-text.js";

/** What clients ask of the replicated store. Keys and values are opaque bytes, keys ordered byte by byte. */
export type SlotKvInput =
  | { readonly f: "get"; readonly key: Uint8Array }
  | { readonly f: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly f: "delete"; readonly key: Uint8Array }
  | {
      readonly f: "cas";
      readonly key: Uint8Array;
      /** null: the key must be absent. */
      readonly expected: Uint8Array | null;
      readonly value: Uint8Array;
    }
  | {
      /** All keys from `start` (included) to `end` (excluded; null: to the end of the slot), at most `limit` of them. */
      readonly f: "range";
      readonly start: Uint8Array;
      readonly end: Uint8Array | null;
      readonly limit: number;
    };

/** Only the fields that the store really answered are judged. */
export interface SlotKvOutput {
  /** Answers a get; null when absent. */
  readonly value?: Uint8Array | null;
  /** Answers a delete: whether the key was there. */
  readonly existed?: boolean;
  /** Answers a cas: whether the compare held. */
  readonly ok?: boolean;
  /** Answers a range, in order of the keys. */
  readonly entries?: readonly (readonly [key: Uint8Array, value: Uint8Array])[];
}

/** Keys and values in turn, ordered by key; one character for each byte. */
export type SlotState = readonly string[];

/**
 * The replicated store within one slot: all keys that are alike up to their first `/`. A range reads its slot at one
 * moment; a scan over more than one slot is not atomic and does not belong in a history. `Operation.key` is not used.
 */
export const slotKv: Model<SlotState, SlotKvInput, SlotKvOutput> = {
  name: "slot-kv",
  partition: partBySlot,
  initial: [],
  step(state, input, output) {
    if (input.f === "range") return rangeIs(state, input, output) ? state : undefined;
    const key = text(input.key);
    const at = lowerBound(state, key);
    const present = state[at] === key ? state[at + 1]! : null;
    switch (input.f) {
      case "get":
        return output?.value === undefined || textOrNull(output.value) === present
          ? state
          : undefined;
      case "put":
        return withEntry(state, at, present !== null, key, text(input.value));
      case "delete":
        if (output?.existed !== undefined && output.existed !== (present !== null)) {
          return undefined;
        }
        return present === null ? state : [...state.slice(0, at), ...state.slice(at + 2)];
      case "cas": {
        const equal = present === textOrNull(input.expected);
        if (output?.ok !== undefined && output.ok !== equal) return undefined;
        return equal ? withEntry(state, at, present !== null, key, text(input.value)) : state;
      }
    }
  },
  readOnly(input, output) {
    switch (input.f) {
      case "get":
      case "range":
        return true;
      case "put":
        return false;
      case "delete":
        return output?.existed === false;
      case "cas":
        return output?.ok === false;
    }
  },
  stateKey: (state) => state.map(counted).join(""),
  abstraction: slotAbstraction,
  foresight: slotForesight,
  operationKey(input, output) {
    switch (input.f) {
      case "get":
        return `g${counted(text(input.key))}${optional(output?.value)}`;
      case "put":
        return `p${counted(text(input.key))}${text(input.value)}`;
      case "delete":
        return `d${counted(text(input.key))}${String(output?.existed)}`;
      case "cas":
        return `c${counted(text(input.key))}${optional(input.expected)}${String(output?.ok)} ${text(input.value)}`;
      case "range": {
        const entries = output?.entries?.map(
          ([key, value]) => counted(text(key)) + counted(text(value)),
        );
        return `r${counted(text(input.start))}${optional(input.end)}${input.limit} ${entries?.join("") ?? "?"}`;
      }
    }
  },
};

function rangeIs(
  state: SlotState,
  input: SlotKvInput & { readonly f: "range" },
  output: SlotKvOutput | undefined,
): boolean {
  const entries = output?.entries;
  if (entries === undefined) return true;
  const end = textOrNull(input.end);
  let at = lowerBound(state, text(input.start));
  for (const [key, value] of entries) {
    if (state[at] !== text(key) || state[at + 1] !== text(value)) return false;
    if (end !== null && state[at]! >= end) return false;
    at += 2;
  }
  if (entries.length >= input.limit) return entries.length === input.limit;
  return at >= state.length || (end !== null && state[at]! >= end);
}

function withEntry(
  state: SlotState,
  at: number,
  replace: boolean,
  key: string,
  value: string,
): SlotState {
  return [...state.slice(0, at), key, value, ...state.slice(replace ? at + 2 : at)];
}
