/** `TokenCall`s as bytes. The writer throws `MalformedCallError` for what is no call; the reader fails. */
import type { ByteReader, ByteWriter } from "../../../core/bytes.js";
import type {
  Attribute,
  AttributeValue,
  Mechanism,
  MechanismParameter,
  Template,
  TokenCall,
  TokenFunction,
} from "../../../core/hsm/cryptoki/calls.js";
import { MalformedCallError } from "./malformed.js";
import { u32, wholeNumber } from "./native.js";
import { readBytes, readCount, readHandle, writeBytes, writeHandle } from "./wire.js";

type Call<Fn extends TokenFunction> = TokenCall & { readonly fn: Fn };

export function writeCall(to: ByteWriter, call: TokenCall): void {
  switch (call.fn) {
    case "initialize":
    case "finalize":
    case "slots":
      return;
    case "mechanisms":
    case "openSession":
      to.u53(wholeNumber(call.slot));
      return;
    default:
      writeHandle(to, call.session);
      writeInSession(to, call);
  }
}

export function readCall(from: ByteReader, fn: TokenFunction): TokenCall {
  switch (fn) {
    case "initialize":
    case "finalize":
    case "slots":
      return { fn };
    case "mechanisms":
    case "openSession":
      return { fn, slot: from.u53() };
    default:
      return readInSession(from, fn, readHandle(from));
  }
}

type InSession = Exclude<
  TokenFunction,
  "initialize" | "finalize" | "slots" | "mechanisms" | "openSession"
>;

function writeInSession(to: ByteWriter, call: Call<InSession>): void {
  switch (call.fn) {
    case "closeSession":
    case "sessionInfo":
    case "login":
    case "logout":
      return;
    case "generateRandom":
      to.u32(u32(call.lengthBytes));
      return;
    case "find":
      writeTemplate(to, call.template);
      to.u32(u32(call.max));
      return;
    case "createObject":
      writeTemplate(to, call.template);
      return;
    case "destroyObject":
      writeHandle(to, call.object);
      return;
    case "setAttributes":
      writeHandle(to, call.object);
      writeTemplate(to, call.template);
      return;
    case "attributes":
      writeHandle(to, call.object);
      to.u32(call.types.length);
      for (const type of call.types) to.u32(u32(type));
      return;
    default:
      writeWithMechanism(to, call);
  }
}

function readInSession(from: ByteReader, fn: InSession, session: string): TokenCall {
  switch (fn) {
    case "closeSession":
    case "sessionInfo":
    case "login":
    case "logout":
      return { fn, session };
    case "generateRandom":
      return { fn, session, lengthBytes: from.u32() };
    case "find": {
      const template = readTemplate(from);
      return { fn, session, template, max: from.u32() };
    }
    case "createObject":
      return { fn, session, template: readTemplate(from) };
    case "destroyObject":
      return { fn, session, object: readHandle(from) };
    case "setAttributes": {
      const object = readHandle(from);
      return { fn, session, object, template: readTemplate(from) };
    }
    case "attributes": {
      const object = readHandle(from);
      const types = readList(from, 4, () => from.u32());
      return { fn, session, object, types };
    }
    default:
      return readWithMechanism(from, fn, session);
  }
}

type WithMechanism = Exclude<
  InSession,
  | "closeSession"
  | "sessionInfo"
  | "login"
  | "logout"
  | "generateRandom"
  | "find"
  | "createObject"
  | "destroyObject"
  | "setAttributes"
  | "attributes"
>;

function writeWithMechanism(to: ByteWriter, call: Call<WithMechanism>): void {
  writeMechanism(to, call.mechanism);
  switch (call.fn) {
    case "generateKey":
      writeTemplate(to, call.template);
      return;
    case "generateKeyPair":
      writeTemplate(to, call.publicTemplate);
      writeTemplate(to, call.privateTemplate);
      return;
    case "wrapKey":
      writeHandle(to, call.wrappingKey);
      writeHandle(to, call.key);
      return;
    case "unwrapKey":
      writeHandle(to, call.unwrappingKey);
      writeBytes(to, call.wrapped);
      writeTemplate(to, call.template);
      return;
    case "verify":
      writeHandle(to, call.key);
      writeBytes(to, call.data);
      writeBytes(to, call.signature);
      return;
    default:
      writeHandle(to, call.key);
      writeBytes(to, call.data);
  }
}

