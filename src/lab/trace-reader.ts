/**
 * Reads a trace: JSON lines, a header and then events (CONTRACTS 8). A trace whose writer was killed
 * ends in the middle of a line; what came before it is whole, and is given back with a note.
 */
import type { Json } from "../core/plain.js";

export const traceFormatVersion = 1;
/** A line beyond this is refused before it is parsed. */
export const lineCharactersMax = 4_194_304;
/** So many events are read at most; the rest is left out, with a note. */
export const eventsMax = 2_000_000;

export interface TraceHeading {
  readonly version: number;
  readonly scenario: string;
  readonly seed: number;
  readonly world: string;
  readonly commit: string;
  readonly node: string;
  readonly options: Json;
}

export interface TraceCause {
  readonly node: number;
  readonly boot: number;
  readonly seq: number;
}

export interface TraceLine {
  /** The node's own monotonic time, microseconds. */
  readonly t: number;
  /** World time; only a simulation knows it. */
  readonly at: number | null;
  /** 0 for what is not of any node: clients, faults, the judge. */
  readonly node: number;
  readonly boot: number;
  readonly seq: number;
  readonly group: number;
  readonly kind: string;
  readonly cause: TraceCause | null;
  readonly data: Json;
}

export interface Trace {
  readonly heading: TraceHeading;
  readonly events: readonly TraceLine[];
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
  let heading: TraceHeading | null = null;
  const events: TraceLine[] = [];
  let at = 0;
  // A line that is no JSON is an error only once another follows it.
  let broken: TraceProblem | null = null;
  for (const text of lines) {
    at++;
    if (text.trim() === "") continue;
    if (broken !== null) return { error: broken };
    const parsed = parseLine(text, at);
    if ("error" in parsed) {
      if (parsed.error.code !== "notJson" || heading === null) return parsed;
      broken = parsed.error;
      continue;
    }
    if (heading === null) {
      const read = headingOf(parsed.ok, at);
      if ("error" in read) return read;
      heading = read.ok;
      continue;
    }
    if (events.length === eventsMax) {
      const expected = `at most ${eventsMax} events`;
      return { ok: { heading, events, cut: { code: "tooMany", line: at, expected } } };
    }
    const event = eventOf(parsed.ok);
    if (event === null) return { error: { code: "notEvent", line: at, expected: eventShape } };
    events.push(event);
  }
  if (heading === null) return { error: { code: "empty", line: at + 1, expected: headingShape } };
  const cut = broken && { ...broken, code: "cutShort" as const, expected: "a whole line" };
  return { ok: { heading, events, cut } };
}

/** One sentence for people. */
export function traceProblemText({ code, line, expected }: TraceProblem): string {
  if (code === "cutShort") return `line ${line} breaks off: the writer was stopped there`;
  if (code === "tooMany") return `from line ${line} on nothing was read: ${expected} are`;
  return `line ${line}: expected ${expected}`;
}

const headingShape =
  'a header such as {"tool":"quorumlab","version":1,"scenario":"swarm","seed":1,"world":"sim"}';
const eventShape =
  'an event such as {"t":1,"at":1,"node":1,"boot":1,"seq":1,"group":1,"kind":"..."}';

type Fields = Readonly<Record<string, unknown>>;

function parseLine(
  text: string,
  line: number,
): { readonly ok: unknown } | { readonly error: TraceProblem } {
  if (text.length > lineCharactersMax) {
    const expected = `at most ${lineCharactersMax} characters`;
    return { error: { code: "tooLong", line, expected } };
  }
  try {
    return { ok: JSON.parse(text) };
  } catch {
    return { error: { code: "notJson", line, expected: "JSON" } };
  }
}

function headingOf(
  value: unknown,
  line: number,
): { readonly ok: TraceHeading } | { readonly error: TraceProblem } {
  const error = { code: "notHeader", line, expected: headingShape } as const;
  if (!isFields(value) || value["tool"] !== "quorumlab") return { error };
  const { version, scenario, seed, world, commit, node, options } = value;
  if (version !== traceFormatVersion) {
    const expected = `format version ${traceFormatVersion}, this is ${JSON.stringify(version)}`;
    return { error: { code: "version", line, expected } };
  }
  if (typeof scenario !== "string" || !isWhole(seed) || typeof world !== "string") return { error };
  return {
    ok: {
      version,
      scenario,
      seed,
      world,
      commit: typeof commit === "string" ? commit : "",
      node: typeof node === "string" ? node : "",
      options: (options ?? null) as Json,
    },
  };
}

function eventOf(value: unknown): TraceLine | null {
  if (!isFields(value)) return null;
  const { t, at, node, boot, seq, group, kind, cause, data } = value;
  if (!isWhole(t) || !isWhole(node) || !isWhole(boot) || !isWhole(seq)) return null;
  if (!isWhole(group) || typeof kind !== "string") return null;
  if (at !== undefined && !isWhole(at)) return null;
  const read = cause === undefined || cause === null ? null : causeOf(cause);
  if (read === undefined) return null;
  return {
    t,
    at: at ?? null,
    node,
    boot,
    seq,
    group,
    kind,
    cause: read,
    data: (data ?? null) as Json,
  };
}

/** Undefined when it is none. */
function causeOf(value: unknown): TraceCause | undefined {
  if (!isFields(value)) return undefined;
  const { node, boot, seq } = value;
  return isWhole(node) && isWhole(boot) && isWhole(seq) ? { node, boot, seq } : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
