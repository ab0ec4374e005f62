/**
 * What stands for cryptography in search runs: a keyed stream and a tag, made of 32-bit mixing. It
 * hides and binds what the simulated world can look at, and costs a run little (CONTRACTS 12). It
 * protects nothing else from anybody.
 */
import { equalBytes } from "../../core/bytes.js";
import { mix32 } from "../../core/hash.js";

export const cheapNonceBytes = 24;
export const cheapTagBytes = 16;

/** Words of a key. */
export type CheapKey = readonly number[];

/** Nonce, ciphertext and tag. `nonce` is never used twice with one key. */
export function cheapSeal(
  key: CheapKey,
  nonce: Uint8Array,
  associatedData: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const end = cheapNonceBytes + plaintext.length;
  const bytes = new Uint8Array(end + cheapTagBytes);
  bytes.set(nonce);
  bytes.set(plaintext, cheapNonceBytes);
  applyStream(key, nonce, bytes, cheapNonceBytes, end);
  bytes.set(tagOf(key, associatedData, bytes.subarray(0, end)), end);
  return bytes;
}

/** Null: not what was sealed under that key with that data. */
export function cheapOpen(
  key: CheapKey,
  associatedData: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | null {
  const end = sealed.length - cheapTagBytes;
  if (end < cheapNonceBytes) return null;
  const tag = tagOf(key, associatedData, sealed.subarray(0, end));
  if (!equalBytes(tag, sealed.subarray(end))) return null;
  const plaintext = sealed.slice(cheapNonceBytes, end);
  applyStream(key, sealed.subarray(0, cheapNonceBytes), plaintext, 0, plaintext.length);
  return plaintext;
}

/** What others may know of a secret: it does not lead back to it. */
export function publicHalf(secret: CheapKey): number[] {
  return secret.map((word, at) => mix32(mix32(word ^ 0x5bd1_e995) + at));
}

export function wordsOf(bytes: Uint8Array): number[] {
  const words: number[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    words.push(
      (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0,
    );
  }
  return words;
}

export function bytesOf(words: CheapKey): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  for (const [at, word] of words.entries()) {
    for (let byte = 0; byte < 4; byte++) bytes[4 * at + byte] = word >>> (8 * byte);
  }
  return bytes;
}

function applyStream(
  key: CheapKey,
  nonce: Uint8Array,
  bytes: Uint8Array,
  from: number,
  to: number,
): void {
  const [a, b] = [fold(key, nonce, 1), fold(key, nonce, 2)];
  let word = 0;
  for (let at = from; at < to; at++) {
    const n = at - from;
    if ((n & 3) === 0) word = mix32(mix32(a + (n >>> 2)) ^ b);
    bytes[at]! ^= word >>> (8 * (n & 3));
  }
}

function tagOf(key: CheapKey, associatedData: Uint8Array, bytes: Uint8Array): Uint8Array {
  return bytesOf(
    [3, 4, 5, 6].map((n) => mix32(fold(key, associatedData, n) ^ fold(key, bytes, n + 8))),
  );
}

function fold(key: CheapKey, bytes: Uint8Array, salt: number): number {
  let hash = mix32(salt + bytes.length);
  for (const word of key) hash = mix32(hash ^ word);
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193) + 1;
  return mix32(hash);
}
