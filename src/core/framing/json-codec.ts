/**
 * The same messages as JSON text: for eyes and tools. A frame keeps its header and checksum, has
 * `frameFlagJson` set, and its payload is the text in UTF-8. Bytes are base64. Group and incarnation
 * stand in the header and in the text, and must agree.
 */
import { assertNever } from "../assert.js";
import { base64Decode, base64Encode } from "../base64.js";
import { utf8Decode, utf8Encode } from "../bytes.js";
import { crc32 } from "../crc32.js";
import type { Entry, SnapshotMeta } from "../entry.js";
import { groupIdMax, idMax } from "../ids.js";
import type { Json } from "../plain.js";
import type { Codec, CodecOptions } from "./codec.js";
import { frameBytesMaxDefault, frameType, frameTypeOf } from "./frame-types.js";
import {
  type Malformed,
  checkFrame,
  encodeFrame,
  frameFlagJson,
  frameGroup,
  frameHeaderBytes,
  frameIncarnation,
  frameTrailerBytes,
  malformed,
} from "./frame.js";
import {
  type FieldType,
  type FramedMessage,
  goodbyeReasons,
  messageFields,
  namesGroup,
  snapshotOutcomes,
} from "./messages.js";

/** Text takes so many times the bytes of the binary body, and of what an entry weighs, at most. */
const growthMax = 4;

export function jsonCodec(options: CodecOptions = {}): Codec {
  const { checksum = crc32, bytesMax = frameBytesMaxDefault } = options;
  return {
    name: "json",
    binaryBytesMax: Math.floor(bytesMax / growthMax),
    encode(message, id) {
      const type = frameTypeOf[message.kind];
      const [group, incarnation] = namesGroup(message)
        ? [message.group, message.incarnation]
        : [0, 0];
      const payload = utf8Encode(JSON.stringify(messageToJson(message)));
      const frame = { type, flags: frameFlagJson, group, incarnation, id, payload };
      return encodeFrame(frame, checksum);
    },
    decode: (whole) => checkFrame(whole, checksum, bytesMax) ?? decodeBody(whole),
    decodeVerified: (whole) => checkFrame(whole, null, bytesMax) ?? decodeBody(whole),
  };
}

function decodeBody(whole: Uint8Array): FramedMessage | Malformed {
  if (whole[6] !== frameFlagJson) return malformed("flags", 6);
  const text = utf8Decode(whole.subarray(frameHeaderBytes, whole.length - frameTrailerBytes));
  if (text === null) return malformed("json", frameHeaderBytes);
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch {
    return malformed("json", frameHeaderBytes);
  }
  const message = messageFromJson(json);
  if (message.kind === "malformed") return message;
  if (message.kind !== frameType(whole[5]!)?.name) return malformed("type", 5);
  const [group, incarnation] = namesGroup(message) ? [message.group, message.incarnation] : [0, 0];
  const agree = group === frameGroup(whole) && incarnation === frameIncarnation(whole);
  return agree ? message : malformed("field", 8);
}

/** Also the form in which messages stand in traces. */
export function messageToJson(message: FramedMessage): Json {
  const json: Record<string, Json> = { kind: message.kind };
  if (namesGroup(message)) {
    json["group"] = message.group;
    json["incarnation"] = message.incarnation;
  }
  const fields = message as unknown as Readonly<Record<string, unknown>>;
  for (const [name, type] of messageFields[message.kind]) {
    json[name] = fieldToJson(type, fields[name]);
  }
  return json;
}

