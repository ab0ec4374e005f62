/**
 * RSA encryption of the cheap kind: a block as long as the modulus, which holds a nonce, and sealed
 * under the public key what was encrypted. Every byte of the block is bound.
 */
import { equalBytes } from "../../core/bytes.js";
import type { Mechanism } from "../../core/hsm/cryptoki/calls.js";
import { ckg, ckm } from "../../core/hsm/cryptoki/constants.js";
import { concat, rsaPublicKeyInfo } from "../../core/hsm/der.js";
import { openBytes, sealBytes } from "./cheap-mixing.js";
import type { Random } from "./crypto.js";

type Parameter = Mechanism["parameter"];

const nonceBytes = 16;
const lengthBytes = 2;
const tagBytes = 16;
const nothing = new Uint8Array(0);
const exponent: Uint8Array = Uint8Array.of(1, 0, 1);
/** As a DER INTEGER, the last field of a public key. */
const exponentFieldBytes = 5;
const modulusLengths: readonly number[] = [256, 384, 512];

/** As OAEP would take it; null: too long. */
export function cheapOaepSeal(
  modulus: Uint8Array,
  type: number,
  parameter: Parameter,
  data: Uint8Array,
  random: Random,
): Uint8Array | null {
  const room = modulus.length - nonceBytes - lengthBytes - tagBytes;
  if (data.length > modulus.length - overheadOf(parameter) || data.length > room) return null;
  const nonce = random(nonceBytes);
  const length = Uint8Array.of(data.length >> 8, data.length & 0xff);
  const plain = concat(length, data, new Uint8Array(room - data.length));
  return concat(
    nonce,
    sealBytes(modulus, useOf(type, parameter), nonce, labelOf(parameter), plain),
  );
}

export function cheapOaepOpen(
  modulus: Uint8Array,
  type: number,
  parameter: Parameter,
  block: Uint8Array,
): Uint8Array | null {
  if (block.length !== modulus.length) return null;
  const nonce = block.slice(0, nonceBytes);
  const use = useOf(type, parameter);
  const plain = openBytes(modulus, use, nonce, labelOf(parameter), block.slice(nonceBytes));
  if (plain === null) return null;
  const length = plain[0]! * 256 + plain[1]!;
  return lengthBytes + length > plain.length
    ? null
    : plain.slice(lengthBytes, lengthBytes + length);
}

/**
 * For whoever has the private half of `publicKey` (SubjectPublicKeyInfo, DER), as CKM_RSA_PKCS_OAEP
 * makes it. Null: that is no RSA key, or too much for it.
 */
export function wrapForCheap(
  publicKey: Uint8Array,
  bytes: Uint8Array,
  random: Random,
  by: "sha1" | "sha256" = "sha256",
): Uint8Array | null {
  const modulus = modulusIn(publicKey);
  if (modulus === null) return null;
  const hash = by === "sha1" ? ckm.sha1 : ckm.sha256;
  const mgf = by === "sha1" ? ckg.mgf1Sha1 : ckg.mgf1Sha256;
  const parameter = { kind: "oaep", hash, mgf, label: nothing } as const;
  return cheapOaepSeal(modulus, ckm.rsaPkcsOaep, parameter, bytes, random);
}

/** Null: not exactly what `rsaPublicKeyInfo` writes of a key of ours. */
function modulusIn(publicKey: Uint8Array): Uint8Array | null {
  for (const length of modulusLengths) {
    const end = publicKey.length - exponentFieldBytes;
    const modulus = publicKey.slice(Math.max(0, end - length), Math.max(0, end));
    if (equalBytes(publicKey, rsaPublicKeyInfo(modulus, exponent))) return modulus;
  }
  return null;
}

/** Another hash opens nothing. */
function useOf(type: number, parameter: Parameter): string {
  return parameter?.kind === "oaep" ? `oaep ${parameter.hash} ${parameter.mgf}` : `rsa ${type}`;
}

function labelOf(parameter: Parameter): Uint8Array {
  return parameter?.kind === "oaep" ? parameter.label : nothing;
}

/** RFC 8017, sections 7.1.1 and 7.2.1. */
function overheadOf(parameter: Parameter): number {
  if (parameter?.kind !== "oaep") return 11;
  const hashBytes: Readonly<Record<number, number>> = {
    [ckm.sha1]: 20,
    [ckm.sha256]: 32,
    [ckm.sha384]: 48,
    [ckm.sha512]: 64,
  };
  return 2 * (hashBytes[parameter.hash] ?? 64) + 2;
}
