/** Keyed hashes and seals of 32-bit mixing. They protect nothing from anybody. */
import { equalBytes } from "../../core/bytes.js";
import { RollingHash, mix32 } from "../../core/hash.js";
import { concat } from "../../core/hsm/der.js";

export type CheapSecret = Uint8Array;

const tagBytes = 16;

/** `length` bytes that hang on all of the key, of what they are for, and of `data`. */
export function hashBytes(
  key: CheapSecret,
  use: string,
  data: Uint8Array,
  length: number,
): Uint8Array {
  const hash = new RollingHash(key.length, data.length);
  hash.text(use);
  hash.bytes(key);
  hash.bytes(data);
  // The key once more: without it nobody goes on from what the data made of it.
  hash.bytes(key);
  const [a, b] = hash.digest();
  const bytes = new Uint8Array(length);
  let word = 0;
  for (let at = 0; at < length; at++) {
    if ((at & 3) === 0) word = mix32(mix32(a + Math.imul(at >>> 2, 0x9e3779b1)) ^ b);
    bytes[at] = word >>> (8 * (at & 3));
  }
  return bytes;
}

/** Stands for SHA-256 and SHA-384, and has their lengths. */
export function cheapDigest(hash: "sha256" | "sha384", bytes: Uint8Array): Uint8Array {
  return hashBytes(new Uint8Array(0), hash, bytes, hash === "sha256" ? 32 : 48);
}

/** Bytes that do not lead back to the key. */
export function stream(key: CheapSecret, use: string, length: number): Uint8Array {
  return hashBytes(key, use, new Uint8Array(0), length);
}

/** Ciphertext and a tag of 16 bytes. */
export function sealBytes(
  key: CheapSecret,
  use: string,
  iv: Uint8Array,
  associated: Uint8Array,
  data: Uint8Array,
): Uint8Array {
  const mask = hashBytes(key, `${use} stream`, iv, data.length);
  const body = data.map((byte, at) => byte ^ mask[at]!);
  return concat(body, tagOf(key, use, iv, associated, body));
}

/** Null: not sealed so. `tagLength` of the tag's bytes were kept. */
export function openBytes(
  key: CheapSecret,
  use: string,
  iv: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
  tagLength: number = tagBytes,
): Uint8Array | null {
  const end = sealed.length - tagLength;
  if (end < 0) return null;
  const body = sealed.slice(0, end);
  const tag = tagOf(key, use, iv, associated, body).subarray(0, tagLength);
  if (!equalBytes(tag, sealed.subarray(end))) return null;
  const mask = hashBytes(key, `${use} stream`, iv, end);
  return body.map((byte, at) => byte ^ mask[at]!);
}

function tagOf(
  key: CheapSecret,
  use: string,
  iv: Uint8Array,
  associated: Uint8Array,
  body: Uint8Array,
): Uint8Array {
  const lengths = Uint8Array.of(iv.length, associated.length & 0xff, associated.length >>> 8);
  return hashBytes(key, `${use} tag`, concat(lengths, iv, associated, body), tagBytes);
}
