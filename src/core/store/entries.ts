/**
 * The payloads of the log entries that the store applies: data, session and admin. Those of group
 * life are in group-life.ts.
 */
import { ByteReader, ByteWriter, bytesKey, keyBytes } from "../bytes.js";
import { type Undecodable, undecodable } from "../undecodable.js";
import {
  type SessionId,
  isSerial,
  nonceBytesMax,
  putSessionId,
  takeSessionId,
} from "./client-protocol.js";

/** What stands around a command in the log. */
export interface DataEntry {
  readonly kind: "data";
  readonly session: SessionId;
  readonly serial: number;
  readonly ackBelow: number;
  readonly slot: number;
  /** At which the client believes the slot to be owned; see slot-table.ts. */
  readonly epoch: number;
  readonly command: Uint8Array;
}

export type SessionEntry =
  | { readonly kind: "open"; readonly nonce: Uint8Array }
  | { readonly kind: "close"; readonly session: SessionId };

/** What a person with the admin role asked of the state machine. */
export interface AdminEntry {
  readonly kind: "admin";
  /** Name of that person, as the node that proposed the entry knows it; ASCII. */
  readonly who: string;
  /** Microseconds since 1970, by that node's wall clock: for people, never for order. */
  readonly atUs: number;
  readonly bytes: Uint8Array;
}

/** Characters of `AdminEntry.who`, one byte each. */
export const whoBytesMax = 64;

const formatVersion = 1;
const sessionOp = { open: 1, close: 2 } as const;

const writer = new ByteWriter();

export function encodeDataEntry(entry: Omit<DataEntry, "kind">): Uint8Array {
  writer.reset();
  writer.u8(formatVersion);
  putSessionId(writer, entry.session);
  writer.u53(entry.serial);
  writer.u53(entry.ackBelow);
  writer.u32(entry.slot);
  writer.u53(entry.epoch);
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
  const epoch = reader.u53();
  const command = reader.varbytes();
  if (!reader.complete) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  if (!isSerial(serial, ackBelow)) return undecodable("field");
  return { kind: "data", session, serial, ackBelow, slot, epoch, command };
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

export function encodeAdminEntry(entry: Omit<AdminEntry, "kind">): Uint8Array {
  writer.reset();
  writer.u8(formatVersion);
  writer.varbytes(keyBytes(entry.who));
  writer.u53(entry.atUs);
  writer.varbytes(entry.bytes);
  return writer.finish();
}

/** `bytes` of the entry is a view of `bytes`. */
export function decodeAdminEntry(bytes: Uint8Array): AdminEntry | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const who = reader.varbytes();
  const atUs = reader.u53();
  const asked = reader.varbytes();
  if (!reader.complete) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  if (who.length > whoBytesMax || !who.every(isPrintable)) return undecodable("field");
  return { kind: "admin", who: bytesKey(who), atUs, bytes: asked };
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}
