import type { Operation } from "./operation.js";

/** One line of a recorded history, whatever its format. */
export interface HistoryEvent {
  readonly process: number;
  readonly type: "invoke" | "ok" | "fail" | "info";
  readonly f: string;
  readonly key: string;
  /** As the format gave it: the argument of a call, the answer of a return. */
  readonly value: unknown;
}

/** Why a history cannot be understood. */
export interface HistoryError {
  /** From 1. */
  readonly line: number;
  /** In plain words: what should have been there. */
  readonly expected: string;
  /** What was there, cut to a readable length. */
  readonly found: string;
}

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: HistoryError };

/** Answers the event on a line, null for a line without one, or what was expected instead. */
export type LineParser = (line: string) => HistoryEvent | null | { readonly expected: string };

/** Makes the input and output of an operation from its two events; `returned` is null while it is open. */
export type Pairing<Input, Output> = (
  called: HistoryEvent,
  returned: HistoryEvent | null,
) => { readonly input: Input; readonly output: Output | undefined } | { readonly expected: string };

const LINE_CHARACTERS_MAX = 1 << 20;
const FOUND_CHARACTERS_MAX = 80;

/**
 * Reads a history line by line and pairs each call with its return; times are line numbers. `fail` says that the
 * operation did not take place, and drops it, except for `cas`: there it says that the compare failed, which is an
 * answer. After `info` the outcome stays unknown, as it does when the text ends first; such a read is dropped.
 */
export function readHistory<Input, Output>(
  text: string,
  parseLine: LineParser,
  pair: Pairing<Input, Output>,
): Parsed<Operation<Input, Output>[]> {
  const operations: (Operation<Input, Output> | null)[] = [];
  const pending = new Map<number, { at: number; line: number; called: HistoryEvent }>();
  let lineNumber = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    lineNumber++;
    const line = text.slice(start, Math.min(end, start + LINE_CHARACTERS_MAX + 1));
    const expected =
      line.length > LINE_CHARACTERS_MAX
        ? `a line of at most ${LINE_CHARACTERS_MAX} characters`
        : takeLine(line, lineNumber, { parseLine, pair, operations, pending });
    if (expected !== null) return failure(lineNumber, expected, line);
    start = end + 1;
  }
  for (const { at, called, line } of pending.values()) {
    const expected = settle(
      operations,
      at,
      { call: line, called, returned: null, end: null },
      pair,
    );
    if (expected !== null) return failure(line, expected, called.f);
  }
  return { ok: true, value: operations.filter((operation) => operation !== null) };
}

interface Reading<Input, Output> {
  readonly parseLine: LineParser;
  readonly pair: Pairing<Input, Output>;
  readonly operations: (Operation<Input, Output> | null)[];
  readonly pending: Map<number, { at: number; line: number; called: HistoryEvent }>;
}

/** Answers what was expected, or null when the line is fine. */
function takeLine<Input, Output>(
  line: string,
  lineNumber: number,
  { parseLine, pair, operations, pending }: Reading<Input, Output>,
): string | null {
  const trimmed = line.trim();
  if (trimmed === "") return null;
  const event = parseLine(trimmed);
  if (event === null) return null;
  if ("expected" in event) return event.expected;
  const open = pending.get(event.process);
  if (event.type === "invoke") {
    if (open !== undefined) {
      return `the return of process ${event.process}, which called on line ${open.line}, before its next call`;
    }
    pending.set(event.process, { at: operations.length, line: lineNumber, called: event });
    operations.push(null);
    return null;
  }
  if (open === undefined) return `a call by process ${event.process} before its return`;
  const { called } = open;
  if (called.f !== event.f)
    return `the return of "${called.f}", which was called on line ${open.line}`;
  if (called.key !== event.key && event.key !== "") {
    return `the return for key ${JSON.stringify(called.key)}, as called on line ${open.line}`;
  }
  pending.delete(event.process);
  if (event.type === "fail" && event.f !== "cas") return null;
  const answered = event.type !== "info";
  return settle(
    operations,
    open.at,
    {
      call: open.line,
      called,
      returned: answered ? event : null,
      end: answered ? lineNumber : null,
    },
    pair,
  );
}

function settle<Input, Output>(
  operations: (Operation<Input, Output> | null)[],
  at: number,
  ends: {
    readonly call: number;
    readonly called: HistoryEvent;
    readonly returned: HistoryEvent | null;
    readonly end: number | null;
  },
  pair: Pairing<Input, Output>,
): string | null {
  const { called, returned } = ends;
  const made = pair(called, returned);
  if ("expected" in made) return made.expected;
  const isUnknownRead = returned === null && (called.f === "read" || called.f === "get");
  if (isUnknownRead) return null;
  operations[at] = {
    client: called.process,
    call: ends.call,
    return: ends.end,
    key: called.key,
    ...made,
  };
  return null;
}

function failure(line: number, expected: string, text: string): Parsed<never> {
  const found =
    text.length > FOUND_CHARACTERS_MAX ? `${text.slice(0, FOUND_CHARACTERS_MAX)}...` : text;
  return { ok: false, error: { line, expected, found } };
}
