/** RSA as tokens have it: the arithmetic is node:crypto's, the chance is ours. */
import {
  type JsonWebKey,
  type KeyObject,
  constants,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  privateEncrypt,
  publicDecrypt,
  publicEncrypt,
} from "node:crypto";
import { Buffer } from "node:buffer";
import { equalBytes } from "../../core/bytes.js";
import type { Mechanism } from "../../core/hsm/cryptoki/calls.js";
import { cka, ckg, ckm, ckr } from "../../core/hsm/cryptoki/constants.js";
import { sha256DigestInfo } from "../../core/hsm/der.js";
import { type ObjectAttributes, attributesOf } from "./attribute-bytes.js";
import type { CryptoAnswer, PairMaterial, Random } from "./crypto.js";
import {
  type HashName,
  hashOf,
  oaepEncode,
  pkcs1Decode,
  pkcs1Encode,
  pkcs1SignEncode,
  pssEncode,
  pssFits,
} from "./real-rsa-padding.js";
import { rsaTestKeys } from "./rsa-test-keys.js";

const none = constants.RSA_NO_PADDING;
const hashNames: Readonly<Record<number, HashName>> = {
  [ckm.sha1]: "sha1",
  [ckm.sha256]: "sha256",
  [ckm.sha384]: "sha384",
  [ckm.sha512]: "sha512",
};
/** Parts of a JSON Web Key (RFC 7518, section 6.3) by their attributes. */
const publicParts = [
  [cka.modulus, "n"],
  [cka.publicExponent, "e"],
] as const;
const privateParts = [
  ...publicParts,
  [cka.privateExponent, "d"],
  [cka.prime1, "p"],
  [cka.prime2, "q"],
  [cka.exponent1, "dp"],
  [cka.exponent2, "dq"],
  [cka.coefficient, "qi"],
] as const;

export function rsaPair(bits: number, random: Random): PairMaterial | null {
  const pool = rsaTestKeys[bits];
  if (pool === undefined) return null;
  const chosen = pool[random(1)[0]! % pool.length]!;
  const known = pooled.get(chosen) ?? rsaMaterial(Buffer.from(chosen, "base64"));
  if (known !== null) pooled.set(chosen, known);
  return known;
}

const pooled = new Map<string, PairMaterial>();

/** Of a private key as PKCS #8; null: it is none. */
export function rsaMaterial(pkcs8: Uint8Array): PairMaterial | null {
  try {
    const key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
    if (key.asymmetricKeyType !== "rsa") return null;
    const jwk = key.export({ format: "jwk" });
    return { publicKey: partsOf(jwk, publicParts), privateKey: partsOf(jwk, privateParts) };
  } catch {
    return null;
  }
}

export function rsaPkcs8(key: ObjectAttributes): Uint8Array | null {
  const object = privateKeyObject(key);
  return object === null ? null : new Uint8Array(object.export({ format: "der", type: "pkcs8" }));
}

export function rsaEncrypt(
  { type, parameter }: Mechanism,
  key: ObjectAttributes,
  data: Uint8Array,
  random: Random,
): CryptoAnswer {
  const length = modulusBytes(key);
  const encoded =
    parameter?.kind === "oaep"
      ? oaepEncode(hashNames[parameter.hash]!, parameter.label, data, length, random)
      : pkcs1Encode(data, length, random);
  const object = publicKeyObject(key);
  if (encoded === null) return ckr.dataLenRange;
  if (object === null || (type === ckm.rsaPkcsOaep) !== (parameter?.kind === "oaep")) {
    return ckr.generalError;
  }
  return new Uint8Array(publicEncrypt({ key: object, padding: none }, encoded));
}

/**
 * For whoever has the private half of `publicKey` (SubjectPublicKeyInfo, DER), as CKM_RSA_PKCS_OAEP
 * makes it: the real counterpart of `wrapForCheap`. Null: that is no RSA key, or too much for it.
 */
export function wrapForReal(
  publicKey: Uint8Array,
  bytes: Uint8Array,
  random: Random,
  by: "sha1" | "sha256" = "sha256",
): Uint8Array | null {
  const key = publicAttributes(publicKey);
  if (key === null) return null;
  const hash = by === "sha1" ? ckm.sha1 : ckm.sha256;
  const mgf = by === "sha1" ? ckg.mgf1Sha1 : ckg.mgf1Sha256;
  const parameter = { kind: "oaep", hash, mgf, label: new Uint8Array(0) } as const;
  const wrapped = rsaEncrypt({ type: ckm.rsaPkcsOaep, parameter }, key, bytes, random);
  return typeof wrapped === "number" ? null : wrapped;
}

function publicAttributes(info: Uint8Array): ObjectAttributes | null {
  try {
    const key = createPublicKey({ key: Buffer.from(info), format: "der", type: "spki" });
    if (key.asymmetricKeyType !== "rsa") return null;
    return partsOf(key.export({ format: "jwk" }), publicParts);
  } catch {
    return null;
  }
}

