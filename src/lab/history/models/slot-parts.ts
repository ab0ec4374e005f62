import type { Operation, Part } from "../operation.js";
import type { SlotKvInput, SlotKvOutput } from "./slot-kv.js";
import { text, textOrNull } from "./slot-text.js";

/**
 * One part for each slot. Where ranges are read, the keys that one range covers belong together; all other keys of
 * the slot share no operation, so each is judged alone (linearizability is local: Herlihy and Wing 1990, theorem 1).
 */
export function partBySlot(
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

function readable(key: string): string {
  return key.replace(
    /[^\x20-\x7e]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
