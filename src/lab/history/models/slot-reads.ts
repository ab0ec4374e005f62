import type { Operation } from "../operation.js";
import type { Foresight } from "./model.js";
import type { SlotKvInput, SlotKvOutput, SlotState } from "./slot-kv.js";
import { lowerBound, text, textOrNull } from "./slot-text.js";

type SlotOperation = Operation<SlotKvInput, SlotKvOutput>;

/** Values of a key that are neither read nor compared with are all alike; that the key is there still counts. */
export function slotAbstraction(
  operations: readonly SlotOperation[],
): (state: SlotState) => SlotState {
  const seen = new Map<string, Set<string>>();
  const see = (key: Uint8Array, value: Uint8Array | null | undefined): void => {
    if (value === null || value === undefined) return;
    const values = seen.get(text(key));
    if (values === undefined) seen.set(text(key), new Set([text(value)]));
    else values.add(text(value));
  };
  for (const { input, output } of operations) {
    if (input.f === "get") see(input.key, output?.value);
    else if (input.f === "cas") see(input.key, input.expected);
    for (const [key, value] of output?.entries ?? []) see(key, value);
  }
  return (state) =>
    state.map((field, at) => {
      if ((at & 1) === 0 || seen.get(state[at - 1]!)?.has(field) === true) return field;
      return UNSEEN;
    });
}

/** No value is equal to it, since the characters of values stand for bytes. */
const UNSEEN = "\uffff";

/** One key as a read saw it, and the last return of an operation that could make it so. */
interface Sight {
  readonly key: string;
  readonly value: string | null;
  readonly lastMaker: number;
}

interface Maker {
  readonly call: number;
  readonly return: number;
  readonly value: string | null;
}

/** A read is still possible only if each key that it saw is so now, or something that may yet come can make it so. */
export function slotForesight(operations: readonly SlotOperation[]): Foresight<SlotState> {
  const makers = new Map<string, Maker[]>();
  for (const { input, call, return: returned } of operations) {
    if (input.f === "get" || input.f === "range") continue;
    const value = input.f === "delete" ? null : text(input.value);
    const maker = { call, return: returned ?? Infinity, value };
    const list = makers.get(text(input.key));
    if (list === undefined) makers.set(text(input.key), [maker]);
    else list.push(maker);
  }
  const sights: (readonly Sight[] | undefined)[] = [];
  return (state, read, now) => {
    const saw = (sights[read] ??= sightsOf(operations[read]!, makers));
    return saw.every(({ key, value, lastMaker }) => {
      if (lastMaker >= now) return true;
      const at = lowerBound(state, key);
      return (state[at] === key ? state[at + 1]! : null) === value;
    });
  };
}

function sightsOf(operation: SlotOperation, makers: ReadonlyMap<string, Maker[]>): Sight[] {
  return saw(operation, makers.keys()).map(([key, value]) => {
    let lastMaker = -Infinity;
    for (const maker of makers.get(key) ?? []) {
      if (maker.value === value && maker.call <= operation.return!) {
        lastMaker = Math.max(lastMaker, maker.return);
      }
    }
    return { key, value, lastMaker };
  });
}

/** Keys and what they were seen to hold; null where the operation saw that a key was absent. */
function saw(
  { input, output }: SlotOperation,
  keys: Iterable<string>,
): (readonly [key: string, value: string | null])[] {
  switch (input.f) {
    case "get":
      return output?.value === undefined ? [] : [[text(input.key), textOrNull(output.value)]];
    case "delete":
      return output?.existed === false ? [[text(input.key), null]] : [];
    case "range":
      return output?.entries === undefined ? [] : rangeSaw(input, output.entries, keys);
    case "put":
    case "cas":
      return [];
  }
}

function rangeSaw(
  input: SlotKvInput & { readonly f: "range" },
  entries: NonNullable<SlotKvOutput["entries"]>,
  keys: Iterable<string>,
): (readonly [key: string, value: string | null])[] {
  const present = new Map(entries.map(([key, value]) => [text(key), text(value)]));
  const start = text(input.start);
  const end = textOrNull(input.end);
  // A range that reached its limit says nothing about what lies beyond its last key.
  const last = entries.length < input.limit ? null : text(entries.at(-1)?.[0] ?? input.start);
  const absent = [...keys].filter(
    (key) =>
      key >= start &&
      (end === null || key < end) &&
      (last === null || key < last) &&
      !present.has(key),
  );
  return [...present, ...absent.map((key) => [key, null] as const)];
}