export function rsaDecrypt(
  { parameter }: Mechanism,
  key: ObjectAttributes,
  data: Uint8Array,
): CryptoAnswer {
  const object = privateKeyObject(key);
  if (object === null) return ckr.generalError;
  if (data.length !== modulusBytes(key)) return ckr.generalError;
  try {
    if (parameter?.kind !== "oaep") {
      const encoded = new Uint8Array(privateDecrypt({ key: object, padding: none }, data));
      return pkcs1Decode(encoded) ?? ckr.encryptedDataInvalid;
    }
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const oaepHash = hashNames[parameter.hash]!;
    const oaepLabel = Buffer.from(parameter.label);
    return new Uint8Array(privateDecrypt({ key: object, padding, oaepHash, oaepLabel }, data));
  } catch {
    return ckr.generalError;
  }
}

export function rsaSign(
  mechanism: Mechanism,
  key: ObjectAttributes,
  data: Uint8Array,
  random: Random,
): CryptoAnswer {
  const object = privateKeyObject(key);
  if (object === null) return ckr.generalError;
  const length = modulusBytes(key);
  const pss = pssOf(mechanism);
  const encoded =
    pss === null
      ? pkcs1SignEncode(signedBytes(mechanism, data), length)
      : pssEncode(pss.hash, signedBytes(mechanism, data), random(pss.saltBytes), length);
  if (encoded === null) return ckr.dataLenRange;
  return new Uint8Array(privateEncrypt({ key: object, padding: none }, encoded));
}

/** A CKR_. */
export function rsaVerify(
  mechanism: Mechanism,
  key: ObjectAttributes,
  data: Uint8Array,
  signature: Uint8Array,
): number {
  const object = publicKeyObject(key);
  if (object === null) return ckr.generalError;
  const length = modulusBytes(key);
  if (signature.length !== length) return ckr.signatureLenRange;
  const encoded = opened(object, signature);
  if (encoded === null) return ckr.signatureInvalid;
  const signed = signedBytes(mechanism, data);
  const pss = pssOf(mechanism);
  if (pss !== null) {
    return pssFits(pss.hash, signed, pss.saltBytes, encoded) ? ckr.ok : ckr.signatureInvalid;
  }
  const right = pkcs1SignEncode(signed, length);
  return right !== null && equalBytes(right, encoded) ? ckr.ok : ckr.signatureInvalid;
}

/** Null: a number not below the modulus. */
function opened(key: KeyObject, signature: Uint8Array): Uint8Array | null {
  try {
    return new Uint8Array(publicDecrypt({ key, padding: none }, signature));
  } catch {
    return null;
  }
}

/** Some mechanisms hash first. */
function signedBytes({ type }: Mechanism, data: Uint8Array): Uint8Array {
  if (type === ckm.sha256RsaPkcs) return sha256DigestInfo(hashOf("sha256", data));
  return type === ckm.sha256RsaPkcsPss ? hashOf("sha256", data) : data;
}

function pssOf({ parameter }: Mechanism): { hash: HashName; saltBytes: number } | null {
  if (parameter?.kind !== "pss") return null;
  return { hash: hashNames[parameter.hash]!, saltBytes: parameter.saltBytes };
}

function modulusBytes(key: ObjectAttributes): number {
  return key.get(cka.modulus)?.length ?? 0;
}

function partsOf(
  jwk: JsonWebKey,
  parts: readonly (readonly [number, keyof JsonWebKey & string])[],
): ObjectAttributes {
  return attributesOf(
    parts.map(([type, part]) => ({
      type,
      value: new Uint8Array(Buffer.from(jwk[part] as string, "base64url")),
    })),
  );
}

const privateKeys = new WeakMap<ObjectAttributes, KeyObject>();
const publicKeys = new WeakMap<ObjectAttributes, KeyObject>();

/** Null: attributes that are no whole key. */
function privateKeyObject(key: ObjectAttributes): KeyObject | null {
  return remembered(privateKeys, key, () =>
    createPrivateKey({ key: jwkOf(key, privateParts), format: "jwk" }),
  );
}

function publicKeyObject(key: ObjectAttributes): KeyObject | null {
  return remembered(publicKeys, key, () =>
    createPublicKey({ key: jwkOf(key, publicParts), format: "jwk" }),
  );
}

function remembered(
  known: WeakMap<ObjectAttributes, KeyObject>,
  key: ObjectAttributes,
  make: () => KeyObject,
): KeyObject | null {
  const found = known.get(key);
  if (found !== undefined) return found;
  try {
    const made = make();
    known.set(key, made);
    return made;
  } catch {
    return null;
  }
}

function jwkOf(key: ObjectAttributes, parts: readonly (readonly [number, string])[]): JsonWebKey {
  const jwk: JsonWebKey = { kty: "RSA" };
  for (const [type, part] of parts) {
    const bytes = key.get(type);
    if (bytes !== undefined) jwk[part] = Buffer.from(bytes).toString("base64url");
  }
  return jwk;
}
