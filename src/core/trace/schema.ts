/**
 * The trace: JSON lines, a header and then events, one schema for both worlds. docs/reference/trace.md
 * says the same to people, and a test holds the two together.
 *
 * Events of kinds marked as evidence are derived by the host's recorder from what it can see, never
 * by the machine that is judged by them.
 */
import { base64Decode } from "../base64.js";
import type { Json } from "../plain.js";

export const traceFormatVersion = 1;

export interface TraceHeader {
  readonly tool: "quorumlab";
  readonly formatVersion: typeof traceFormatVersion;
  /** Of the code that ran; 40 digits, or "" when not known. */
  readonly commit: string;
  readonly nodeVersion: string;
  readonly scenario: string;
  readonly seed: number;
  /** As resolved from the seed. */
  readonly options: { readonly [name: string]: Json };
  readonly world: "sim" | "real";
}

/** The last line of a trace that its writer finished; no event. */
export interface TraceEnd {
  readonly kind: "end";
  /** So many lines stand between the header and this one. */
  readonly events: number;
}

/** Names one event: the `seq`th of that start of that node. */
export interface TraceCause {
  readonly node: number;
  readonly boot: number;
  readonly seq: number;
}

/** Narrowed by `kind`. */
export type TraceEvent<K extends TraceKind = TraceKind> = K extends TraceKind
  ? TraceEventHead & { readonly kind: K; readonly data: TraceData<K> }
  : never;

export interface TraceEventHead {
  /** The node's monotonic time, microseconds; the world's where `node` is 0. */
  readonly t: number;
  /** World time in microseconds; only in simulated runs. */
  readonly at?: number;
  /** 0: the world, with its clients and faults. */
  readonly node: number;
  /** 0 while the node does not know it yet. */
  readonly boot: number;
  /** From 1, without gaps, for each node and boot; lives that share boot 0 go on counting. */
  readonly seq: number;
  /** 0 where no group is concerned. */
  readonly group: number;
  /** What this followed from, when known. */
  readonly cause: TraceCause | null;
}

/** `digest`: 16 hex digits. `bytes`: base64. `optionalText` may be null. */
export type TraceFieldType =
  "number" | "text" | "flag" | "digest" | "bytes" | "numbers" | "optionalText" | "json";

interface FieldValues {
  readonly number: number;
  readonly text: string;
  readonly flag: boolean;
  readonly digest: string;
  readonly bytes: string;
  readonly numbers: readonly number[];
  readonly optionalText: string | null;
  readonly json: Json;
}

/** Every kind with the fields of its `data`. */
export const traceFields = {
  boot: { wallOffsetUs: "number", worldOffsetUs: "number", driftPpm: "number", disk: "number" },
  recovered: { replica: "number", term: "number", vote: "number", first: "number", last: "number" },
  step: { input: "text", word: "number" },
  send: { to: "number", id: "number", message: "json" },
  receive: { from: "number", id: "number", message: "json" },
  submit: { sync: "number", writes: "json" },
  durable: { sync: "number" },
  applied: { from: "number", to: "number", digest: "digest" },
  restored: { index: "number", digest: "digest" },
  role: { role: "text", term: "number" },
  state: {
    replica: "number",
    role: "text",
    term: "number",
    vote: "number",
    leader: "number",
    commit: "number",
    first: "number",
    last: "number",
  },
  answer: { request: "number", bytes: "bytes" },
  event: { name: "text", detail: "json" },
  link: { peer: "number", up: "flag" },
  invoke: {
    client: "number",
    operation: "text",
    call: "text",
    key: "text",
    value: "optionalText",
    expected: "optionalText",
  },
  attempt: { client: "number", operation: "text", to: "number", slot: "number", epoch: "number" },
  reply: {
    client: "number",
    operation: "text",
    from: "number",
    slot: "number",
    epoch: "number",
    answer: "text",
    newest: "number",
  },
  return: { client: "number", operation: "text", outcome: "text", value: "json" },
  fault: {
    id: "text",
    fault: "text",
    active: "flag",
    nodes: "numbers",
    peers: "numbers",
    forUs: "number",
    amount: "number",
  },
  crash: { reason: "text" },
  gap: { reason: "text" },
  violation: { property: "text", message: "text" },
  elected: { term: "number", replica: "number" },
  chosen: { position: "number", term: "number", digest: "digest" },
  acked: { session: "text", serial: "number" },
  configuration: {
    index: "number",
    voters: "numbers",
    outgoing: "numbers",
    learners: "numbers",
  },
  slots: {
    incarnation: "number",
    index: "number",
    step: "text",
    slots: "numbers",
    epoch: "number",
    next: "number",
    outcome: "text",
    changed: "flag",
  },
  job: {
    index: "number",
    by: "text",
    asked: "text",
    outcome: "text",
    job: "number",
    kind: "text",
    state: "text",
    at: "number",
    steps: "number",
    step: "text",
    about: "numbers",
    slots: "numbers",
    groups: "numbers",
  },
  steward: { active: "flag", term: "number" },
} as const;

