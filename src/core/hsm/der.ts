/**
 * The little of DER (X.690) that keys and signatures need: SubjectPublicKeyInfo from what a token
 * tells of a public key, DigestInfo, and ECDSA signatures in both of their shapes.
 */
import { equalBytes } from "../bytes.js";

const integerTag = 0x02;
const bitStringTag = 0x03;
const octetStringTag = 0x04;
const nullTag = 0x05;
const objectTag = 0x06;
const sequenceTag = 0x30;

/** Of a length below 65,536. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.from(head), ...parts);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

const object = (...bytes: number[]): Uint8Array => der(objectTag, Uint8Array.from(bytes));
const rsaEncryption = object(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01);
const ecPublicKey = object(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01);
const sha256 = object(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01);

export interface Curve {
  readonly bits: 256 | 384;
  /** CKA_EC_PARAMS: its object identifier. */
  readonly parameters: Uint8Array;
}

const curves: readonly Curve[] = [
  { bits: 256, parameters: object(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07) },
  { bits: 384, parameters: object(0x2b, 0x81, 0x04, 0x00, 0x22) },
];

export function curveOfBits(bits: number): Curve | null {
  return curves.find((curve) => curve.bits === bits) ?? null;
}

export function curveOfParameters(parameters: Uint8Array): Curve | null {
  return curves.find((curve) => equalBytes(curve.parameters, parameters)) ?? null;
}

export function rsaPublicKeyInfo(modulus: Uint8Array, exponent: Uint8Array): Uint8Array {
  const key = der(sequenceTag, integer(modulus), integer(exponent));
  return publicKeyInfo(der(sequenceTag, rsaEncryption, der(nullTag)), key);
}

/** `point`: CKA_EC_POINT, as an octet string or bare; null when it is no uncompressed point. */
export function ecPublicKeyInfo(curve: Curve, point: Uint8Array): Uint8Array | null {
  const pointBytes = 1 + curve.bits / 4;
  const wrapped =
    point.length === pointBytes + 2 && point[0] === octetStringTag && point[1] === pointBytes;
  const bare = wrapped ? point.subarray(2) : point;
  if (bare.length !== pointBytes || bare[0] !== 4) return null;
  return publicKeyInfo(der(sequenceTag, ecPublicKey, curve.parameters), bare);
}

function publicKeyInfo(algorithm: Uint8Array, key: Uint8Array): Uint8Array {
  return der(sequenceTag, algorithm, der(bitStringTag, Uint8Array.of(0), key));
}

/** What CKM_RSA_PKCS signs (RFC 8017, section 9.2). */
export function sha256DigestInfo(digest: Uint8Array): Uint8Array {
  const algorithm = der(sequenceTag, sha256, der(nullTag));
  return der(sequenceTag, algorithm, der(octetStringTag, digest));
}

/** r and s side by side as a sequence of two integers (RFC 3279, section 2.2.3). */
export function ecdsaToDer(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  return der(sequenceTag, integer(raw.subarray(0, half)), integer(raw.subarray(half)));
}

/**
 * The other way; `numberBytes` is 32 or 48. Null unless `signature` is exactly what `ecdsaToDer`
 * makes: shortest lengths, shortest integers, nothing negative, nothing after it.
 */
export function ecdsaFromDer(signature: Uint8Array, numberBytes: number): Uint8Array | null {
  const raw = new Uint8Array(2 * numberBytes);
  let at = 0;
  const next = (): number => signature[at++] ?? -1;
  if (next() !== sequenceTag) return null;
  let length = next();
  if (length === 0x81) {
    length = next();
    if (length < 0x80) return null;
  } else if (length >= 0x80) return null;
  if (length !== signature.length - at) return null;
  for (const end of [numberBytes, 2 * numberBytes]) {
    if (next() !== integerTag) return null;
    const count = next();
    if (count < 1 || count > numberBytes + 1 || at + count > signature.length) return null;
    const number = signature.subarray(at, at + count);
    at += count;
    const bare = number[0] === 0 && number.length > 1 ? number.subarray(1) : number;
    if (number[0]! >= 0x80 || (bare !== number && bare[0]! < 0x80)) return null;
    if (bare.length > numberBytes) return null;
    raw.set(bare, end - bare.length);
  }
  return at === signature.length ? raw : null;
}

/** The unsigned number of these bytes, the highest first. */
function integer(bytes: Uint8Array): Uint8Array {
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0) from++;
  const bare = bytes.length === 0 ? Uint8Array.of(0) : bytes.subarray(from);
  return der(integerTag, bare[0]! >= 0x80 ? concat(Uint8Array.of(0), bare) : bare);
}
