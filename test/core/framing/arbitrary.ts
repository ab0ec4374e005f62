/** Arbitrary messages of every kind, made from the table of fields. */
import fc from "fast-check";
import type { FieldType, FramedMessage } from "../../../src/core/framing/messages.js";
import {
  goodbyeReasons,
  messageFields,
  snapshotOutcomes,
} from "../../../src/core/framing/messages.js";

export const kinds = Object.keys(messageFields) as FramedMessage["kind"][];

const number = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(5),
  fc.constantFrom(2 ** 32, 2 ** 32 - 1, 2 ** 53 - 1),
);
const word = fc.nat(0xffff_ffff);
const bytes = fc.uint8Array({ maxLength: 20 });
const entry = fc.record({
  term: number,
  type: fc.nat(255),
  keyEpoch: fc.nat(0xffff),
  payload: bytes,
});

function field(type: FieldType): fc.Arbitrary<unknown> {
  switch (type) {
    case "u64":
      return number;
    case "flag":
      return fc.boolean();
    case "bytes":
      return bytes;
    case "outcome":
      return fc.constantFrom(...snapshotOutcomes);
    case "reason":
      return fc.constantFrom(...goodbyeReasons);
    case "entries":
      return fc.array(entry, { maxLength: 4 });
    case "snapshot":
      return fc.record({
        index: number,
        term: number,
        sizeBytes: number,
        checksum: word,
        configuration: bytes,
      });
  }
}

type Loose = Record<string, unknown> & { prevIndex: number; entries: object[] };

export function messageOf(kind: FramedMessage["kind"]): fc.Arbitrary<FramedMessage> {
  const fields = messageFields[kind];
  const record: Record<string, fc.Arbitrary<unknown>> = { kind: fc.constant(kind) };
  const grouped = ["from", "replica"].includes(fields[0]![0]);
  if (grouped) Object.assign(record, { group: word, incarnation: word });
  for (const [name, type] of fields) record[name] = field(type);
  return fc.record(record, { noNullPrototype: true }).map((made) => {
    const message = made as Loose;
    if (kind === "append") {
      message.prevIndex = Math.min(message.prevIndex, Number.MAX_SAFE_INTEGER - 4);
      message.entries = message.entries.map((one, at) => ({
        ...one,
        index: message.prevIndex + 1 + at,
      }));
    }
    return message as unknown as FramedMessage;
  });
}

export const message: fc.Arbitrary<FramedMessage> = fc.constantFrom(...kinds).chain(messageOf);
