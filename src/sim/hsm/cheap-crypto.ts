/**
 * What stands for a token's cryptography in search runs. It is repeatable and cheap, hides keys and
 * plaintexts from whoever looks for them in outputs, and binds what the mechanism binds. It protects
 * nothing else: who knows a public key can do what its private key does.
 */
import { equalBytes } from "../../core/bytes.js";
import type { Mechanism } from "../../core/hsm/cryptoki/calls.js";
import { cka, ckk, ckm, ckr } from "../../core/hsm/cryptoki/constants.js";
import { concat, curveOfParameters } from "../../core/hsm/der.js";
import { type ObjectAttributes, attributesOf, numberOf } from "./attribute-bytes.js";
import { type CheapSecret, hashBytes, openBytes, sealBytes, stream } from "./cheap-mixing.js";
import { cheapOaepOpen, cheapOaepSeal } from "./cheap-oaep.js";
import type { CryptoAnswer, PairMaterial, Random, TokenCrypto } from "./crypto.js";

const secretBytes = 32;
const saltBytes = 16;
const blockBytes = 16;
const checkBytes = 3;
const exponent: Uint8Array = Uint8Array.of(1, 0, 1);

export const cheapCrypto: TokenCrypto = {
  rsaPair(bits, random) {
    return bits % 8 !== 0 || bits < 512 ? null : rsaOf(random(secretBytes), bits / 8);
  },
  ecPair(parameters, random) {
    return ecOf(random(secretBytes), parameters);
  },
  encrypt(mechanism, key, data, random) {
    return encrypt(mechanism, key, data, random);
  },
  decrypt(mechanism, key, data) {
    return decrypt(mechanism, key, data);
  },
  sign(mechanism, key, data, random) {
    const salt = mechanism.type === ckm.rsaPkcsPss ? random(saltBytes) : new Uint8Array(0);
    return signature(mechanism, key, data, salt);
  },
  verify(mechanism, key, data, given) {
    const salt = mechanism.type === ckm.rsaPkcsPss ? given.slice(0, saltBytes) : new Uint8Array(0);
    const right = signature(mechanism, key, data, salt);
    if (given.length !== right.length) return ckr.signatureLenRange;
    return equalBytes(right, given) ? ckr.ok : ckr.signatureInvalid;
  },
  wrap(mechanism, key, bytes, random) {
    return encrypt(mechanism, key, bytes, random);
  },
  unwrap(mechanism, key, wrapped) {
    return decrypt(mechanism, key, wrapped);
  },
  checkValue(_isAes, secret) {
    return stream(secret, "check", checkBytes);
  },
  privateBytes(key) {
    const secret = key.get(cka.privateExponent) ?? key.get(cka.value);
    if (secret === undefined) return null;
    const size = key.get(cka.modulus)?.length ?? 0;
    const parameters = key.get(cka.ecParams) ?? new Uint8Array(0);
    return concat(secret, Uint8Array.of(size >> 8, size & 0xff), parameters);
  },
  privateKeyOf(keyType, bytes) {
    if (bytes.length < secretBytes + 2) return null;
    const secret = bytes.slice(0, secretBytes);
    const size = bytes[secretBytes]! * 256 + bytes[secretBytes + 1]!;
    if (keyType === ckk.rsa) return size === 0 ? null : rsaOf(secret, size).privateKey;
    return ecOf(secret, bytes.slice(secretBytes + 2))?.privateKey ?? null;
  },
};

function rsaOf(secret: Uint8Array, modulusBytes: number): PairMaterial {
  const modulus = stream(secret, "modulus", modulusBytes);
  // As long as it says, and odd.
  modulus[0]! |= 0x80;
  modulus[modulusBytes - 1]! |= 1;
  const publicKey = attributesOf([
    { type: cka.modulus, value: modulus },
    { type: cka.publicExponent, value: exponent },
  ]);
  const secretPart = attributesOf([{ type: cka.privateExponent, value: secret }]);
  return { publicKey, privateKey: new Map([...publicKey, ...secretPart]) };
}

function ecOf(secret: Uint8Array, parameters: Uint8Array): PairMaterial | null {
  const curve = curveOfParameters(parameters);
  if (curve === null) return null;
  const numbers = stream(secret, "point", curve.bits / 4);
  const point = concat(Uint8Array.of(4, numbers.length + 1, 4), numbers);
  return {
    publicKey: attributesOf([
      { type: cka.ecParams, value: parameters },
      { type: cka.ecPoint, value: point },
    ]),
    privateKey: attributesOf([
      { type: cka.ecParams, value: parameters },
      { type: cka.value, value: secret },
    ]),
  };
}

/** The same for both halves of a pair. */
function sharedPart(key: ObjectAttributes): CheapSecret {
  const modulus = key.get(cka.modulus);
  if (modulus !== undefined) return modulus;
  const point = key.get(cka.ecPoint);
  if (point !== undefined) return point;
  const parameters = key.get(cka.ecParams);
  const secret = key.get(cka.value) ?? new Uint8Array(0);
  if (parameters === undefined) return secret;
  return ecOf(secret, parameters)?.publicKey.get(cka.ecPoint) ?? secret;
}

function signature(
  { type }: Mechanism,
  key: ObjectAttributes,
  data: Uint8Array,
  salt: Uint8Array,
): Uint8Array {
  const length = signatureBytes(type, key);
  const made = hashBytes(sharedPart(key), `sign ${type}`, concat(salt, data), length - salt.length);
  return concat(salt, made);
}

function signatureBytes(type: number, key: ObjectAttributes): number {
  if (type === ckm.sha256Hmac) return 32;
  const modulus = key.get(cka.modulus);
  if (modulus !== undefined) return modulus.length;
  return (curveOfParameters(key.get(cka.ecParams)!)?.bits ?? 256) / 4;
}

