/** Reading attributes, and what keys are by them. */
import { bytesKey } from "../bytes.js";
import type { Handle } from "./cryptoki/calls.js";
import { cka, ckk, cko, ckr, unavailableInformation } from "./cryptoki/constants.js";
import { curveOfParameters, ecPublicKeyInfo, rsaPublicKeyInfo } from "./der.js";
import { type Flow, attempt } from "./flow.js";
import { hexOf } from "./hex.js";
import { parseName } from "./key-names.js";
import type { KeyAttributes, KeyDescription, KeySpec, KeyUse } from "./keys.js";
import type { Digest } from "./options.js";
import type { Work } from "./state.js";

/** By type; what the token does not tell is not there. */
export type Attributes = ReadonlyMap<number, Uint8Array>;

const common = [cka.class, cka.keyType, cka.id, cka.label, cka.token];
const guarded = [
  cka.private,
  cka.sensitive,
  cka.extractable,
  cka.alwaysSensitive,
  cka.neverExtractable,
  cka.local,
];

export const secretKeyTypes: readonly number[] = [
  ...common,
  ...guarded,
  cka.encrypt,
  cka.decrypt,
  cka.wrap,
  cka.unwrap,
  cka.sign,
  cka.verify,
  cka.valueLen,
];
const privateKeyTypes: readonly number[] = [
  ...common,
  ...guarded,
  cka.decrypt,
  cka.unwrap,
  cka.sign,
];
const publicKeyTypes: readonly number[] = [...common, cka.encrypt, cka.wrap, cka.verify];

export function* readSecretKey(work: Work, object: Handle): Flow<Attributes> {
  return yield* readAttributes(work, object, cko.secretKey, secretKeyTypes);
}

export function* readPrivateKey(work: Work, object: Handle): Flow<Attributes> {
  const found = yield* readAttributes(work, object, cko.privateKey, privateKeyTypes);
  const more = numberIn(found, cka.keyType) === ckk.rsa ? [cka.modulus] : [cka.ecParams];
  const values = yield* readAttributes(work, object, cko.privateKey, more);
  return new Map([...found, ...values]);
}

export function* readPublicKey(work: Work, object: Handle): Flow<Attributes> {
  const found = yield* readAttributes(work, object, cko.publicKey, publicKeyTypes);
  const isRsa = numberIn(found, cka.keyType) === ckk.rsa;
  const more = isRsa ? [cka.modulus, cka.publicExponent] : [cka.ecParams, cka.ecPoint];
  const values = yield* readAttributes(work, object, cko.publicKey, more);
  return new Map([...found, ...values]);
}

/** All at once; where one is refused, each for itself, and that one is not asked for again. */
export function* readAttributes(
  { core }: Work,
  object: Handle,
  keyClass: number,
  types: readonly number[],
): Flow<Attributes> {
  const { unknownAttributes } = core.state;
  const known = types.filter((type) => !unknownAttributes.has(`${keyClass}:${type}`));
  const values = new Map<number, Uint8Array>();
  if (known.length === 0) return values;
  const all = yield* attempt("attributes", { object, types: known });
  if (all.value !== null) {
    known.forEach((type, at) => values.set(type, all.value![at] ?? new Uint8Array(0)));
    return values;
  }
  for (const type of known) {
    const one = yield* attempt("attributes", { object, types: [type] });
    if (one.value !== null) values.set(type, one.value[0] ?? new Uint8Array(0));
    else if (one.rv === ckr.attributeTypeInvalid)
      unknownAttributes.set(`${keyClass}:${type}`, true);
  }
  return values;
}

/** A CK_ULONG of 4 or 8 bytes, little-endian; null when it is not told. */
export function numberIn(attributes: Attributes, type: number): number | null {
  const bytes = attributes.get(type);
  if (bytes === undefined || (bytes.length !== 4 && bytes.length !== 8)) return null;
  let number = 0;
  for (let at = bytes.length - 1; at >= 0; at--) number = number * 256 + bytes[at]!;
  return number === unavailableInformation || number > Number.MAX_SAFE_INTEGER ? null : number;
}

/** Null: not told. SoftHSM says 0 of keys that were unwrapped. */
export function valueBytesIn(key: Attributes): number | null {
  const bytes = numberIn(key, cka.valueLen);
  return bytes === 0 ? null : bytes;
}

export function flagIn(attributes: Attributes, type: number): boolean | null {
  const bytes = attributes.get(type);
  return bytes === undefined || bytes.length !== 1 ? null : bytes[0] !== 0;
}

