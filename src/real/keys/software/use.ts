/** What a key may be used for, and with how much. */
import type { KeyPurpose, SignatureAlgorithm, SignatureFormat } from "../../../core/hsm/keys.js";
import type { HeldKey } from "./held-key.js";
import { refusedBy, Refusal } from "./refusal.js";

/** Of a message, a plaintext or a blob. */
export const dataBytesMax: number = 16 * 1024 * 1024;

const signers: Readonly<Record<SignatureAlgorithm, { algorithm: "rsa" | "ec"; bits: number }>> = {
  "rsa-pkcs1-sha256": { algorithm: "rsa", bits: 0 },
  "rsa-pss-sha256": { algorithm: "rsa", bits: 0 },
  "ecdsa-p256-sha256": { algorithm: "ec", bits: 256 },
  "ecdsa-p384-sha384": { algorithm: "ec", bits: 384 },
};

/** One purpose for each key (policy P11). */
export function checkPurpose({ reference }: HeldKey, purpose: KeyPurpose): void {
  if (reference.spec.purpose !== purpose) throw refusedBy("P11");
}

export function checkSignature(
  { reference: { spec } }: HeldKey,
  algorithm: SignatureAlgorithm,
  format: SignatureFormat,
): void {
  const signer = Object.hasOwn(signers, algorithm) ? signers[algorithm] : null;
  if (signer === null || signer.algorithm !== spec.algorithm) throw new Refusal("badInput");
  if (format !== "der" && format !== "raw") throw new Refusal("badInput");
  // P-256 with SHA-256, P-384 with SHA-384, and neither the other way round.
  if (signer.bits !== 0 && signer.bits !== spec.bits) throw refusedBy("P9");
}

export function checkData(...all: readonly Uint8Array[]): void {
  if (all.some(({ length }) => length > dataBytesMax)) throw new Refusal("badInput");
}