function encrypt(
  mechanism: Mechanism,
  key: ObjectAttributes,
  data: Uint8Array,
  random: Random,
): CryptoAnswer {
  const { type, parameter } = mechanism;
  const secret = key.get(cka.value) ?? new Uint8Array(0);
  switch (type) {
    case ckm.aesGcm: {
      const { iv, associated, tagBytes } = gcmOf(mechanism);
      return sealBytes(secret, `gcm ${tagBytes}`, iv, associated, data).subarray(
        0,
        data.length + tagBytes,
      );
    }
    case ckm.aesKeyWrap:
    case ckm.aesKeyWrapPad:
      return keyWrap(secret, type, data);
    case ckm.aesCbcPad: {
      const pad = blockBytes - (data.length % blockBytes);
      return blocks(mechanism, secret, concat(data, new Uint8Array(pad).fill(pad)));
    }
    case ckm.aesCbc:
    case ckm.aesEcb:
      return data.length % blockBytes === 0 ? blocks(mechanism, secret, data) : ckr.dataLenRange;
    case ckm.rsaPkcs:
    case ckm.rsaPkcsOaep: {
      const modulus = key.get(cka.modulus);
      if (numberOf(key, cka.keyType) !== ckk.rsa || modulus === undefined) {
        return ckr.keyTypeInconsistent;
      }
      return cheapOaepSeal(modulus, type, parameter, data, random) ?? ckr.dataLenRange;
    }
    default:
      return ckr.mechanismInvalid;
  }
}

function decrypt(mechanism: Mechanism, key: ObjectAttributes, data: Uint8Array): CryptoAnswer {
  const { type, parameter } = mechanism;
  const secret = key.get(cka.value) ?? new Uint8Array(0);
  switch (type) {
    case ckm.aesGcm: {
      const { iv, associated, tagBytes } = gcmOf(mechanism);
      return (
        openBytes(secret, `gcm ${tagBytes}`, iv, associated, data, tagBytes) ?? ckr.generalError
      );
    }
    case ckm.aesKeyWrap:
    case ckm.aesKeyWrapPad:
      return keyUnwrap(secret, type, data);
    case ckm.aesCbcPad: {
      if (data.length === 0 || data.length % blockBytes !== 0) return ckr.encryptedDataLenRange;
      const padded = blocks(mechanism, secret, data);
      const pad = padded.at(-1)!;
      const sound = pad >= 1 && pad <= blockBytes && padded.subarray(-pad).every((b) => b === pad);
      return sound ? padded.slice(0, padded.length - pad) : ckr.generalError;
    }
    case ckm.aesCbc:
    case ckm.aesEcb:
      if (data.length % blockBytes !== 0) return ckr.encryptedDataLenRange;
      return blocks(mechanism, secret, data);
    case ckm.rsaPkcs:
    case ckm.rsaPkcsOaep: {
      const modulus = key.get(cka.modulus);
      if (modulus === undefined) return ckr.keyTypeInconsistent;
      return cheapOaepOpen(modulus, type, parameter, data) ?? ckr.generalError;
    }
    default:
      return ckr.mechanismInvalid;
  }
}

/** There and back are the same. CBC has no tag, here as there. */
function blocks({ type, parameter }: Mechanism, secret: Uint8Array, data: Uint8Array): Uint8Array {
  const iv = parameter?.kind === "bytes" ? parameter.bytes : new Uint8Array(0);
  const mask = hashBytes(secret, `blocks ${type}`, iv, data.length);
  return data.map((byte, at) => byte ^ mask[at]!);
}

function gcmOf({ parameter }: Mechanism): {
  iv: Uint8Array;
  associated: Uint8Array;
  tagBytes: number;
} {
  if (parameter?.kind !== "gcm") {
    return { iv: new Uint8Array(0), associated: new Uint8Array(0), tagBytes: 16 };
  }
  const iv = parameter.iv ?? new Uint8Array(0);
  return { iv, associated: parameter.associatedData, tagBytes: parameter.tagBits / 8 };
}

/**
 * Eight bytes in front, as KW and KWP have them, made from the key's bytes: the stream hangs on them,
 * and they on every byte. Their lowest three bits say how much was padded.
 */
function keyWrap(secret: Uint8Array, type: number, bytes: Uint8Array): CryptoAnswer {
  const pad = (8 - (bytes.length % 8)) % 8;
  if (type === ckm.aesKeyWrap && (pad !== 0 || bytes.length < 16)) return ckr.keySizeRange;
  const padded = concat(bytes, new Uint8Array(pad));
  const head = headOf(secret, type, pad, padded);
  const mask = hashBytes(secret, `wrap ${type}`, head, padded.length);
  return concat(
    head,
    padded.map((byte, at) => byte ^ mask[at]!),
  );
}

function keyUnwrap(secret: Uint8Array, type: number, wrapped: Uint8Array): CryptoAnswer {
  if (wrapped.length < 16 || wrapped.length % 8 !== 0) return ckr.wrappedKeyLenRange;
  const head = wrapped.slice(0, 8);
  const mask = hashBytes(secret, `wrap ${type}`, head, wrapped.length - 8);
  const padded = wrapped.slice(8).map((byte, at) => byte ^ mask[at]!);
  const pad = head[0]! & 7;
  if (!equalBytes(head, headOf(secret, type, pad, padded))) return ckr.generalError;
  return padded.slice(0, padded.length - pad);
}

function headOf(secret: Uint8Array, type: number, pad: number, padded: Uint8Array): Uint8Array {
  const head = hashBytes(secret, `head ${type} ${pad}`, padded, 8);
  head[0] = (head[0]! & 0xf8) | pad;
  return head;
}