export function textIn(attributes: Attributes, type: number): string {
  return bytesKey(attributes.get(type) ?? new Uint8Array(0));
}

/**
 * What the token says of a key; `publicKey` null for a secret one. Null: it is none of ours, by its
 * name, type or size. Where keys wrap by encrypting, an RSA key that encrypts is one that wraps: no
 * RSA key has another use for it.
 */
export function describeKey(
  key: Attributes,
  publicKey: Attributes | null,
  id: string,
  digest: Digest,
  wrapsByEncrypting: boolean,
): KeyDescription | null {
  const name = parseName(textIn(key, cka.label));
  const keyType = numberIn(key, cka.keyType);
  if (name === null || keyType === null) return null;
  const attributes = keyAttributes(key, publicKey);
  const exportable = attributes.extractable ?? false;
  const purpose = purposeOf(attributes.uses);
  if (keyType === ckk.aes && publicKey === null) {
    const bits = 8 * (valueBytesIn(key) ?? 32);
    const spec: KeySpec = { algorithm: "aes", bits, purpose, exportable };
    return { reference: { ...name, id, spec, publicDigest: null }, publicKey: null, attributes };
  }
  const shown = publicKey === null ? null : publicOf(keyType, publicKey);
  if (shown === null || !isPair(keyType, key, publicKey!)) return null;
  const publicDigest = hexOf(digest("sha256", shown.info));
  const { algorithm, bits } = shown;
  const wraps = wrapsByEncrypting && algorithm === "rsa" && purpose === "encrypt";
  const spec: KeySpec = { algorithm, bits, purpose: wraps ? "wrap" : purpose, exportable };
  return { reference: { ...name, id, spec, publicDigest }, publicKey: shown.info, attributes };
}

interface PublicKey {
  readonly algorithm: "rsa" | "ec";
  readonly bits: number;
  readonly info: Uint8Array;
}

function publicOf(keyType: number, key: Attributes): PublicKey | null {
  if (keyType === ckk.rsa) {
    const modulus = key.get(cka.modulus);
    const exponent = key.get(cka.publicExponent);
    if (modulus === undefined || exponent === undefined) return null;
    const bits = 8 * strip(modulus).length;
    return { algorithm: "rsa", bits, info: rsaPublicKeyInfo(modulus, exponent) };
  }
  const curve = curveOfParameters(key.get(cka.ecParams) ?? new Uint8Array(0));
  const point = key.get(cka.ecPoint);
  if (keyType !== ckk.ec || curve === null || point === undefined) return null;
  const info = ecPublicKeyInfo(curve, point);
  return info === null ? null : { algorithm: "ec", bits: curve.bits, info };
}

/** As far as a private key tells: the same modulus, or the same curve. */
function isPair(keyType: number, key: Attributes, publicKey: Attributes): boolean {
  if (numberIn(publicKey, cka.keyType) !== keyType) return false;
  const type = keyType === ckk.rsa ? cka.modulus : cka.ecParams;
  const own = key.get(type);
  const other = publicKey.get(type);
  if (own === undefined || other === undefined) return true;
  return hexOf(strip(own)) === hexOf(strip(other));
}

function strip(bytes: Uint8Array): Uint8Array {
  let from = 0;
  while (from < bytes.length && bytes[from] === 0) from++;
  return bytes.subarray(from);
}

function keyAttributes(key: Attributes, publicKey: Attributes | null): KeyAttributes {
  const used = (type: number): boolean =>
    flagIn(key, type) === true || (publicKey !== null && flagIn(publicKey, type) === true);
  return {
    token: flagIn(key, cka.token),
    private: flagIn(key, cka.private),
    sensitive: flagIn(key, cka.sensitive),
    extractable: flagIn(key, cka.extractable),
    alwaysSensitive: flagIn(key, cka.alwaysSensitive),
    neverExtractable: flagIn(key, cka.neverExtractable),
    local: flagIn(key, cka.local),
    uses: uses.filter(([, type]) => used(type)).map(([use]) => use),
  };
}

const uses: readonly (readonly [KeyUse, number])[] = [
  ["encrypt", cka.encrypt],
  ["decrypt", cka.decrypt],
  ["wrap", cka.wrap],
  ["unwrap", cka.unwrap],
  ["sign", cka.sign],
  ["verify", cka.verify],
];

function purposeOf(found: readonly KeyUse[]): KeySpec["purpose"] {
  if (found.includes("wrap") || found.includes("unwrap")) return "wrap";
  return found.includes("sign") || found.includes("verify") ? "sign" : "encrypt";
}
