/**
 * What a client sends to a node and what it gets back, as bytes; docs/reference/client-protocol.md
 * says how a client should use it. Little-endian; `u8 version · u8 kind · fields`. What only an admin
 * may ask for comes by another door: see admin-protocol.ts.
 */
import { ByteReader, ByteWriter } from "../bytes.js";
import type { RefusalReason } from "../consensus.js";
import { type GroupId, type Incarnation, type Index, type NodeId, metaGroup } from "../ids.js";
import {
  type Undecodable,
  type UndecodableCode,
  undecodable,
  undecodableCodes,
} from "../undecodable.js";

/** Where and by which entry the session was opened. */
export interface SessionId {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly index: Index;
}

export type ClientRequest =
  /** A retry repeats the nonce and gets the same session, as long as that is there. */
  | { readonly kind: "openSession"; readonly group: GroupId; readonly nonce: Uint8Array }
  | { readonly kind: "closeSession"; readonly group: GroupId; readonly session: SessionId }
  | {
      readonly kind: "command";
      readonly group: GroupId;
      readonly session: SessionId;
      /** From 1, one for each command of the session; a retry repeats it. */
      readonly serial: number;
      /** The lowest serial whose answer the client still waits for; at most `serial`. */
      readonly ackBelow: number;
      readonly slot: number;
      /** At which the slot is owned there, as the map says; 0 in a cluster without a map. */
      readonly epoch: number;
      readonly command: Uint8Array;
    }
  | {
      readonly kind: "read";
      readonly group: GroupId;
      readonly mode: ClientReadMode;
      readonly slot: number;
      readonly epoch: number;
      readonly question: Uint8Array;
    }
  /** For the cluster's map, unless its version is `known`; 0: no version is known. */
  | { readonly kind: "map"; readonly known: number };

/** `follower`: by any replica, at an index that it asks its leader for; linearizable too. */
export type ClientReadMode = "index" | "lease" | "follower";

export type ClientAnswer =
  | { readonly kind: "opened"; readonly session: SessionId }
  /** The state machine's answer; empty for a close and for what an admin asked without one. */
  | { readonly kind: "done"; readonly bytes: Uint8Array }
  | { readonly kind: "readResult"; readonly bytes: Uint8Array }
  /** This attempt did nothing and will not. `leader`: where to try next, 0 when not known. */
  | { readonly kind: "refused"; readonly reason: ClientRefusal; readonly leader: NodeId | 0 }
  /** It may still take effect. */
  | { readonly kind: "unknown"; readonly leader: NodeId | 0 }
  /** This attempt was not applied; whether an earlier one was is no longer known. */
  | { readonly kind: "sessionExpired" }
  /** Not served here at the epoch of the request; `epoch` is the newest that this group knows. */
  | { readonly kind: "moved"; readonly epoch: number }
  /** As one replica has it, maybe an old one. `bytes` are empty when the client knows it already. */
  | { readonly kind: "map"; readonly version: number; readonly bytes: Uint8Array }
  | { readonly kind: "malformed"; readonly code: UndecodableCode };

export type ClientRefusal = RefusalReason | StoreRefusal;

export type StoreRefusal =
  /** The node has no replica of that group. */
  | "noGroup"
  /** The session remembers as many answers as it may: raise `ackBelow`. */
  | "sessionFull"
  /** The serial is below an `ackBelow` of the client's own. */
  | "staleSerial"
  /** A step in a group's life does not fit the slots' present epoch or owner. */
  | "badEpoch"
  /** The group has ended and does nothing any more. */
  | "retired"
  /** A change of members was meant for another configuration than the leader's newest. */
  | "otherConfiguration";

/** In the order of their numbers; new ones go to the end. */
export const clientRefusals: readonly ClientRefusal[] = [
  "notLeader",
  "notReady",
  "transferring",
  "overloaded",
  "noSpace",
  "tooLarge",
  "changePending",
  "badChange",
  "badTarget",
  "noLease",
  "timeout",
  "removed",
  "damaged",
  "noGroup",
  "sessionFull",
  "staleSerial",
  "badEpoch",
  "retired",
  "otherConfiguration",
  "keysUnavailable",
  "keyRevoked",
];

export const nonceBytesMax = 64;

/** Of requests and answers, by either door. */
export const formatVersion = 1;
const readModes: readonly ClientReadMode[] = ["index", "lease", "follower"];
/** As in docs/reference/client-protocol.md. Those from 64 on are an admin's: admin-protocol.ts. */
export const requestKind = {
  openSession: 1,
  closeSession: 2,
  command: 3,
  read: 4,
  map: 5,
} as const;
export const answerKind = {
  opened: 1,
  done: 2,
  readResult: 3,
  refused: 4,
  unknown: 5,
  sessionExpired: 6,
  moved: 7,
  malformed: 8,
  map: 9,
} as const;

const writer = new ByteWriter();

function begin(kind: number): void {
  writer.reset();
  writer.u8(formatVersion);
  writer.u8(kind);
}

