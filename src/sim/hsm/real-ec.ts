/** ECDSA as tokens have it: repeatable by RFC 6979, r and s side by side. */
import { createPrivateKey } from "node:crypto";
import { Buffer } from "node:buffer";
import type { ECDSA } from "@noble/curves/abstract/weierstrass.js";
import { p256, p384 } from "@noble/curves/nist.js";
import { cka, ckr } from "../../core/hsm/cryptoki/constants.js";
import { type Curve, concat, curveOfBits, curveOfParameters } from "../../core/hsm/der.js";
import { type ObjectAttributes, attributesOf } from "./attribute-bytes.js";
import type { CryptoAnswer, PairMaterial, Random } from "./crypto.js";

/** The input is a digest already, and both halves of an order are good (X9.62). */
const asTokens = { prehash: false, lowS: false } as const;
const integer = 2;
const octetString = 4;
/** id-ecPublicKey, RFC 5480, section 2.1.1. */
const ecPublicKeyOid: Uint8Array = Uint8Array.of(6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1);
const uncompressed = 4;
const nothing = new Uint8Array(0);

export function ecPair(parameters: Uint8Array, random: Random): PairMaterial | null {
  const curve = curveOfParameters(parameters);
  if (curve === null) return null;
  const algorithm = algorithmOf(curve);
  return ecMaterial(curve, algorithm.utils.randomSecretKey(random(algorithm.lengths.seed!)));
}

export function ecSign(key: ObjectAttributes, digest: Uint8Array): CryptoAnswer {
  const curve = curveOf(key);
  const secret = key.get(cka.value);
  if (curve === null || secret === undefined) return ckr.generalError;
  try {
    return new Uint8Array(algorithmOf(curve).sign(digest, padded(secret, curve), asTokens));
  } catch {
    return ckr.generalError;
  }
}

/** A CKR_. */
export function ecVerify(key: ObjectAttributes, digest: Uint8Array, signature: Uint8Array): number {
  const curve = curveOf(key);
  const point = key.get(cka.ecPoint);
  if (curve === null || point === undefined) return ckr.generalError;
  if (signature.length !== curve.bits / 4) return ckr.signatureLenRange;
  try {
    const valid = algorithmOf(curve).verify(signature, digest, bare(point), asTokens);
    return valid ? ckr.ok : ckr.signatureInvalid;
  } catch {
    return ckr.signatureInvalid;
  }
}

/** RFC 5958 around RFC 5915, without the public key, as SoftHSM writes it. */
export function ecPkcs8(key: ObjectAttributes): Uint8Array | null {
  const curve = curveOf(key);
  const secret = key.get(cka.value);
  if (curve === null || secret === undefined) return null;
  const algorithm = sequence(ecPublicKeyOid, curve.parameters);
  const one = Uint8Array.of(integer, 1, 1);
  const privateKey = sequence(one, der(octetString, padded(secret, curve)));
  return sequence(Uint8Array.of(integer, 1, 0), algorithm, der(octetString, privateKey));
}

/** Up to 127 bytes long. */
function der(tag: number, body: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(tag, body.length), body);
}

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(0x30, concat(...parts));
}

/** Null: no EC key of a curve that is known here. */
export function ecMaterialOfPkcs8(pkcs8: Uint8Array): PairMaterial | null {
  try {
    const key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
    const { crv, d } = key.export({ format: "jwk" });
    const curve = curveOfBits(Number(crv?.slice(2)));
    if (curve === null || d === undefined) return null;
    return ecMaterial(curve, new Uint8Array(Buffer.from(d, "base64url")));
  } catch {
    return null;
  }
}

function ecMaterial(curve: Curve, secret: Uint8Array): PairMaterial {
  const point = algorithmOf(curve).getPublicKey(secret, false);
  const { parameters } = curve;
  return {
    publicKey: attributesOf([
      { type: cka.ecParams, value: parameters },
      { type: cka.ecPoint, value: concat(Uint8Array.of(octetString, point.length), point) },
    ]),
    privateKey: attributesOf([
      { type: cka.ecParams, value: parameters },
      { type: cka.value, value: secret },
    ]),
  };
}

function algorithmOf({ bits }: Curve): ECDSA {
  return bits === 256 ? p256 : p384;
}

function curveOf(key: ObjectAttributes): Curve | null {
  return curveOfParameters(key.get(cka.ecParams) ?? nothing);
}

/** CKA_EC_POINT is an octet string around the point, or the point alone. */
function bare(point: Uint8Array): Uint8Array {
  const wrapped = point[0] === octetString && point[1] === point.length - 2;
  return wrapped && point[2] === uncompressed ? point.subarray(2) : point;
}

/** Numbers may come without their zeros in front. */
function padded(secret: Uint8Array, { bits }: Curve): Uint8Array {
  const zeros = bits / 8 - secret.length;
  return zeros > 0 ? concat(new Uint8Array(zeros), secret) : secret;
}
