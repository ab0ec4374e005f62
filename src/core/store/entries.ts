/** The payloads of the log entries that the store applies: data, session and group life. */
import { ByteReader, ByteWriter } from "../bytes.js";
import type { SlotRange } from "../state-machine.js";
import { type Undecodable, undecodable } from "../undecodable.js";
import {
  type SessionId,
  isSerial,
  nonceBytesMax,
  putSessionId,
  takeSessionId,
} from "./client-protocol.js";
import { slotCountMax } from "./slots.js";

/** What stands around a command in the log. */
export interface DataEntry {
  readonly kind: "data";
  readonly session: SessionId;
  readonly serial: number;
  readonly ackBelow: number;
  readonly slot: number;
  readonly command: Uint8Array;
}

export type SessionEntry =
  | { readonly kind: "open"; readonly nonce: Uint8Array }
  | { readonly kind: "close"; readonly session: SessionId };

/** Each may be proposed again: done already at this epoch, it changes nothing and answers the same. */
export type GroupLifeEntry =
  /** From here on the slots are not served; answered with their state, which is kept. */
  | { readonly kind: "exportSlots"; readonly slots: SlotRange; readonly epoch: number }
  /** What `exportSlots` kept of these slots at this epoch is dropped. */
  | { readonly kind: "dropSlots"; readonly slots: SlotRange; readonly epoch: number }
  /** From here on the slots are served, with the state that another group exported. */
  | {
      readonly kind: "importSlots";
      readonly slots: SlotRange;
      readonly epoch: number;
      readonly bytes: Uint8Array;
    };

const formatVersion = 1;
const sessionOp = { open: 1, close: 2 } as const;
const lifeOp = { exportSlots: 1, dropSlots: 2, importSlots: 3 } as const;

const writer = new ByteWriter();

export function encodeDataEntry(entry: Omit<DataEntry, "kind">): Uint8Array {
  writer.reset();
  writer.u8(formatVersion);
  putSessionId(writer, entry.session);
  writer.u53(entry.serial);
  writer.u53(entry.ackBelow);
  writer.u32(entry.slot);
  writer.varbytes(entry.command);
  return writer.finish();
}

/** `command` is a view of `bytes`. */
export function decodeDataEntry(bytes: Uint8Array): DataEntry | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const session = takeSessionId(reader);
  const serial = reader.u53();
  const ackBelow = reader.u53();
  const slot = reader.u32();
  const command = reader.varbytes();
  if (!reader.complete) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  if (!isSerial(serial, ackBelow)) return undecodable("field");
  return { kind: "data", session, serial, ackBelow, slot, command };
}

export function encodeSessionEntry(entry: SessionEntry): Uint8Array {
  writer.reset();
  writer.u8(formatVersion);
  writer.u8(sessionOp[entry.kind]);
  if (entry.kind === "open") writer.varbytes(entry.nonce);
  else putSessionId(writer, entry.session);
  return writer.finish();
}

/** `nonce` is a view of `bytes`. */
export function decodeSessionEntry(bytes: Uint8Array): SessionEntry | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const op = reader.u8();
  if (reader.failed) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  if (op === sessionOp.open) {
    const nonce = reader.varbytes();
    if (!reader.complete) return undecodable("end");
    return nonce.length > nonceBytesMax ? undecodable("field") : { kind: "open", nonce };
  }
  if (op !== sessionOp.close) return undecodable("kind");
  const session = takeSessionId(reader);
  return reader.complete ? { kind: "close", session } : undecodable("end");
}

export function encodeGroupLifeEntry(entry: GroupLifeEntry): Uint8Array {
  writer.reset();
  writer.u8(formatVersion);
  writer.u8(lifeOp[entry.kind]);
  writer.u32(entry.slots.from);
  writer.u32(entry.slots.to);
  writer.u53(entry.epoch);
  if (entry.kind === "importSlots") writer.varbytes(entry.bytes);
  return writer.finish();
}

/** The bytes of an import are a view of `bytes`. */
export function decodeGroupLifeEntry(bytes: Uint8Array): GroupLifeEntry | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const op = reader.u8();
  const slots: SlotRange = { from: reader.u32(), to: reader.u32() };
  const epoch = reader.u53();
  const state = op === lifeOp.importSlots ? reader.varbytes() : null;
  if (!reader.complete) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  if (slots.from >= slots.to || slots.to > slotCountMax) return undecodable("field");
  if (state !== null) return { kind: "importSlots", slots, epoch, bytes: state };
  if (op === lifeOp.exportSlots) return { kind: "exportSlots", slots, epoch };
  return op === lifeOp.dropSlots ? { kind: "dropSlots", slots, epoch } : undecodable("kind");
}
