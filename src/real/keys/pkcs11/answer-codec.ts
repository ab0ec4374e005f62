/** `TokenAnswer`s as bytes: the return value, and after CKR_OK what that function gives. */
import type { ByteReader, ByteWriter } from "../../../core/bytes.js";
import type {
  MechanismDescription,
  SlotDescription,
  TokenAnswer,
  TokenFunction,
  TokenValues,
} from "../../../core/hsm/cryptoki/calls.js";
import {
  readBytes,
  readCount,
  readHandle,
  readText,
  writeBytes,
  writeHandle,
  writeText,
} from "./wire.js";

/** `fn` of the call that is answered. */
export function writeAnswer(to: ByteWriter, fn: TokenFunction, answer: TokenAnswer): void {
  to.f64(answer.rv);
  if (answer.rv === 0) codecs[fn].write(to, answer.value as never);
}

export function readAnswer(from: ByteReader, fn: TokenFunction): TokenAnswer {
  const rv = from.f64();
  if (rv !== 0) {
    if (!Number.isSafeInteger(rv)) from.failed = true;
    return { rv, value: null };
  }
  return { rv: 0, value: codecs[fn].read(from) };
}

interface Codec<T> {
  readonly write: (to: ByteWriter, value: T) => void;
  readonly read: (from: ByteReader) => T;
}

const nothing: Codec<null> = { write: () => undefined, read: () => null };
const handle: Codec<string> = { write: writeHandle, read: readHandle };
const bytes: Codec<Uint8Array> = { write: writeBytes, read: readBytes };

const slot: Codec<SlotDescription> = {
  write: (to, { slot, label, manufacturer, model, serial, flags }) => {
    to.u53(slot);
    for (const text of [label, manufacturer, model, serial]) writeText(to, text);
    to.u32(flags);
  },
  read: (from) => ({
    slot: from.u53(),
    label: readText(from),
    manufacturer: readText(from),
    model: readText(from),
    serial: readText(from),
    flags: from.u32(),
  }),
};

const mechanism: Codec<MechanismDescription> = {
  write: (to, { type, minKeySize, maxKeySize, flags }) => {
    for (const number of [type, minKeySize, maxKeySize, flags]) to.u32(number);
  },
  read: (from) => ({
    type: from.u32(),
    minKeySize: from.u32(),
    maxKeySize: from.u32(),
    flags: from.u32(),
  }),
};

/** `least`: bytes of the shortest one. */
function listOf<T>(of: Codec<T>, least: number): Codec<readonly T[]> {
  return {
    write: (to, list) => {
      to.u32(list.length);
      for (const one of list) of.write(to, one);
    },
    read: (from) => {
      const count = readCount(from, least);
      const list: T[] = [];
      for (let n = 0; n < count && !from.failed; n++) list.push(of.read(from));
      return list;
    },
  };
}

const codecs: { readonly [Fn in TokenFunction]: Codec<TokenValues[Fn]> } = {
  initialize: nothing,
  finalize: nothing,
  slots: listOf(slot, 28),
  mechanisms: listOf(mechanism, 16),
  openSession: handle,
  closeSession: nothing,
  sessionInfo: {
    write: (to, { slot: number, state }) => {
      to.u53(number);
      to.u32(state);
    },
    read: (from) => ({ slot: from.u53(), state: from.u32() }),
  },
  login: nothing,
  logout: nothing,
  find: listOf(handle, 1),
  attributes: listOf(bytes, 4),
  setAttributes: nothing,
  createObject: handle,
  destroyObject: nothing,
  generateKey: handle,
  generateKeyPair: {
    write: (to, { publicKey, privateKey }) => {
      writeHandle(to, publicKey);
      writeHandle(to, privateKey);
    },
    read: (from) => ({ publicKey: readHandle(from), privateKey: readHandle(from) }),
  },
  encrypt: bytes,
  decrypt: bytes,
  sign: bytes,
  verify: nothing,
  wrapKey: bytes,
  unwrapKey: handle,
  generateRandom: bytes,
};
