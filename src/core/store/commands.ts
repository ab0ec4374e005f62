/**
 * What clients ask of the key-value store and what it answers, as bytes. Little-endian; each begins
 * with the number of its kind. Bytes are a u32 length and so many; an optional one begins with a flag.
 */
import { ByteReader, ByteWriter, emptyBytes } from "../bytes.js";
import {
  type Undecodable,
  type UndecodableCode,
  undecodable,
  undecodableCodes,
} from "../undecodable.js";

export type KvCommand =
  | { readonly kind: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: "delete"; readonly key: Uint8Array }
  | {
      readonly kind: "cas";
      readonly key: Uint8Array;
      /** Null: the key must be absent. */
      readonly expected: Uint8Array | null;
      readonly value: Uint8Array;
    };

export type KvQuestion =
  | { readonly kind: "get"; readonly key: Uint8Array }
  | {
      /**
       * The first `limit` keys from `start` on and below `end` (null: no bound) that are equal to
       * `start` up to the first `/`.
       */
      readonly kind: "range";
      readonly start: Uint8Array;
      readonly end: Uint8Array | null;
      readonly limit: number;
    };

export type KvAnswer =
  | { readonly kind: "put" }
  | { readonly kind: "delete"; readonly existed: boolean }
  | { readonly kind: "cas"; readonly ok: boolean }
  | { readonly kind: "get"; readonly value: Uint8Array | null }
  | { readonly kind: "range"; readonly entries: readonly KvEntry[] }
  /** The bytes were no command or no question. */
  | { readonly kind: "malformed"; readonly code: UndecodableCode }
  /** The key belongs to another slot than the one that it was sent to. */
  | { readonly kind: "wrongSlot" }
  /** The range holds more than `rangeBytesMax`: ask for less. */
  | { readonly kind: "tooLarge" };

export type KvEntry = readonly [key: Uint8Array, value: Uint8Array];

export const keyBytesMax = 4096;
export const valueBytesMax: number = 1024 * 1024;
export const rangeLimitMax = 10_000;
/** Keys and values of one answer. */
export const rangeBytesMax: number = 2 * 1024 * 1024;

const op = { put: 1, delete: 2, cas: 3, get: 4, range: 5 } as const;
const answerOp = { ...op, malformed: 6, wrongSlot: 7, tooLarge: 8 } as const;

const writer = new ByteWriter();

export function encodeKvCommand(command: KvCommand): Uint8Array {
  writer.reset();
  writer.u8(op[command.kind]);
  writer.varbytes(command.key);
  if (command.kind === "cas") putOptional(command.expected);
  if (command.kind !== "delete") writer.varbytes(command.value);
  return writer.finish();
}

/** Keys and values are views of `bytes`. */
export function decodeKvCommand(bytes: Uint8Array): KvCommand | Undecodable {
  const reader = new ByteReader(bytes);
  const kind = reader.u8();
  if (reader.failed) return undecodable("end");
  if (kind < op.put || kind > op.cas) return undecodable("kind");
  const key = reader.varbytes();
  const expected = kind === op.cas ? takeOptional(reader) : null;
  const value = kind === op.delete ? emptyBytes : reader.varbytes();
  if (!reader.complete) return undecodable("end");
  const largest = Math.max(value.length, expected?.length ?? 0);
  if (key.length > keyBytesMax || largest > valueBytesMax) return undecodable("field");
  if (kind === op.put) return { kind: "put", key, value };
  return kind === op.delete ? { kind: "delete", key } : { kind: "cas", key, expected, value };
}

export function encodeKvQuestion(question: KvQuestion): Uint8Array {
  writer.reset();
  writer.u8(op[question.kind]);
  if (question.kind === "get") {
    writer.varbytes(question.key);
  } else {
    writer.varbytes(question.start);
    putOptional(question.end);
    writer.u32(question.limit);
  }
  return writer.finish();
}

/** Keys are views of `bytes`. */
export function decodeKvQuestion(bytes: Uint8Array): KvQuestion | Undecodable {
  const reader = new ByteReader(bytes);
  const kind = reader.u8();
  if (reader.failed) return undecodable("end");
  if (kind !== op.get && kind !== op.range) return undecodable("kind");
  const key = reader.varbytes();
  const end = kind === op.range ? takeOptional(reader) : null;
  const limit = kind === op.range ? reader.u32() : 0;
  if (!reader.complete) return undecodable("end");
  if (Math.max(key.length, end?.length ?? 0) > keyBytesMax || limit > rangeLimitMax) {
    return undecodable("field");
  }
  return kind === op.get ? { kind: "get", key } : { kind: "range", start: key, end, limit };
}

export function encodeKvAnswer(answer: KvAnswer): Uint8Array {
  writer.reset();
  writer.u8(answerOp[answer.kind]);
  switch (answer.kind) {
    case "delete":
      writer.u8(answer.existed ? 1 : 0);
      break;
    case "cas":
      writer.u8(answer.ok ? 1 : 0);
      break;
    case "get":
      putOptional(answer.value);
      break;
    case "range":
      writer.u32(answer.entries.length);
      for (const [key, value] of answer.entries) {
        writer.varbytes(key);
        writer.varbytes(value);
      }
      break;
    case "malformed":
      writer.u8(undecodableCodes.indexOf(answer.code));
      break;
    case "put":
    case "wrongSlot":
    case "tooLarge":
      break;
  }
  return writer.finish();
}

/** Keys and values are views of `bytes`. */
export function decodeKvAnswer(bytes: Uint8Array): KvAnswer | Undecodable {
  const reader = new ByteReader(bytes);
  const answer = takeAnswer(reader);
  return reader.complete || answer.kind === "undecodable" ? answer : undecodable("end");
}

function takeAnswer(reader: ByteReader): KvAnswer | Undecodable {
  switch (reader.u8()) {
    case answerOp.put:
      return { kind: "put" };
    case answerOp.delete:
      return { kind: "delete", existed: reader.flag() };
    case answerOp.cas:
      return { kind: "cas", ok: reader.flag() };
    case answerOp.get:
      return { kind: "get", value: takeOptional(reader) };
    case answerOp.range: {
      const count = reader.u32();
      const entries: KvEntry[] = [];
      for (let n = 0; n < count && !reader.failed; n++) {
        entries.push([reader.varbytes(), reader.varbytes()]);
      }
      return { kind: "range", entries };
    }
    case answerOp.malformed: {
      const code = undecodableCodes[reader.u8()];
      return code === undefined ? undecodable("field") : { kind: "malformed", code };
    }
    case answerOp.wrongSlot:
      return { kind: "wrongSlot" };
    case answerOp.tooLarge:
      return { kind: "tooLarge" };
    default:
      return undecodable(reader.failed ? "end" : "kind");
  }
}

function putOptional(bytes: Uint8Array | null): void {
  writer.u8(bytes === null ? 0 : 1);
  if (bytes !== null) writer.varbytes(bytes);
}

function takeOptional(reader: ByteReader): Uint8Array | null {
  return reader.flag() ? reader.varbytes() : null;
}
