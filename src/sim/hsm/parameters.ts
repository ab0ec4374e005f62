/** Which parameters a module takes for which mechanism, and which keys. */
import type { Mechanism } from "../../core/hsm/cryptoki/calls.js";
import {
  ckg,
  cka,
  ckk,
  ckm,
  cko,
  ckr,
  vendorMechanism,
} from "../../core/hsm/cryptoki/constants.js";
import type { VendorName, VendorProfile } from "../../core/hsm/profile.js";
import { type ObjectAttributes, numberOf } from "./attribute-bytes.js";

export const gcmIvBytes = 12;
const blockBytes = 16;

const mgfOf: Readonly<Record<number, number>> = {
  [ckm.sha1]: ckg.mgf1Sha1,
  [ckm.sha256]: ckg.mgf1Sha256,
  [ckm.sha384]: ckg.mgf1Sha384,
  [ckm.sha512]: ckg.mgf1Sha512,
};
const digestBytes: Readonly<Record<number, number>> = {
  [ckm.sha1]: 20,
  [ckm.sha256]: 32,
  [ckm.sha384]: 48,
  [ckm.sha512]: 64,
};

/** Is the IV made inside? Then an answer begins with it. */
export function makesIv({ gcmIv }: VendorProfile, type: number): boolean {
  return gcmIv !== "caller" && isGcm(type);
}

function isGcm(type: number): boolean {
  return (
    type === ckm.aesGcm ||
    type === vendorMechanism.cloudhsmAesGcm ||
    type === vendorMechanism.cloudkmsAesGcm
  );
}

/** 0, or why this parameter is refused. `seals`: it makes ciphertext. */
export function parameterFault(
  profile: VendorProfile,
  { type, parameter }: Mechanism,
  seals: boolean,
): number {
  switch (parameter?.kind) {
    case "gcm":
      return isGcm(type) ? gcmFault(profile, type, parameter, seals) : ckr.argumentsBad;
    case "bytes": {
      const isCbc = type === ckm.aesCbc || type === ckm.aesCbcPad;
      return isCbc && parameter.bytes.length === blockBytes ? ckr.ok : ckr.argumentsBad;
    }
    case "oaep":
      return type === ckm.rsaPkcsOaep ? oaepFault(profile.vendor, parameter) : ckr.argumentsBad;
    case "pss": {
      const isOwn = type === ckm.sha256RsaPkcsPss && parameter.hash === ckm.sha256;
      const fits = (type === ckm.rsaPkcsPss || isOwn) && mgfOf[parameter.hash] === parameter.mgf;
      return fits ? ckr.ok : ckr.argumentsBad;
    }
    default:
      return needsParameter.includes(type) || isGcm(type) ? ckr.argumentsBad : ckr.ok;
  }
}

const needsParameter: readonly number[] = [
  ckm.aesCbc,
  ckm.aesCbcPad,
  ckm.rsaPkcsOaep,
  ckm.rsaPkcsPss,
  ckm.sha256RsaPkcsPss,
];

type Parameter = NonNullable<Mechanism["parameter"]>;

function gcmFault(
  profile: VendorProfile,
  type: number,
  { iv, tagBits }: Parameter & { readonly kind: "gcm" },
  seals: boolean,
): number {
  if (tagBits < 0 || tagBits > 128 || tagBits % 8 !== 0) return ckr.argumentsBad;
  const prepended = type === vendorMechanism.cloudhsmAesGcm;
  if (!makesIv(profile, type)) return iv === null ? ckr.argumentsBad : ckr.ok;
  if (prepended) return iv === null ? ckr.ok : ckr.mechanismParamInvalid;
  if (!seals) return iv?.length === gcmIvBytes ? ckr.ok : ckr.mechanismParamInvalid;
  // Room for the IV, zeroed.
  const isRoom = iv === null || (iv.length === gcmIvBytes && iv.every((byte) => byte === 0));
  return isRoom ? ckr.ok : ckr.mechanismParamInvalid;
}

/** SoftHSM knows OAEP with SHA-1 and no label alone. */
function oaepFault(vendor: VendorName, parameter: Parameter & { readonly kind: "oaep" }): number {
  const { hash, mgf, label } = parameter;
  if (mgfOf[hash] !== mgf) return ckr.argumentsBad;
  if (vendor !== "softhsm") return ckr.ok;
  return hash === ckm.sha1 && label.length === 0 ? ckr.ok : ckr.argumentsBad;
}

/** CKK_ that a mechanism works with; -1 for none. */
function keyTypeFor(type: number): number {
  switch (type) {
    case ckm.rsaPkcs:
    case ckm.rsaPkcsOaep:
    case ckm.rsaPkcsPss:
    case ckm.sha256RsaPkcs:
    case ckm.sha256RsaPkcsPss:
      return ckk.rsa;
    case ckm.ecdsa:
      return ckk.ec;
    case ckm.sha256Hmac:
      return ckk.genericSecret;
    default:
      return ckk.aes;
  }
}

export function fitsMechanism(key: ObjectAttributes, type: number): boolean {
  const keyType = keyTypeFor(type);
  const isSecret = numberOf(key, cka.class) === cko.secretKey;
  return numberOf(key, cka.keyType) === keyType && isSecret === isSecretType(keyType);
}

function isSecretType(keyType: number): boolean {
  return keyType === ckk.aes || keyType === ckk.genericSecret;
}

/** 0, or why so much cannot be signed: RFC 8017, sections 8.1 and 9.2. */
export function signedDataFault(
  { type, parameter }: Mechanism,
  key: ObjectAttributes,
  lengthBytes: number,
): number {
  const modulusBytes = key.get(cka.modulus)?.length ?? 0;
  if (type === ckm.rsaPkcs && lengthBytes > modulusBytes - 11) return ckr.dataLenRange;
  const isDigest = type !== ckm.rsaPkcsPss || parameter?.kind !== "pss";
  return isDigest || lengthBytes === digestBytes[parameter.hash] ? ckr.ok : ckr.dataLenRange;
}