export function encodeClientRequest(request: ClientRequest): Uint8Array {
  begin(requestKind[request.kind]);
  writer.u53(request.kind === "map" ? metaGroup : request.group);
  switch (request.kind) {
    case "openSession":
      writer.varbytes(request.nonce);
      break;
    case "closeSession":
      putSessionId(writer, request.session);
      break;
    case "command":
      putSessionId(writer, request.session);
      writer.u53(request.serial);
      writer.u53(request.ackBelow);
      writer.u32(request.slot);
      writer.u53(request.epoch);
      writer.varbytes(request.command);
      break;
    case "read":
      writer.u8(readModes.indexOf(request.mode));
      writer.u32(request.slot);
      writer.u53(request.epoch);
      writer.varbytes(request.question);
      break;
    case "map":
      writer.u53(request.known);
      break;
  }
  return writer.finish();
}

/** Byte arrays in the request are views of `bytes`. */
export function decodeClientRequest(bytes: Uint8Array): ClientRequest | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const kind = reader.u8();
  const group = reader.wide32() as GroupId;
  if (reader.failed) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  return finished(reader, takeRequest(reader, kind, group));
}

function takeRequest(
  reader: ByteReader,
  kind: number,
  group: GroupId,
): ClientRequest | Undecodable {
  switch (kind) {
    case requestKind.openSession: {
      const nonce = reader.varbytes();
      if (nonce.length > nonceBytesMax) return undecodable("field");
      return { kind: "openSession", group, nonce };
    }
    case requestKind.closeSession:
      return { kind: "closeSession", group, session: takeSessionId(reader) };
    case requestKind.command: {
      const session = takeSessionId(reader);
      const serial = reader.u53();
      const ackBelow = reader.u53();
      const slot = reader.u32();
      const epoch = reader.u53();
      const command = reader.varbytes();
      if (!reader.failed && !isSerial(serial, ackBelow)) return undecodable("field");
      return { kind: "command", group, session, serial, ackBelow, slot, epoch, command };
    }
    case requestKind.read: {
      const mode = readModes[reader.u8()];
      if (mode === undefined) return undecodable("field");
      const slot = reader.u32();
      const epoch = reader.u53();
      return { kind: "read", group, mode, slot, epoch, question: reader.varbytes() };
    }
    case requestKind.map:
      if (group !== metaGroup) return undecodable("field");
      return { kind: "map", known: reader.u53() };
    default:
      return undecodable("kind");
  }
}

/** Serials start at 1, and a client that sends one still waits for its answer. */
export function isSerial(serial: number, ackBelow: number): boolean {
  return serial >= 1 && ackBelow <= serial;
}

export function encodeClientAnswer(answer: ClientAnswer): Uint8Array {
  begin(answerKind[answer.kind]);
  switch (answer.kind) {
    case "opened":
      putSessionId(writer, answer.session);
      break;
    case "done":
    case "readResult":
      writer.varbytes(answer.bytes);
      break;
    case "refused":
      writer.u8(clientRefusals.indexOf(answer.reason));
      writer.u53(answer.leader);
      break;
    case "unknown":
      writer.u53(answer.leader);
      break;
    case "moved":
      writer.u53(answer.epoch);
      break;
    case "map":
      writer.u53(answer.version);
      writer.varbytes(answer.bytes);
      break;
    case "malformed":
      writer.u8(undecodableCodes.indexOf(answer.code));
      break;
    case "sessionExpired":
      break;
  }
  return writer.finish();
}

/** Byte arrays in the answer are views of `bytes`. */
export function decodeClientAnswer(bytes: Uint8Array): ClientAnswer | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const kind = reader.u8();
  if (reader.failed) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  return finished(reader, takeAnswer(reader, kind));
}

function takeAnswer(reader: ByteReader, kind: number): ClientAnswer | Undecodable {
  switch (kind) {
    case answerKind.opened:
      return { kind: "opened", session: takeSessionId(reader) };
    case answerKind.done:
      return { kind: "done", bytes: reader.varbytes() };
    case answerKind.readResult:
      return { kind: "readResult", bytes: reader.varbytes() };
    case answerKind.refused: {
      const reason = clientRefusals[reader.u8()];
      if (reason === undefined) return undecodable("field");
      return { kind: "refused", reason, leader: reader.u53() as NodeId };
    }
    case answerKind.unknown:
      return { kind: "unknown", leader: reader.u53() as NodeId };
    case answerKind.sessionExpired:
      return { kind: "sessionExpired" };
    case answerKind.moved:
      return { kind: "moved", epoch: reader.u53() };
    case answerKind.map:
      return { kind: "map", version: reader.u53(), bytes: reader.varbytes() };
    case answerKind.malformed: {
      const code = undecodableCodes[reader.u8()];
      return code === undefined ? undecodable("field") : { kind: "malformed", code };
    }
    default:
      return undecodable("kind");
  }
}

export function putSessionId(to: ByteWriter, session: SessionId): void {
  to.u53(session.group);
  to.u53(session.incarnation);
  to.u53(session.index);
}

export function takeSessionId(reader: ByteReader): SessionId {
  const group = reader.wide32() as GroupId;
  const incarnation = reader.wide32() as Incarnation;
  return { group, incarnation, index: reader.u53() as Index };
}

/** What was missing outweighs what was read in its place. */
export function finished<T extends { readonly kind: string }>(
  reader: ByteReader,
  taken: T | Undecodable,
): T | Undecodable {
  if (reader.failed) return undecodable("end");
  if (taken.kind === "undecodable" || reader.complete) return taken;
  return undecodable("end");
}
