/**
 * Reads a trace: JSON lines, a header and then events (CONTRACTS 8). A trace whose writer was killed
 * ends in the middle of a line; what came before it is whole, and is given back with a note.
 */
import type { Json } from "../core/plain.js";
import {
  checkTraceEvent,
  checkTraceHeader,
  traceFormatVersion,
  type TraceEvent,
  type TraceHeader,
} from "../core/trace/schema.js";

/** A line beyond this is refused before it is parsed. */
export const lineCharactersMax = 4_194_304;
/** So many events are read at most; the rest is left out, with a note. */
export const eventsMax = 2_000_000;

export interface Trace {
  readonly header: TraceHeader;
  readonly events: readonly TraceEvent[];
  /** Why the trace ends before its time; null when it does not. */
  readonly cut: TraceProblem | null;
}

export interface TraceProblem {
  /**
   * `empty`: no line at all. `tooLong`: a line over its limit. `notJson`: no JSON on a line.
   * `notHeader`, `notEvent`: JSON of another shape. `version`: a format that this version does not
   * know. `cutShort`: the last line breaks off. `tooMany`: more events than are read.
   */
  readonly code:
    "empty" | "tooLong" | "notJson" | "notHeader" | "notEvent" | "version" | "cutShort" | "tooMany";
  /** From 1. */
  readonly line: number;
  readonly expected: string;
}

export type ReadTrace = { readonly ok: Trace } | { readonly error: TraceProblem };

/** Blank lines count but mean nothing. */
export function readTrace(lines: Iterable<string>): ReadTrace {
  let header: TraceHeader | null = null;
  const events: TraceEvent[] = [];
  let at = 0;
  // A line that is no JSON is an error only once another follows it.
  let broken: TraceProblem | null = null;
  for (const text of lines) {
    at++;
    if (text.trim() === "") continue;
    if (broken !== null) return { error: broken };
    const parsed = parseLine(text, at);
    if ("error" in parsed) {
      if (parsed.error.code !== "notJson" || header === null) return parsed;
      broken = parsed.error;
    } else if (header === null) {
      const read = headerOf(parsed.ok, at);
      if ("error" in read) return read;
      header = read.ok;
    } else if (events.length === eventsMax) {
      const expected = `at most ${eventsMax} events`;
      return { ok: { header, events, cut: { code: "tooMany", line: at, expected } } };
    } else {
      const event = checkTraceEvent(parsed.ok);
      if (event.kind === "badTrace") return { error: notEvent(at, event.field) };
      events.push(event);
    }
  }
  if (header === null) return { error: { code: "empty", line: at + 1, expected: headerShape } };
  const cut = broken && { ...broken, code: "cutShort" as const, expected: "a whole line" };
  return { ok: { header, events, cut } };
}

/** One sentence for people. */
export function traceProblemText({ code, line, expected }: TraceProblem): string {
  if (code === "cutShort") return `line ${line} breaks off: the writer was stopped there`;
  if (code === "tooMany") return `from line ${line} on nothing was read: ${expected} are`;
  return `line ${line}: expected ${expected}`;
}

const headerShape = "the header of a quorumlab trace";

function notEvent(line: number, field: string): TraceProblem {
  const expected = field === "" ? "an event" : `an event; its "${field}" is missing or wrong`;
  return { code: "notEvent", line, expected };
}

function parseLine(
  text: string,
  line: number,
): { readonly ok: Json } | { readonly error: TraceProblem } {
  if (text.length > lineCharactersMax) {
    const expected = `at most ${lineCharactersMax} characters`;
    return { error: { code: "tooLong", line, expected } };
  }
  try {
    return { ok: JSON.parse(text) as Json };
  } catch {
    return { error: { code: "notJson", line, expected: "JSON" } };
  }
}

function headerOf(
  value: Json,
  line: number,
): { readonly ok: TraceHeader } | { readonly error: TraceProblem } {
  const header = checkTraceHeader(value);
  if (!("kind" in header)) return { ok: header };
  if (header.field === "formatVersion") {
    const expected = `format version ${traceFormatVersion}`;
    return { error: { code: "version", line, expected } };
  }
  const expected = `${headerShape}; its "${header.field}" is missing or wrong`;
  return { error: { code: "notHeader", line, expected } };
}
