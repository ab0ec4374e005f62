/** Messages of nodes, and of clients to them, as binary frames. Layout: messages.ts. */
import { getU32, getU53, putU32, putU53 } from "../bytes.js";
import { type Checksum, crc32 } from "../crc32.js";
import type { Boot, GroupId, Incarnation, NodeId, ReplicaId } from "../ids.js";
import { type Door, frameTypeOf } from "./frame-types.js";
import {
  type Malformed,
  beginFrame,
  frameHeaderBytes,
  frameTrailerBytes,
  malformed,
  sealFrame,
} from "./frame.js";
import { type NodeMessage, type UnknownReplica, goodbyeReasons } from "./messages.js";

const from = frameHeaderBytes;

export function encodeNodeFrame(
  message: NodeMessage,
  id: number,
  checksum: Checksum = crc32,
): Uint8Array {
  const named = message.kind === "unknownReplica" || message.kind === "invite";
  const group = named ? message.group : 0;
  const incarnation = named ? message.incarnation : 0;
  const type = frameTypeOf[message.kind];
  const bytes = beginFrame(type, group, incarnation, id, bodyBytes(message));
  switch (message.kind) {
    case "hello":
    case "helloAck":
      putU53(bytes, from, message.cluster);
      putU53(bytes, from + 8, message.node);
      putU53(bytes, from + 16, message.boot);
      putU53(bytes, from + 24, message.disk);
      break;
    case "goodbye":
      bytes[from] = goodbyeReasons.indexOf(message.reason);
      break;
    case "unknownReplica":
    case "invite":
      putU53(bytes, from, message.replica);
      putU53(bytes, from + 8, message.disk);
      if (message.kind === "invite") putBytes(bytes, from + 16, message.configuration);
      break;
    case "beat":
      putU53(bytes, from, message.boot);
      break;
    case "machine":
    case "request":
    case "adminRequest":
      putBytes(bytes, from, message.bytes);
      break;
    case "nodeRequest":
      putU53(bytes, from, message.asked);
      putBytes(bytes, from + 8, message.bytes);
      break;
    case "nodeAnswer":
    case "answer":
      putU53(bytes, from, message.to);
      putBytes(bytes, from + 8, message.bytes);
      break;
  }
  return sealFrame(bytes, checksum);
}

function bodyBytes(message: NodeMessage): number {
  switch (message.kind) {
    case "hello":
    case "helloAck":
      return 32;
    case "goodbye":
      return 1;
    case "beat":
      return 8;
    case "unknownReplica":
      return 16;
    case "invite":
      return 20 + message.configuration.length;
    case "machine":
    case "request":
    case "adminRequest":
      return 4 + message.bytes.length;
    case "nodeRequest":
    case "nodeAnswer":
    case "answer":
      return 12 + message.bytes.length;
  }
}

function putBytes(bytes: Uint8Array, at: number, body: Uint8Array): void {
  putU32(bytes, at, body.length);
  bytes.set(body, at + 4);
}

/** The frame is sound and its type is one of these, else the error is `type`. */
export function decodeNodeBody(whole: Uint8Array): NodeMessage | Malformed {
  if (whole[6] !== 0) return malformed("flags", 6);
  const length = whole.length - frameTrailerBytes - from;
  switch (whole[5]) {
    case frameTypeOf.hello:
      return decodeGreeting("hello", whole, length);
    case frameTypeOf.helloAck:
      return decodeGreeting("helloAck", whole, length);
    case frameTypeOf.goodbye: {
      if (length !== 1) return malformed("end", from + length);
      const reason = goodbyeReasons[whole[from]!];
      return reason === undefined ? malformed("field", from) : { kind: "goodbye", reason };
    }
    case frameTypeOf.unknownReplica:
      return length === 16 ? decodePlacing(whole) : malformed("end", from + length);
    case frameTypeOf.invite:
      return decodeInvite(whole, length);
    case frameTypeOf.beat: {
      if (length !== 8) return malformed("end", from + length);
      const boot = getU53(whole, from);
      return boot < 0 ? malformed("number", from) : { kind: "beat", boot: boot as Boot };
    }
    case frameTypeOf.machine:
      return decodeOpaque("machine", whole, length);
    case frameTypeOf.request:
      return decodeOpaque("request", whole, length);
    case frameTypeOf.adminRequest:
      return decodeOpaque("adminRequest", whole, length);
    case frameTypeOf.nodeRequest:
      return decodeNumbered("nodeRequest", whole, length);
    case frameTypeOf.nodeAnswer:
      return decodeNumbered("nodeAnswer", whole, length);
    case frameTypeOf.answer:
      return decodeNumbered("answer", whole, length);
    default:
      return malformed("type", 5);
  }
}

function decodeGreeting(
  kind: "hello" | "helloAck",
  whole: Uint8Array,
  length: number,
): NodeMessage | Malformed {
  if (length !== 32) return malformed("end", from + length);
  const cluster = getU53(whole, from);
  const node = getU53(whole, from + 8);
  const boot = getU53(whole, from + 16);
  const disk = getU53(whole, from + 24);
  if (Math.min(cluster, node, boot, disk) < 0) return malformed("number", from);
  return { kind, cluster, node: node as NodeId, boot: boot as Boot, disk };
}

function decodeInvite(whole: Uint8Array, length: number): NodeMessage | Malformed {
  if (length < 20 || getU32(whole, from + 16) !== length - 20) {
    return malformed("end", from + length);
  }
  const placing = decodePlacing(whole);
  if (placing.kind === "malformed") return placing;
  const configuration = whole.subarray(from + 20, from + length);
  return { ...placing, kind: "invite", configuration };
}

function decodePlacing(whole: Uint8Array): UnknownReplica | Malformed {
  const replica = getU53(whole, from);
  const disk = getU53(whole, from + 8);
  if (replica < 0 || disk < 0) return malformed("number", from);
  const group = getU32(whole, 8) as GroupId;
  const incarnation = getU32(whole, 12) as Incarnation;
  return { kind: "unknownReplica", group, incarnation, replica: replica as ReplicaId, disk };
}

function decodeNumbered(
  kind: "nodeRequest" | "nodeAnswer" | "answer",
  whole: Uint8Array,
  length: number,
): NodeMessage | Malformed {
  if (length < 12 || getU32(whole, from + 8) !== length - 12) {
    return malformed("end", from + length);
  }
  const number = getU53(whole, from);
  if (number < 0) return malformed("number", from);
  const bytes = whole.subarray(from + 12, from + length);
  return kind === "nodeRequest" ? { kind, asked: number, bytes } : { kind, to: number, bytes };
}

function decodeOpaque(
  kind: "machine" | Door,
  whole: Uint8Array,
  length: number,
): NodeMessage | Malformed {
  if (length < 4 || getU32(whole, from) !== length - 4) return malformed("end", from + length);
  return { kind, bytes: whole.subarray(from + 4, from + length) };
}