export type TraceKind = keyof typeof traceFields;

export type TraceData<K extends TraceKind> = {
  readonly [F in keyof (typeof traceFields)[K]]: (typeof traceFields)[K][F] extends TraceFieldType
    ? FieldValues[(typeof traceFields)[K][F]]
    : never;
};

/** Derived from Views and applied entries, for oracles; see the top. */
export const evidenceKinds: readonly TraceKind[] = [
  "elected",
  "chosen",
  "acked",
  "configuration",
  "slots",
  "job",
  "steward",
];

export interface TraceError {
  readonly kind: "badTrace";
  /** The field that is wrong, `data.` before those of the kind. */
  readonly field: string;
}

export function checkTraceHeader(line: Json): TraceHeader | TraceError {
  if (!isRecord(line)) return bad("");
  if (line["tool"] !== "quorumlab") return bad("tool");
  if (line["formatVersion"] !== traceFormatVersion) return bad("formatVersion");
  for (const field of ["commit", "nodeVersion", "scenario"]) {
    if (typeof line[field] !== "string") return bad(field);
  }
  if (!isWhole(line["seed"])) return bad("seed");
  if (!isRecord(line["options"])) return bad("options");
  if (line["world"] !== "sim" && line["world"] !== "real") return bad("world");
  return line as unknown as TraceHeader;
}

/** Any JSON gives an event or a typed error; fields that a later version adds are let through. */
export function checkTraceEvent(line: Json): TraceEvent | TraceError {
  if (!isRecord(line)) return bad("");
  for (const field of ["t", "node", "boot", "seq", "group"]) {
    if (!isWhole(line[field])) return bad(field);
  }
  if (line["at"] !== undefined && !isWhole(line["at"])) return bad("at");
  const { kind, cause, data } = line;
  if (typeof kind !== "string" || !Object.hasOwn(traceFields, kind)) return bad("kind");
  if (cause !== null && !isCause(cause)) return bad("cause");
  if (!isRecord(data)) return bad("data");
  const fields: Readonly<Record<string, TraceFieldType>> = traceFields[kind as TraceKind];
  for (const [name, type] of Object.entries(fields)) {
    if (!isOfType(data[name], type)) return bad(`data.${name}`);
  }
  return line as unknown as TraceEvent;
}

/** Null for anything else. */
export function checkTraceEnd(line: Json): TraceEnd | null {
  if (!isRecord(line) || line["kind"] !== "end" || !isWhole(line["events"])) return null;
  return line as unknown as TraceEnd;
}

function isOfType(value: Json | undefined, type: TraceFieldType): boolean {
  switch (type) {
    case "number":
      return Number.isSafeInteger(value);
    case "text":
      return typeof value === "string";
    case "flag":
      return typeof value === "boolean";
    case "digest":
      return typeof value === "string" && /^[0-9a-f]{16}$/.test(value);
    case "bytes":
      return typeof value === "string" && base64Decode(value) !== null;
    case "numbers":
      return Array.isArray(value) && value.every((one) => Number.isSafeInteger(one));
    case "optionalText":
      return value === null || typeof value === "string";
    case "json":
      return value !== undefined;
  }
}

function isCause(value: Json | undefined): boolean {
  return isRecord(value) && ["node", "boot", "seq"].every((field) => isWhole(value[field]));
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWhole(value: Json | undefined): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function bad(field: string): TraceError {
  return { kind: "badTrace", field };
}