function readWithMechanism(from: ByteReader, fn: WithMechanism, session: string): TokenCall {
  const mechanism = readMechanism(from);
  switch (fn) {
    case "generateKey":
      return { fn, session, mechanism, template: readTemplate(from) };
    case "generateKeyPair": {
      const publicTemplate = readTemplate(from);
      return { fn, session, mechanism, publicTemplate, privateTemplate: readTemplate(from) };
    }
    case "wrapKey": {
      const wrappingKey = readHandle(from);
      return { fn, session, mechanism, wrappingKey, key: readHandle(from) };
    }
    case "unwrapKey": {
      const unwrappingKey = readHandle(from);
      const wrapped = readBytes(from);
      return { fn, session, mechanism, unwrappingKey, wrapped, template: readTemplate(from) };
    }
    case "verify": {
      const key = readHandle(from);
      const data = readBytes(from);
      return { fn, session, mechanism, key, data, signature: readBytes(from) };
    }
    default: {
      const key = readHandle(from);
      return { fn, session, mechanism, key, data: readBytes(from) };
    }
  }
}

function writeTemplate(to: ByteWriter, template: Template): void {
  to.u32(template.length);
  for (const { type, value } of template) {
    to.u32(u32(type));
    writeValue(to, value);
  }
}

function readTemplate(from: ByteReader): Template {
  return readList(from, 6, (): Attribute => ({ type: from.u32(), value: readValue(from) }));
}

function writeValue(to: ByteWriter, value: AttributeValue): void {
  if (typeof value === "boolean") {
    to.u8(0);
    to.u8(value ? 1 : 0);
  } else if (typeof value === "number") {
    to.u8(1);
    to.u53(wholeNumber(value));
  } else if (value instanceof Uint8Array) {
    to.u8(2);
    writeBytes(to, value);
  } else {
    to.u8(3);
    to.u32(value.length);
    for (const number of value) to.u53(wholeNumber(number));
  }
}

function readValue(from: ByteReader): AttributeValue {
  switch (from.u8()) {
    case 0:
      return from.flag();
    case 1:
      return from.u53();
    case 2:
      return readBytes(from);
    case 3:
      return readList(from, 8, () => from.u53());
    default:
      from.failed = true;
      return false;
  }
}

function writeMechanism(to: ByteWriter, { type, parameter }: Mechanism): void {
  to.u32(u32(type));
  switch (parameter?.kind) {
    case undefined:
      to.u8(0);
      return;
    case "bytes":
      to.u8(1);
      writeBytes(to, parameter.bytes);
      return;
    case "gcm":
      to.u8(parameter.iv === null ? 3 : 2);
      if (parameter.iv !== null) writeBytes(to, parameter.iv);
      writeBytes(to, parameter.associatedData);
      to.u32(u32(parameter.tagBits));
      return;
    case "oaep":
      to.u8(4);
      to.u32(u32(parameter.hash));
      to.u32(u32(parameter.mgf));
      writeBytes(to, parameter.label);
      return;
    case "pss":
      to.u8(5);
      to.u32(u32(parameter.hash));
      to.u32(u32(parameter.mgf));
      to.u32(u32(parameter.saltBytes));
      return;
    default:
      throw new MalformedCallError("a mechanism parameter of no known kind");
  }
}

function readMechanism(from: ByteReader): Mechanism {
  const type = from.u32();
  const kind = from.u8();
  if (kind === 0) return { type };
  return { type, parameter: readParameter(from, kind) };
}

function readParameter(from: ByteReader, kind: number): MechanismParameter {
  switch (kind) {
    case 1:
      return { kind: "bytes", bytes: readBytes(from) };
    case 2:
    case 3: {
      const iv = kind === 3 ? null : readBytes(from);
      const associatedData = readBytes(from);
      return { kind: "gcm", iv, associatedData, tagBits: from.u32() };
    }
    case 4: {
      const hash = from.u32();
      const mgf = from.u32();
      return { kind: "oaep", hash, mgf, label: readBytes(from) };
    }
    case 5: {
      const hash = from.u32();
      const mgf = from.u32();
      return { kind: "pss", hash, mgf, saltBytes: from.u32() };
    }
    default:
      from.failed = true;
      return { kind: "bytes", bytes: new Uint8Array(0) };
  }
}

function readList<T>(from: ByteReader, least: number, one: () => T): T[] {
  const count = readCount(from, least);
  const list: T[] = [];
  for (let n = 0; n < count && !from.failed; n++) list.push(one());
  return list;
}
