/**
 * Encodings of RFC 8017 whose chance is handed in, so that they are repeatable, and their checks.
 * `Encoded` messages are as long as the modulus.
 */
import { createHash } from "node:crypto";
import { equalBytes } from "../../core/bytes.js";
import { concat } from "../../core/hsm/der.js";
import type { Random } from "./crypto.js";

export type HashName = "sha1" | "sha256" | "sha384" | "sha512";

export function hashOf(name: HashName, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash(name);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** EME-OAEP-ENCODE, section 7.1.1; null: too long. */
export function oaepEncode(
  name: HashName,
  label: Uint8Array,
  data: Uint8Array,
  length: number,
  random: Random,
): Uint8Array | null {
  const labelHash = hashOf(name, label);
  const zeros = length - data.length - 2 * labelHash.length - 2;
  if (zeros < 0) return null;
  const block = concat(labelHash, new Uint8Array(zeros), Uint8Array.of(1), data);
  const seed = random(labelHash.length);
  const maskedBlock = xor(block, mgf1(name, seed, block.length));
  const maskedSeed = xor(seed, mgf1(name, maskedBlock, seed.length));
  return concat(Uint8Array.of(0), maskedSeed, maskedBlock);
}

/** EME-PKCS1-v1_5, section 7.2.1; null: too long. */
export function pkcs1Encode(data: Uint8Array, length: number, random: Random): Uint8Array | null {
  const padding = length - data.length - 3;
  if (padding < 8) return null;
  const filler = random(padding).map((byte) => (byte === 0 ? 0x5a : byte));
  return concat(Uint8Array.of(0, 2), filler, Uint8Array.of(0), data);
}

/** Section 7.2.2; null: none. */
export function pkcs1Decode(encoded: Uint8Array): Uint8Array | null {
  const end = encoded.indexOf(0, 2);
  return encoded[0] === 0 && encoded[1] === 2 && end >= 10 ? encoded.slice(end + 1) : null;
}

/** EMSA-PKCS1-v1_5 around what stands for T, section 9.2; null: too long. */
export function pkcs1SignEncode(data: Uint8Array, length: number): Uint8Array | null {
  const padding = length - data.length - 3;
  if (padding < 8) return null;
  const filler = new Uint8Array(padding).fill(0xff);
  return concat(Uint8Array.of(0, 1), filler, Uint8Array.of(0), data);
}

/** EMSA-PSS-ENCODE, section 9.1.1, for a modulus of a whole number of bytes; null: too long. */
export function pssEncode(
  name: HashName,
  digest: Uint8Array,
  salt: Uint8Array,
  length: number,
): Uint8Array | null {
  const zeros = length - salt.length - digest.length - 2;
  if (zeros < 0) return null;
  const hash = hashOf(name, new Uint8Array(8), digest, salt);
  const block = concat(new Uint8Array(zeros), Uint8Array.of(1), salt);
  const masked = xor(block, mgf1(name, hash, block.length));
  masked[0]! &= 0x7f;
  return concat(masked, hash, Uint8Array.of(0xbc));
}

/** EMSA-PSS-VERIFY, section 9.1.2. */
export function pssFits(
  name: HashName,
  digest: Uint8Array,
  saltBytes: number,
  encoded: Uint8Array,
): boolean {
  const blockBytes = encoded.length - digest.length - 1;
  if (blockBytes < saltBytes + 1 || encoded.at(-1) !== 0xbc || encoded[0]! >= 0x80) return false;
  const hash = encoded.slice(blockBytes, -1);
  const block = xor(encoded.slice(0, blockBytes), mgf1(name, hash, blockBytes));
  block[0]! &= 0x7f;
  const salt = block.slice(blockBytes - saltBytes);
  const head = block.subarray(0, blockBytes - saltBytes);
  const sound = head.every((byte, at) => byte === (at === head.length - 1 ? 1 : 0));
  return sound && equalBytes(hash, hashOf(name, new Uint8Array(8), digest, salt));
}

/** Appendix B.2.1. */
function mgf1(name: HashName, seed: Uint8Array, length: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let made = 0;
  for (let count = 0; made < length; count++) {
    const counter = Uint8Array.of(count >>> 24, count >>> 16, count >>> 8, count);
    const part = hashOf(name, seed, counter);
    parts.push(part);
    made += part.length;
  }
  return concat(...parts).slice(0, length);
}

function xor(bytes: Uint8Array, mask: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => byte ^ mask[at]!);
}
