/** Signatures: the message is hashed here, so that the token signs a digest of the right length alone. */
import type { Mechanism } from "./cryptoki/calls.js";
import { ckg, ckm } from "./cryptoki/constants.js";
import { ecdsaFromDer, sha256DigestInfo } from "./der.js";
import type { KeySpec, SignatureAlgorithm, SignatureFormat } from "./keys.js";
import type { HsmCore } from "./state.js";

export function mechanismOf(algorithm: SignatureAlgorithm): Mechanism {
  switch (algorithm) {
    case "rsa-pkcs1-sha256":
      return { type: ckm.rsaPkcs };
    case "rsa-pss-sha256":
      return {
        type: ckm.rsaPkcsPss,
        parameter: { kind: "pss", hash: ckm.sha256, mgf: ckg.mgf1Sha256, saltBytes: 32 },
      };
    default:
      return { type: ckm.ecdsa };
  }
}

export function toBeSigned(
  { options }: HsmCore,
  algorithm: SignatureAlgorithm,
  message: Uint8Array,
): Uint8Array {
  const hash = algorithm === "ecdsa-p384-sha384" ? "sha384" : "sha256";
  const digest = options.digest(hash, message);
  return algorithm === "rsa-pkcs1-sha256" ? sha256DigestInfo(digest) : digest;
}

/** P-256 with SHA-256 and P-384 with SHA-384 alone (policy P9). */
export function fitsKey(algorithm: SignatureAlgorithm, spec: KeySpec): boolean {
  if (spec.purpose !== "sign") return false;
  if (algorithm.startsWith("rsa-")) return spec.algorithm === "rsa";
  return spec.algorithm === "ec" && spec.bits === (algorithm === "ecdsa-p256-sha256" ? 256 : 384);
}

export function signatureBytes(spec: KeySpec): number {
  return spec.algorithm === "rsa" ? spec.bits / 8 : spec.bits / 4;
}

/** As the token has it; null when it is no signature of such a key. */
export function rawSignature(
  signature: Uint8Array,
  format: SignatureFormat,
  spec: KeySpec,
): Uint8Array | null {
  if (spec.algorithm === "ec" && format === "der") return ecdsaFromDer(signature, spec.bits / 8);
  return signature.length === signatureBytes(spec) ? signature : null;
}
