/** What each vendor's module does with which mechanism, and by which number. */
import type { Mechanism, MechanismDescription } from "../../core/hsm/cryptoki/calls.js";
import { ckm, vendorMechanism } from "../../core/hsm/cryptoki/constants.js";
import type { VendorName } from "../../core/hsm/profile.js";

export type MechanismUse =
  "encrypt" | "decrypt" | "sign" | "verify" | "wrap" | "unwrap" | "generate" | "generatePair";

/** CKF_ of CK_MECHANISM_INFO. */
const flags: Readonly<Record<MechanismUse, number>> = {
  encrypt: 0x100,
  decrypt: 0x200,
  sign: 0x800,
  verify: 0x2000,
  generate: 0x8000,
  generatePair: 0x1_0000,
  wrap: 0x2_0000,
  unwrap: 0x4_0000,
};

interface Row {
  readonly type: number;
  readonly uses: readonly MechanismUse[];
  readonly min: number;
  readonly max: number;
}

const crypts = ["encrypt", "decrypt"] as const;
const signs = ["sign", "verify"] as const;
const wraps = ["wrap", "unwrap"] as const;

function aes(type: number, ...uses: readonly MechanismUse[]): Row {
  return { type, uses, min: 16, max: 32 };
}

function rsa(type: number, ...uses: readonly MechanismUse[]): Row {
  return { type, uses, min: 1024, max: 16_384 };
}

function ec(type: number, ...uses: readonly MechanismUse[]): Row {
  return { type, uses, min: 256, max: 521 };
}

const keyMaking: readonly Row[] = [
  rsa(ckm.rsaPkcsKeyPairGen, "generatePair"),
  ec(ckm.ecKeyPairGen, "generatePair"),
  aes(ckm.aesKeyGen, "generate"),
];
const signing: readonly Row[] = [
  rsa(ckm.rsaPkcsPss, ...signs),
  rsa(ckm.sha256RsaPkcs, ...signs),
  rsa(ckm.sha256RsaPkcsPss, ...signs),
  ec(ckm.ecdsa, ...signs),
];
const hmac: readonly Row[] = [
  { type: ckm.genericSecretKeyGen, uses: ["generate"], min: 1, max: 4096 },
  { type: ckm.sha256Hmac, uses: signs, min: 1, max: 4096 },
];
/** What a module does that does all that PKCS#11 tells of. */
const everything: readonly Row[] = [
  ...keyMaking,
  ...signing,
  ...hmac,
  rsa(ckm.rsaPkcs, ...signs),
  rsa(ckm.rsaPkcsOaep, ...crypts, ...wraps),
  aes(ckm.aesCbc, ...crypts),
  aes(ckm.aesCbcPad, ...crypts, ...wraps),
  aes(ckm.aesGcm, ...crypts, ...wraps),
  aes(ckm.aesKeyWrap, ...wraps),
  aes(ckm.aesKeyWrapPad, ...wraps),
  aes(ckm.aesKeyWrapKwp, ...wraps),
];

const softhsm: readonly Row[] = [
  ...keyMaking,
  ...signing,
  ...hmac,
  rsa(ckm.rsaPkcs, ...signs, ...crypts, ...wraps),
  rsa(ckm.rsaPkcsOaep, ...crypts, ...wraps),
  aes(ckm.aesEcb, ...crypts),
  aes(ckm.aesCbc, ...crypts, "wrap"),
  aes(ckm.aesCbcPad, ...crypts),
  aes(ckm.aesGcm, ...crypts),
  aes(ckm.aesKeyWrap, ...wraps),
  aes(ckm.aesKeyWrapPad, ...wraps),
];

const cloudhsm: readonly Row[] = [
  ...keyMaking,
  ...signing,
  ...hmac,
  rsa(ckm.rsaPkcs, ...signs),
  rsa(ckm.rsaPkcsOaep, ...crypts, ...wraps),
  aes(ckm.aesCbc, ...crypts),
  aes(ckm.aesCbcPad, ...crypts),
  aes(ckm.aesGcm, ...crypts, ...wraps),
  aes(vendorMechanism.cloudhsmAesGcm, ...crypts, ...wraps),
  aes(vendorMechanism.cloudhsmAesKeyWrapZeroPad, ...wraps),
];

const cloudkms: readonly Row[] = [
  ...keyMaking,
  rsa(ckm.rsaPkcs, ...signs),
  rsa(ckm.rsaPkcsPss, ...signs),
  rsa(ckm.rsaPkcsOaep, ...crypts),
  ec(ckm.ecdsa, ...signs),
  aes(vendorMechanism.cloudkmsAesGcm, ...crypts),
];

const yubihsm: readonly Row[] = [
  ...keyMaking,
  ...signing,
  ...hmac,
  rsa(ckm.rsaPkcs, ...signs),
  rsa(ckm.rsaPkcsOaep, "decrypt", "encrypt"),
  aes(ckm.aesCbc, ...crypts),
  aes(ckm.aesCbcPad, ...crypts),
];

const rows: Readonly<Record<VendorName, readonly Row[]>> = {
  softhsm,
  "aws-cloudhsm": cloudhsm,
  "thales-luna": everything,
  "azure-dedicated-hsm": everything,
  "google-cloud-hsm": cloudkms,
  "ncipher-nshield": everything,
  yubihsm2: yubihsm,
  generic: everything,
};

export function serves(vendor: VendorName, use: MechanismUse, type: number): boolean {
  return rows[vendor].some((row) => row.type === type && row.uses.includes(use));
}

export function mechanismList(vendor: VendorName): readonly MechanismDescription[] {
  return rows[vendor].map(({ type, uses, min, max }) => ({
    type,
    minKeySize: min,
    maxKeySize: max,
    flags: uses.reduce((sum, use) => sum | flags[use], 0),
  }));
}

/** By the number under which cryptography knows it. */
export function standardMechanism({ type, parameter }: Mechanism): Mechanism {
  const known = standardTypes[type] ?? type;
  return parameter === undefined ? { type: known } : { type: known, parameter };
}

const standardTypes: Readonly<Record<number, number>> = {
  [ckm.aesKeyWrapKwp]: ckm.aesKeyWrapPad,
  [vendorMechanism.cloudhsmAesGcm]: ckm.aesGcm,
  [vendorMechanism.cloudhsmAesKeyWrapZeroPad]: ckm.aesKeyWrapPad,
  [vendorMechanism.cloudkmsAesGcm]: ckm.aesGcm,
};
