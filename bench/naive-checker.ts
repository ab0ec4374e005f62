/**
 * The frozen yardstick of the history checker: Wing and Gong's search with Lowe's memo as a `Set` of strings, one key
 * at a time, and nothing else. Never make it better or worse: `naive-steps.json` holds its step counts, and a test
 * holds it to them.
 */
import type { Operation } from "../src/lab/history/operation.js";

/** A plain sequential model: the next state, or undefined when the operation cannot have happened in this state. */
export interface NaiveModel {
  readonly initial: string;
  step(state: string, operation: Operation): string | undefined;
}

export interface NaiveResult {
  readonly verdict: "ok" | "illegal" | "capped";
  /** How many times a step of the model was tried. */
  readonly steps: number;
}

interface Entry {
  readonly id: number;
  readonly operation: Operation;
  /** The return that belongs to this call; null when this entry is itself a return. */
  readonly match: Entry | null;
  prev: Entry | null;
  next: Entry | null;
}

/** Judges one part. An operation whose `return` is null stays open to the end. */
export function naiveCheck(
  operations: readonly Operation[],
  model: NaiveModel,
  stepsMax: number,
): NaiveResult {
  const head = link(operations);
  const stack: { entry: Entry; state: string }[] = [];
  const seen = new Set<string>();
  let state = model.initial;
  let done = 0n;
  let steps = 0;
  let entry = head.next;
  let mustReturn = operations.filter((operation) => operation.return !== null).length;
  while (mustReturn > 0) {
    if (entry !== null && entry.match !== null) {
      if (++steps > stepsMax) return { verdict: "capped", steps: stepsMax };
      const after = model.step(state, entry.operation);
      const doneAfter = done | (1n << BigInt(entry.id));
      const key = after === undefined ? "" : `${doneAfter.toString(16)} ${after}`;
      if (after !== undefined && !seen.has(key)) {
        seen.add(key);
        stack.push({ entry, state });
        state = after;
        done = doneAfter;
        if (entry.operation.return !== null) mustReturn--;
        lift(entry);
        entry = head.next;
      } else {
        entry = entry.next;
      }
    } else {
      const last = stack.pop();
      if (last === undefined) return { verdict: "illegal", steps };
      unlift(last.entry);
      state = last.state;
      done &= ~(1n << BigInt(last.entry.id));
      if (last.entry.operation.return !== null) mustReturn++;
      entry = last.entry.next;
    }
  }
  return { verdict: "ok", steps };
}

function link(operations: readonly Operation[]): Entry {
  const events: { at: number; isReturn: number; id: number }[] = [];
  operations.forEach((operation, id) => {
    events.push({ at: operation.call, isReturn: 0, id });
    events.push({ at: operation.return ?? Infinity, isReturn: 1, id });
  });
  events.sort((a, b) => a.at - b.at || a.isReturn - b.isReturn || a.id - b.id || 0);
  const returns = operations.map((operation, id): Entry => ({
    id,
    operation,
    match: null,
    prev: null,
    next: null,
  }));
  const head: Entry = { id: -1, operation: operations[0]!, match: null, prev: null, next: null };
  let tail = head;
  for (const { isReturn, id } of events) {
    const match = returns[id]!;
    const entry: Entry =
      isReturn === 1 ? match : { id, operation: match.operation, match, prev: null, next: null };
    entry.prev = tail;
    tail.next = entry;
    tail = entry;
  }
  return head;
}

function lift(call: Entry): void {
  for (const entry of [call, call.match!]) {
    entry.prev!.next = entry.next;
    if (entry.next !== null) entry.next.prev = entry.prev;
  }
}

function unlift(call: Entry): void {
  for (const entry of [call.match!, call]) {
    entry.prev!.next = entry;
    if (entry.next !== null) entry.next.prev = entry;
  }
}

/** One register with compare-and-set; null is the value it begins with. */
export const naiveCasRegister: NaiveModel = {
  initial: "null",
  step(state, operation) {
    const input = operation.input as { f: string; value?: unknown; from?: unknown; to?: unknown };
    const output = operation.output as { value?: unknown; ok?: boolean } | undefined;
    if (input.f === "write") return String(input.value);
    if (input.f === "read") {
      return output === undefined || String(output.value) === state ? state : undefined;
    }
    const equal = String(input.from) === state;
    if (output !== undefined && output.ok !== equal) return undefined;
    return equal ? String(input.to) : state;
  },
};

/** One string per key; "" when absent. */
export const naiveKv: NaiveModel = {
  initial: "",
  step(state, operation) {
    const input = operation.input as { f: string; value?: string };
    const output = operation.output as { value?: string } | undefined;
    if (input.f === "put") return input.value!;
    if (input.f === "append") return state + input.value!;
    return output === undefined || output.value === state ? state : undefined;
  },
};
