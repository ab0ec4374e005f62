import type { Operation, Part } from "../operation.js";
import type { Model } from "./model.js";

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
type SlotState = readonly string[];

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

/**
 * One part for each slot. Where ranges are read, the keys that one range covers belong together; all other keys of
 * the slot share no operation, so each is judged alone (linearizability is local: Herlihy and Wing 1990, theorem 1).
 */
function partBySlot(
  operations: readonly Operation<SlotKvInput, SlotKvOutput>[],
): readonly Part<SlotKvInput, SlotKvOutput>[] {
  const intervals = new Map<string, Interval[]>();
  for (const { input } of operations) {
    if (input.f !== "range") continue;
    const start = text(input.start);
    const slot = slotOf(start);
    const list = intervals.get(slot) ?? [];
    list.push({ start, end: textOrNull(input.end) });
    intervals.set(slot, list);
  }
  for (const [slot, list] of intervals) intervals.set(slot, merged(list));
  const parts = new Map<string, Operation<SlotKvInput, SlotKvOutput>[]>();
  for (const operation of operations) {
    const { input } = operation;
    const key = text(input.f === "range" ? input.start : input.key);
    const within = intervals.get(slotOf(key))?.find((interval) => covers(interval, key));
    const name =
      within === undefined
        ? readable(key)
        : `[${readable(within.start)}, ${within.end === null ? "" : readable(within.end)})`;
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [operation]);
    else part.push(operation);
  }
  return [...parts].map(([key, list]) => ({ key, operations: list }));
}

interface Interval {
  readonly start: string;
  readonly end: string | null;
}

/** Joins intervals that overlap. One that covers nothing still covers its start, where its range is filed. */
function merged(intervals: readonly Interval[]): Interval[] {
  const sorted = [...intervals].sort((a, b) =>
    a.start < b.start ? -1 : a.start > b.start ? 1 : 0,
  );
  const result: Interval[] = [];
  for (const interval of sorted) {
    const last = result.at(-1);
    if (last !== undefined && covers(last, interval.start)) {
      const end =
        last.end === null || interval.end === null
          ? null
          : last.end > interval.end
            ? last.end
            : interval.end;
      result[result.length - 1] = { start: last.start, end };
    } else {
      result.push(interval);
    }
  }
  return result;
}

function covers(interval: Interval, key: string): boolean {
  if (key === interval.start) return true;
  return key > interval.start && (interval.end === null || key < interval.end);
}

function slotOf(key: string): string {
  const slash = key.indexOf("/");
  return slash < 0 ? key : key.slice(0, slash);
}

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

/** The place of the first key that is not below `key`. */
function lowerBound(state: SlotState, key: string): number {
  let low = 0;
  let high = state.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (state[middle * 2]! < key) low = middle + 1;
    else high = middle;
  }
  return low * 2;
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

/** Bytes as a string of as many characters, which compares as the bytes do. */
function text(bytes: Uint8Array): string {
  let result = "";
  for (const byte of bytes) result += String.fromCharCode(byte);
  return result;
}

function textOrNull(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : text(bytes);
}

/** A string that shows where it ends. */
function counted(value: string): string {
  return `${value.length}:${value}`;
}

function optional(bytes: Uint8Array | null | undefined): string {
  return bytes === undefined ? "?" : bytes === null ? "-" : counted(text(bytes));
}

function readable(key: string): string {
  return key.replace(
    /[^\x20-\x7e]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
