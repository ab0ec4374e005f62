/**
 * The bytes of a file of keys, version 1. All numbers are little-endian.
 *
 *     magic 8 | version u16 | kdf u8 (1: scrypt) | log2 N u8 | r u32 | p u32 | salt 32
 *     | verifier 32 | nonce 24 | length u32 | sealed body | SHA-256 of all before it
 *
 * Everything before the body is its associated data. The digest at the end tells damage from a wrong
 * passphrase; against who changes a file on purpose the seal stands, not the digest. The verifier is
 * SHA-256 of the second half of what scrypt gives, the first half is the key of the seal: whoever has
 * the file must do the whole of scrypt for each guess, with the verifier as without.
 */
import { createHash, scrypt, timingSafeEqual } from "node:crypto";
import { ByteReader, ByteWriter, equalBytes } from "../../../core/bytes.js";
import { Xaes, xaesKeyBytes, xaesNonceBytes, xaesTagBytes } from "../xaes.js";

export const fileBytesMax: number = 64 * 1024 * 1024;

const magic = Uint8Array.of(0x51, 0x4c, 0x4b, 0x45, 0x59, 0x53, 0x0d, 0x0a);
const version = 1;
const kdfScrypt = 1;
const digestBytes = 32;
const verifierBytes = 32;
export const saltBytes = 32;

/** RFC 7914. The memory that it takes is 128 N r bytes. */
export interface ScryptParameters {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

export const scryptDefault: ScryptParameters = { log2N: 17, r: 8, p: 1 };

/** Less is too easy to guess; more is an attack on whoever opens the file (1 GiB, some seconds). */
const scryptLimits = { log2N: [17, 20], r: [8, 8], p: [1, 4] } as const;

export interface KeyFileHeader {
  readonly scrypt: ScryptParameters;
  readonly salt: Uint8Array;
  readonly verifier: Uint8Array;
}

export interface SealedFile {
  readonly header: KeyFileHeader;
  readonly nonce: Uint8Array;
  readonly associatedData: Uint8Array;
  readonly sealed: Uint8Array;
  /** Of all bytes of the file: tells one writing of it from another. */
  readonly digest: Uint8Array;
}

export function encodeKeyFile(
  { scrypt: { log2N, r, p }, salt, verifier }: KeyFileHeader,
  cipher: Xaes,
  nonce: Uint8Array,
  body: Uint8Array,
): Uint8Array {
  const out = new ByteWriter(256 + body.length);
  out.bytes(magic);
  out.u16(version);
  out.u8(kdfScrypt);
  out.u8(log2N);
  out.u32(r);
  out.u32(p);
  out.bytes(salt);
  out.bytes(verifier);
  out.bytes(nonce);
  out.u32(body.length + xaesTagBytes);
  out.bytes(cipher.seal(nonce, out.written(), body));
  out.bytes(sha256(out.written()));
  return new Uint8Array(out.written());
}

export type Undecodable = "foreign" | "unsupported" | "truncated" | "damaged";

/** Of bytes that may be anybody's. */
export function decodeKeyFile(bytes: Uint8Array): SealedFile | Undecodable {
  const magicFound = bytes.subarray(0, magic.length);
  if (!equalBytes(magicFound, magic.subarray(0, magicFound.length))) return "foreign";
  const from = new ByteReader(bytes, magic.length);
  const versionFound = from.u16();
  const kdf = from.u8();
  const parameters = { log2N: from.u8(), r: from.u32(), p: from.u32() };
  const salt = from.bytes(saltBytes);
  const verifier = from.bytes(verifierBytes);
  const nonce = from.bytes(xaesNonceBytes);
  const length = from.u32();
  const associatedData = bytes.subarray(0, from.at);
  const sealed = from.bytes(length);
  const digest = from.bytes(digestBytes);
  // A version to come may be longer or shorter, so that what it is goes before what is missing.
  if (bytes.length >= magic.length + 2 && versionFound !== version) return "unsupported";
  if (from.failed) return "truncated";
  if (from.left > 0) return "damaged";
  if (!equalBytes(digest, sha256(bytes.subarray(0, bytes.length - digestBytes)))) return "damaged";
  if (kdf !== kdfScrypt || !isWithinLimits(parameters)) return "unsupported";
  if (length < xaesTagBytes) return "damaged";
  const header = { scrypt: parameters, salt, verifier };
  return { header, nonce, associatedData, sealed, digest };
}

function isWithinLimits(parameters: ScryptParameters): boolean {
  return (["log2N", "r", "p"] as const).every((name) => {
    const [least, most] = scryptLimits[name];
    return parameters[name] >= least && parameters[name] <= most;
  });
}

export interface DerivedKey {
  readonly cipher: Xaes;
  readonly verifier: Uint8Array;
}

/** In a thread of its own: it takes some tenths of a second. */
export async function deriveKey(
  passphrase: Uint8Array,
  salt: Uint8Array,
  { log2N, r, p }: ScryptParameters,
): Promise<DerivedKey> {
  const N = 1 << log2N;
  // What OpenSSL counts: the large array, and a little besides.
  const maxmem = 128 * r * (N + p + 2);
  const derived = await new Promise<Uint8Array>((settle, fail) => {
    scrypt(passphrase, salt, 2 * xaesKeyBytes, { N, r, p, maxmem }, (error, key) => {
      if (error === null) settle(key);
      else fail(error);
    });
  });
  const cipher = new Xaes(derived.subarray(0, xaesKeyBytes));
  const verifier = sha256(derived.subarray(xaesKeyBytes));
  derived.fill(0);
  return { cipher, verifier };
}

export function isVerified(derived: DerivedKey, { verifier }: KeyFileHeader): boolean {
  return timingSafeEqual(derived.verifier, verifier);
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}