/** Fields that no message of this kind has are an error too. */
export function messageFromJson(json: Json): FramedMessage | Malformed {
  const at = frameHeaderBytes;
  if (!isRecord(json)) return malformed("json", at);
  const { kind } = json;
  if (typeof kind !== "string" || !Object.hasOwn(messageFields, kind)) return malformed("type", at);
  const fields = messageFields[kind as FramedMessage["kind"]];
  const grouped = fields[0]![0] === "from" || fields[0]![0] === "replica";
  const expected = fields.length + (grouped ? 3 : 1);
  if (Object.keys(json).length !== expected) return malformed("field", at);
  const message: Record<string, unknown> = { kind };
  if (grouped) {
    const { group, incarnation } = json;
    if (!isWhole(group, groupIdMax) || !isWhole(incarnation, groupIdMax)) {
      return malformed("number", at);
    }
    message["group"] = group;
    message["incarnation"] = incarnation;
  }
  for (const [name, type] of fields) {
    const value = fieldFromJson(type, json[name], message["prevIndex"]);
    if (value === undefined) return malformed(type === "u64" ? "number" : "field", at);
    message[name] = value;
  }
  return message as unknown as FramedMessage;
}

function fieldToJson(type: FieldType, value: unknown): Json {
  switch (type) {
    case "u64":
    case "flag":
    case "outcome":
    case "reason":
      return value as Json;
    case "bytes":
      return base64Encode(value as Uint8Array);
    case "entries":
      return (value as readonly Entry[]).map((entry) => ({
        term: entry.term,
        index: entry.index,
        type: entry.type,
        keyEpoch: entry.keyEpoch,
        payload: base64Encode(entry.payload),
      }));
    case "snapshot": {
      const snapshot = value as SnapshotMeta;
      return { ...snapshot, configuration: base64Encode(snapshot.configuration) };
    }
    default:
      return assertNever(type);
  }
}

/** Undefined when it is not one. */
function fieldFromJson(type: FieldType, json: Json | undefined, prevIndex: unknown): unknown {
  switch (type) {
    case "u64":
      return isWhole(json, idMax) ? json : undefined;
    case "flag":
      return typeof json === "boolean" ? json : undefined;
    case "outcome":
      return snapshotOutcomes.find((known) => known === json);
    case "reason":
      return goodbyeReasons.find((known) => known === json);
    case "bytes":
      return bytesFromJson(json);
    case "entries":
      return entriesFromJson(json, prevIndex as number);
    case "snapshot":
      return snapshotFromJson(json);
    default:
      return assertNever(type);
  }
}

function entriesFromJson(json: Json | undefined, prevIndex: number): Entry[] | undefined {
  if (!Array.isArray(json)) return undefined;
  const entries: Entry[] = [];
  for (const item of json as readonly Json[]) {
    if (!isRecord(item) || Object.keys(item).length !== 5) return undefined;
    const { term, index, type, keyEpoch } = item;
    const payload = bytesFromJson(item["payload"]);
    const sound =
      payload !== undefined &&
      isWhole(term, idMax) &&
      isWhole(index, idMax) &&
      index === prevIndex + 1 + entries.length &&
      isWhole(type, 0xff) &&
      isWhole(keyEpoch, 0xffff);
    if (!sound) return undefined;
    entries.push({ term, index, type, keyEpoch, payload } as Entry);
  }
  return entries;
}

function snapshotFromJson(json: Json | undefined): SnapshotMeta | undefined {
  if (!isRecord(json) || Object.keys(json).length !== 5) return undefined;
  const { index, term, sizeBytes, checksum } = json;
  const configuration = bytesFromJson(json["configuration"]);
  const sound =
    configuration !== undefined &&
    isWhole(index, idMax) &&
    isWhole(term, idMax) &&
    isWhole(sizeBytes, idMax) &&
    isWhole(checksum, 0xffff_ffff);
  if (!sound) return undefined;
  return { index, term, configuration, sizeBytes, checksum } as SnapshotMeta;
}

function bytesFromJson(json: Json | undefined): Uint8Array | undefined {
  return typeof json === "string" ? (base64Decode(json) ?? undefined) : undefined;
}

function isRecord(json: Json | undefined): json is { readonly [key: string]: Json } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function isWhole(json: Json | undefined, max: number): json is number {
  // JSON has a -0, which is no whole number of ours.
  return Number.isInteger(json) && !Object.is(json, -0) && Number(json) >= 0 && Number(json) <= max;
}
