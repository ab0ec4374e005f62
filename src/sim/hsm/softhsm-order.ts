/**
 * In which order SoftHSM 2.6.1 finds fault with C_EncryptInit and its like, and with what follows:
 * measured, where the standard leaves it open.
 */
import type { Mechanism } from "../../core/hsm/cryptoki/calls.js";
import { cka, ckm, ckr } from "../../core/hsm/cryptoki/constants.js";
import { concat } from "../../core/hsm/der.js";
import type { VendorProfile } from "../../core/hsm/profile.js";
import { type ObjectAttributes, isSet, numbersIn } from "./attribute-bytes.js";
import { fitsMechanism, parameterFault } from "./parameters.js";
import { serves } from "./mechanisms.js";

export type Operation = "encrypt" | "decrypt" | "sign" | "verify";

const aesBytes: readonly number[] = [16, 24, 32];
const blockBytes = 16;
const hmacKeyBytesMin = 32;
const sha256Bytes = 32;
const ivBytesMax = 128;
const ivBytesUsual = 12;

/** Of a key that may be seen: 0, or why the operation does not begin. */
export function softhsmFault(
  profile: VendorProfile,
  key: ObjectAttributes,
  mechanism: Mechanism,
  operation: Operation,
  useFlag: number,
): number {
  const { type } = mechanism;
  if (!isSet(key, useFlag)) return ckr.keyFunctionNotPermitted;
  // A public key encrypts by any mechanism, whatever it allows.
  const minds = operation !== "encrypt" || !isRsaCipher(type);
  const allowed = numbersIn(key.get(cka.allowedMechanisms) ?? new Uint8Array(0));
  if (minds && allowed.length > 0 && !allowed.includes(type)) return ckr.mechanismInvalid;
  if (!serves(profile.vendor, operation, type)) return ckr.mechanismInvalid;
  const fits = fitsMechanism(key, type);
  if (operation === "encrypt" || operation === "decrypt") {
    return fits ? cipherFault(profile, key, mechanism) : ckr.keyTypeInconsistent;
  }
  if (type === ckm.sha256Hmac) {
    if (!fits) return ckr.keyTypeInconsistent;
    return secretBytes(key) < hmacKeyBytesMin ? ckr.keySizeRange : ckr.ok;
  }
  const fault = needsParameter(type) ? parameterFault(profile, mechanism, false) : ckr.ok;
  if (fault !== ckr.ok) return fault;
  // What it finds in the attributes is nothing, and that is found out late.
  if (!fits) return operation === "sign" ? ckr.generalError : ckr.signatureLenRange;
  return isSaltTooLong(key, mechanism) ? ckr.mechanismInvalid : ckr.ok;
}

function isRsaCipher(type: number): boolean {
  return type === ckm.rsaPkcs || type === ckm.rsaPkcsOaep;
}

function needsParameter(type: number): boolean {
  return type === ckm.rsaPkcsPss || type === ckm.sha256RsaPkcsPss;
}

function secretBytes(key: ObjectAttributes): number {
  return key.get(cka.value)?.length ?? 0;
}

function cipherFault(profile: VendorProfile, key: ObjectAttributes, mechanism: Mechanism): number {
  const { type, parameter } = mechanism;
  if (type === ckm.aesCbc || type === ckm.aesCbcPad) {
    const ivBytes = parameter?.kind === "bytes" ? parameter.bytes.length : 0;
    if (ivBytes === 0) return ckr.argumentsBad;
    if (ivBytes !== blockBytes) return ckr.mechanismInvalid;
  } else if (type === ckm.aesGcm || type === ckm.rsaPkcsOaep) {
    const fault = parameterFault(profile, mechanism, false);
    if (fault !== ckr.ok) return fault;
  }
  const isAes = !isRsaCipher(type);
  return isAes && !aesBytes.includes(secretBytes(key)) ? ckr.mechanismInvalid : ckr.ok;
}

/** Found at once where the token hashes, and else by the signing itself. */
function isSaltTooLong(key: ObjectAttributes, { type, parameter }: Mechanism): boolean {
  if (type !== ckm.sha256RsaPkcsPss || parameter?.kind !== "pss") return false;
  const modulusBytes = key.get(cka.modulus)?.length ?? 0;
  return parameter.saltBytes > modulusBytes - 2 - sha256Bytes;
}

/** What C_Decrypt answers to `rv`: only of blocks it says that their length is wrong. */
export function softhsmDecryptRv({ type }: Mechanism, rv: number, lengthBytes: number): number {
  const isBlocks = type === ckm.aesCbc || type === ckm.aesCbcPad || type === ckm.aesEcb;
  return isBlocks && lengthBytes > 0 ? rv : ckr.generalError;
}

/** Under which IV it really works: under zeros without one, and under the beginning of a long one. */
export function softhsmIv(iv: Uint8Array): Uint8Array {
  if (iv.length === 0) return new Uint8Array(blockBytes);
  return iv.length > ivBytesMax ? iv.slice(0, ivBytesUsual) : iv;
}

/** What is no multiple of eight bytes is filled up with zeros before it is wrapped; they come back. */
export function softhsmPadded(bytes: Uint8Array, { type }: Mechanism): Uint8Array {
  const pads = type === ckm.aesKeyWrap || type === ckm.aesKeyWrapPad || type === ckm.aesCbc;
  return pads ? concat(bytes, new Uint8Array((8 - (bytes.length % 8)) % 8)) : bytes;
}

/** What C_WrapKey answers to `rv` of cryptography, about a key of so many bytes. */
export function softhsmWrapRv(
  kek: ObjectAttributes,
  { type }: Mechanism,
  rv: number,
  lengthBytes: number,
): number {
  if (isRsaCipher(type)) return ckr.keySizeRange;
  // Filled up it has one block of eight, and RFC 3394 wants two.
  if (type === ckm.aesKeyWrap && lengthBytes <= 8) return ckr.keySizeRange;
  if (!aesBytes.includes(secretBytes(kek))) {
    return type === ckm.aesCbc ? ckr.mechanismInvalid : ckr.generalError;
  }
  return type === ckm.aesCbc ? ckr.generalError : rv;
}
