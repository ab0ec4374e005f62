/** AES as tokens have it, by node:crypto: GCM, CBC, ECB, and key wrapping (RFC 3394, RFC 5649). */
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Mechanism } from "../../core/hsm/cryptoki/calls.js";
import { ckm, ckr } from "../../core/hsm/cryptoki/constants.js";
import { concat } from "../../core/hsm/der.js";
import type { CryptoAnswer } from "./crypto.js";

const blockBytes = 16;
const gcmTagBytesMax = 16;
/** node:crypto knows no other lengths of tags (SP 800-38D, section 5.2.1.2). */
const tagLengths: readonly number[] = [4, 8, 12, 13, 14, 15, 16];
/** OpenSSL takes none longer. */
const ivBytesMax = 128;
const keyWrapIv: Uint8Array = new Uint8Array(8).fill(0xa6);
const keyWrapPadIv: Uint8Array = Uint8Array.of(0xa6, 0x59, 0x59, 0xa6);

export function aesEncrypt(mechanism: Mechanism, key: Uint8Array, data: Uint8Array): CryptoAnswer {
  if (!isAesKey(key)) return noAesKey(mechanism);
  switch (mechanism.type) {
    case ckm.aesGcm:
      return gcmSeal(mechanism, key, data);
    case ckm.aesKeyWrap:
      if (data.length < 16 || data.length % 8 !== 0) return ckr.keySizeRange;
      return ciphered(`id-aes${8 * key.length}-wrap`, key, keyWrapIv, data);
    case ckm.aesKeyWrapPad:
      if (data.length === 0) return ckr.keySizeRange;
      return ciphered(`id-aes${8 * key.length}-wrap-pad`, key, keyWrapPadIv, data);
    case ckm.aesCbcPad:
      return ciphered(`aes-${8 * key.length}-cbc`, key, ivOf(mechanism), data, true);
    case ckm.aesCbc:
    case ckm.aesEcb:
      if (data.length % blockBytes !== 0) return ckr.dataLenRange;
      return ciphered(blockCipher(mechanism, key), key, ivOf(mechanism), data);
    default:
      return ckr.mechanismInvalid;
  }
}

export function aesDecrypt(mechanism: Mechanism, key: Uint8Array, data: Uint8Array): CryptoAnswer {
  if (!isAesKey(key)) return noAesKey(mechanism);
  const isWhole = data.length % blockBytes === 0;
  switch (mechanism.type) {
    case ckm.aesGcm:
      return gcmOpen(mechanism, key, data);
    case ckm.aesKeyWrap:
      // OpenSSL would take some lengths that RFC 3394 does not have.
      if (data.length < 24 || data.length % 8 !== 0) return ckr.wrappedKeyLenRange;
      return deciphered(`id-aes${8 * key.length}-wrap`, key, keyWrapIv, data);
    case ckm.aesKeyWrapPad:
      if (data.length < 16 || data.length % 8 !== 0) return ckr.wrappedKeyLenRange;
      return deciphered(`id-aes${8 * key.length}-wrap-pad`, key, keyWrapPadIv, data);
    case ckm.aesCbcPad:
      if (data.length === 0 || !isWhole) return ckr.encryptedDataLenRange;
      return deciphered(`aes-${8 * key.length}-cbc`, key, ivOf(mechanism), data, true);
    case ckm.aesCbc:
    case ckm.aesEcb:
      if (!isWhole) return ckr.encryptedDataLenRange;
      return deciphered(blockCipher(mechanism, key), key, ivOf(mechanism), data);
    default:
      return ckr.mechanismInvalid;
  }
}

/** As SoftHSM 2.6.1 says it. */
function noAesKey({ type }: Mechanism): number {
  const wraps = type === ckm.aesKeyWrap || type === ckm.aesKeyWrapPad;
  return wraps ? ckr.generalError : ckr.mechanismInvalid;
}

function isAesKey({ length }: Uint8Array): boolean {
  return length === 16 || length === 24 || length === 32;
}

function blockCipher({ type }: Mechanism, key: Uint8Array): string {
  return `aes-${8 * key.length}-${type === ckm.aesEcb ? "ecb" : "cbc"}`;
}

function ivOf({ type, parameter }: Mechanism): Uint8Array | null {
  if (type === ckm.aesEcb) return null;
  return parameter?.kind === "bytes" ? parameter.bytes : new Uint8Array(blockBytes);
}

function ciphered(
  name: string,
  key: Uint8Array,
  iv: Uint8Array | null,
  data: Uint8Array,
  pads = false,
): CryptoAnswer {
  try {
    const cipher = createCipheriv(name, key, iv).setAutoPadding(pads);
    return concat(cipher.update(data), cipher.final());
  } catch {
    return ckr.generalError;
  }
}

function deciphered(
  name: string,
  key: Uint8Array,
  iv: Uint8Array | null,
  data: Uint8Array,
  pads = false,
): CryptoAnswer {
  try {
    const decipher = createDecipheriv(name, key, iv).setAutoPadding(pads);
    return concat(decipher.update(data), decipher.final());
  } catch {
    return ckr.generalError;
  }
}

type GcmName = "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm";

interface Gcm {
  readonly name: GcmName;
  readonly iv: Uint8Array;
  readonly associatedData: Uint8Array;
  readonly tagBytes: number;
}

/** Null: what node:crypto cannot do. */
function gcmOf({ parameter }: Mechanism, key: Uint8Array): Gcm | null {
  if (parameter?.kind !== "gcm" || parameter.iv === null) return null;
  const { iv, associatedData } = parameter;
  const tagBytes = parameter.tagBits / 8;
  const fits = tagLengths.includes(tagBytes) && iv.length > 0 && iv.length <= ivBytesMax;
  const name = `aes-${8 * key.length}-gcm` as GcmName;
  return fits ? { name, iv, associatedData, tagBytes } : null;
}

function gcmSeal(mechanism: Mechanism, key: Uint8Array, data: Uint8Array): CryptoAnswer {
  const gcm = gcmOf(mechanism, key);
  if (gcm === null) return ckr.argumentsBad;
  const options = { authTagLength: gcmTagBytesMax };
  const cipher = createCipheriv(gcm.name, key, gcm.iv, options).setAAD(gcm.associatedData);
  const body = concat(cipher.update(data), cipher.final());
  return concat(body, cipher.getAuthTag().subarray(0, gcm.tagBytes));
}

function gcmOpen(mechanism: Mechanism, key: Uint8Array, data: Uint8Array): CryptoAnswer {
  const gcm = gcmOf(mechanism, key);
  if (gcm === null) return ckr.argumentsBad;
  const end = data.length - gcm.tagBytes;
  if (end < 0) return ckr.generalError;
  const options = { authTagLength: gcm.tagBytes };
  try {
    const decipher = createDecipheriv(gcm.name, key, gcm.iv, options)
      .setAAD(gcm.associatedData)
      .setAuthTag(data.subarray(end));
    return concat(decipher.update(data.subarray(0, end)), decipher.final());
  } catch {
    return ckr.generalError;
  }
}
