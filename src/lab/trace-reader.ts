/**
 * Reads a trace: JSON lines, a header, events and an end (CONTRACTS 8). A trace whose writer was
 * killed has no end, and may break off in the middle of a line; from one that was edited, lines may
 * be missing. What is there is given back with a note.
 */
import type { Json } from "../core/plain.js";
import {
  checkTraceEnd,
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
  /** The first thing that is missing from the trace; null when it is whole. */
  readonly cut: TraceProblem | null;
}

export interface TraceProblem {
  /**
   * `empty`: no line at all. `tooLong`: a line over its limit. `notJson`: no JSON on a line.
   * `notHeader`, `notEvent`: JSON of another shape. `version`: a format that this version does not
   * know. `cutShort`: the last line breaks off. `noEnd`: the end is not there. `missing`: events are
   * not there. `tooMany`: more events than are read.
   */
  readonly code:
    | "empty"
    | "tooLong"
    | "notJson"
    | "notHeader"
    | "notEvent"
    | "version"
    | "cutShort"
    | "noEnd"
    | "missing"
    | "tooMany";
  /** From 1. */
  readonly line: number;
  readonly expected: string;
}

export type ReadTrace = { readonly ok: Trace } | { readonly error: TraceProblem };

/** Blank lines count but mean nothing. */
export function readTrace(lines: Iterable<string>): ReadTrace {
  let header: TraceHeader | null = null;
  const events: TraceEvent[] = [];
  const gaps = new Gaps();
  let at = 0;
  let ended = false;
  // A line that is no JSON is an error only once another follows it.
  let broken: TraceProblem | null = null;
  for (const text of lines) {
    at++;
    if (text.trim() === "") continue;
    if (broken !== null) return { error: broken };
    if (ended) return { error: { code: "notEvent", line: at, expected: "nothing after the end" } };
    const parsed = parseLine(text, at);
    if ("error" in parsed) {
      if (parsed.error.code !== "notJson" || header === null) return parsed;
      broken = parsed.error;
      continue;
    }
    if (header === null) {
      const read = headerOf(parsed.ok, at);
      if ("error" in read) return read;
      header = read.ok;
      continue;
    }
    const end = checkTraceEnd(parsed.ok);
    if (end !== null) {
      ended = true;
      gaps.ended(end.events, events.length, at);
    } else if (events.length === eventsMax) {
      const expected = `at most ${eventsMax} events`;
      return { ok: { header, events, cut: { code: "tooMany", line: at, expected } } };
    } else {
      const event = checkTraceEvent(parsed.ok);
      if (event.kind === "badTrace") return { error: notEvent(at, event.field) };
      gaps.read(event, at);
      events.push(event);
    }
  }
  if (header === null) return { error: { code: "empty", line: at + 1, expected: headerShape } };
  const cut = broken && { ...broken, code: "cutShort" as const, expected: "a whole line" };
  const noEnd: TraceProblem = { code: "noEnd", line: at, expected: "the end of the trace" };
  return { ok: { header, events, cut: gaps.first ?? cut ?? (ended ? null : noEnd) } };
}

/** Finds the first event that is not there, by the numbers of the others. */
class Gaps {
  first: TraceProblem | null = null;
  /** `node/boot` -> number of its newest event. */
  readonly #newest = new Map<string, number>();

  read({ node, boot, seq, kind }: TraceEvent, line: number): void {
    const key = `${node}/${boot}`;
    const next = (this.#newest.get(key) ?? 0) + 1;
    this.#newest.set(key, seq);
    // A `gap` says itself that events are missing.
    if (seq > next && kind !== "gap") {
      this.#found(line, `event ${next} of node ${node}, boot ${boot}`);
    }
  }

  /** The end counts what was written before it. */
  ended(written: number, read: number, line: number): void {
    if (written !== read) this.#found(line, `${written} events before it, not ${read}`);
  }

  #found(line: number, expected: string): void {
    this.first ??= { code: "missing", line, expected };
  }
}

/** One sentence for people. */
export function traceProblemText({ code, line, expected }: TraceProblem): string {
  if (code === "cutShort") return `line ${line} breaks off: the writer was stopped there`;
  if (code === "noEnd")
    return `after line ${line} the end is missing: the writer was stopped there`;
  if (code === "missing") return `line ${line}: lines are missing above it: expected ${expected}`;
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
