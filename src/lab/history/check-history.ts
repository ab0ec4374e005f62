import type { CheckOptions, CheckResult } from "./checker.js";
import { checkOperations } from "./checker.js";
import type { HistoryEvent, LineParser, Pairing, Parsed } from "./events.js";
import { readHistory } from "./events.js";
import type { KvInput, KvOutput } from "./models/kv.js";
import { kv } from "./models/kv.js";
import type {
  CasRegisterInput,
  RegisterInput,
  RegisterOutput,
  RegisterValue,
} from "./models/register.js";
import { casRegister, register } from "./models/register.js";
import type { Operation } from "./operation.js";
import { parseEdnLine } from "./parse/edn.js";
import { parseJepsenLine } from "./parse/jepsen-log.js";
import { parseJsonLine } from "./parse/jsonl.js";

/** The models that a recorded history can be held to. */
export const HISTORY_MODELS = ["register", "cas-register", "kv"] as const;
export type HistoryModel = (typeof HISTORY_MODELS)[number];

/** The formats in which a history can be recorded. */
export const HISTORY_INPUTS = ["jsonl", "jepsen-log", "edn"] as const;
export type HistoryInput = (typeof HISTORY_INPUTS)[number];

export interface CheckHistoryOptions extends CheckOptions {
  readonly model: HistoryModel;
  readonly input: HistoryInput;
}

/** Judges the text of a recorded history; a text that can't be understood is an error with its line. */
export function checkHistory(text: string, options: CheckHistoryOptions): Parsed<CheckResult> {
  const parsed = parseHistory(text, options);
  if (!parsed.ok) return parsed;
  switch (options.model) {
    case "register":
      return judged(
        checkOperations(
          register,
          parsed.value as Operation<RegisterInput, RegisterOutput>[],
          options,
        ),
      );
    case "cas-register":
      return judged(
        checkOperations(
          casRegister,
          parsed.value as Operation<CasRegisterInput, RegisterOutput>[],
          options,
        ),
      );
    case "kv":
      return judged(checkOperations(kv, parsed.value as Operation<KvInput, KvOutput>[], options));
  }
}

/** The operations of a recorded history, with the inputs and outputs of the model. */
export function parseHistory(
  text: string,
  { model, input }: { readonly model: HistoryModel; readonly input: HistoryInput },
): Parsed<Operation[]> {
  return readHistory<unknown, unknown>(text, LINE_PARSERS[input], PAIRINGS[model]);
}

const LINE_PARSERS: Readonly<Record<HistoryInput, LineParser>> = {
  jsonl: parseJsonLine,
  "jepsen-log": parseJepsenLine,
  edn: parseEdnLine,
};

const PAIRINGS: Readonly<Record<HistoryModel, Pairing<unknown, unknown>>> = {
  register: (called, returned) =>
    called.f === "cas"
      ? { expected: 'an operation of the model register: "read" or "write"' }
      : pairRegister(called, returned),
  "cas-register": pairRegister,
  kv: pairKv,
};

function judged(value: CheckResult): Parsed<CheckResult> {
  return { ok: true, value };
}

function pairRegister(
  called: HistoryEvent,
  returned: HistoryEvent | null,
): ReturnType<Pairing<CasRegisterInput, RegisterOutput>> {
  const { value } = called;
  switch (called.f) {
    case "read":
      if (returned !== null && !isRegisterValue(returned.value)) {
        return { expected: "the value that was read: null, a number, a string or a boolean" };
      }
      return {
        input: { f: "read" },
        output: returned === null ? undefined : { value: returned.value as RegisterValue },
      };
    case "write":
      if (!isRegisterValue(value)) {
        return { expected: "the value to write: null, a number, a string or a boolean" };
      }
      return { input: { f: "write", value }, output: returned === null ? undefined : {} };
    case "cas": {
      const [from, to] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [];
      if (!isRegisterValue(from) || !isRegisterValue(to)) {
        return { expected: "the two values of the cas: [from, to]" };
      }
      return {
        input: { f: "cas", from, to },
        output: returned === null ? undefined : { ok: returned.type === "ok" },
      };
    }
    default:
      return { expected: 'an operation of the model cas-register: "read", "write" or "cas"' };
  }
}

function pairKv(
  called: HistoryEvent,
  returned: HistoryEvent | null,
): ReturnType<Pairing<KvInput, KvOutput>> {
  const { value } = called;
  switch (called.f) {
    case "get": {
      if (returned === null) return { input: { f: "get" }, output: undefined };
      const got = returned.value ?? "";
      if (typeof got !== "string") return { expected: "the string that was got, or null" };
      return { input: { f: "get" }, output: { value: got } };
    }
    case "put":
    case "append":
      if (typeof value !== "string") return { expected: `the string to ${called.f}` };
      return { input: { f: called.f, value }, output: returned === null ? undefined : {} };
    case "delete":
      // An absent key is the empty string.
      return { input: { f: "put", value: "" }, output: returned === null ? undefined : {} };
    default:
      return { expected: 'an operation of the model kv: "get", "put", "append" or "delete"' };
  }
}

function isRegisterValue(value: unknown): value is RegisterValue {
  return (
    value === null ||
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "boolean"
  );
}
