/** Checks of an `Hsm`: signatures. */
import { createPublicKey, verify } from "node:crypto";
import { expect } from "vitest";
import type { KeySpec, SignatureAlgorithm, SignatureFormat } from "../../src/core/hsm/keys.js";
import {
  rsaSign,
  p256,
  p384,
  none,
  text,
  value,
  generate,
  keyOf,
  bytesOf,
  type HsmCheck,
} from "./hsm-kit.js";

export const signatures: readonly {
  readonly algorithm: SignatureAlgorithm;
  readonly spec: KeySpec;
  readonly hash: string;
  readonly rawBytes: number;
}[] = [
  { algorithm: "rsa-pkcs1-sha256", spec: rsaSign, hash: "sha256", rawBytes: 256 },
  { algorithm: "rsa-pss-sha256", spec: rsaSign, hash: "sha256", rawBytes: 256 },
  { algorithm: "ecdsa-p256-sha256", spec: p256, hash: "sha256", rawBytes: 64 },
  { algorithm: "ecdsa-p384-sha384", spec: p384, hash: "sha384", rawBytes: 96 },
];

/** By OpenSSL in this process, which knows nothing of the HSM. */
function isSigned(
  publicKey: Uint8Array,
  { algorithm, hash }: (typeof signatures)[number],
  format: SignatureFormat,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
  const padding = { "rsa-pkcs1-sha256": 1, "rsa-pss-sha256": 6 }[algorithm as string];
  const options = algorithm.startsWith("rsa")
    ? { padding: padding!, saltLength: 32 }
    : { dsaEncoding: format === "raw" ? ("ieee-p1363" as const) : ("der" as const) };
  const pkcs1 = algorithm === "rsa-pkcs1-sha256" ? { padding: 1 } : options;
  return verify(hash, message, { key, ...pkcs1 }, signature);
}

export const signing: HsmCheck[] = signatures.map((each) => ({
  name: `sign: ${each.algorithm}, and verify nothing else`,
  check: async (subject) => {
    const { algorithm, spec, rawBytes } = each;
    const { reference: key, publicKey } = await generate(subject, spec);
    const other = await keyOf(subject, spec);
    const message = text("what is signed is the message, never a digest");
    for (const format of ["der", "raw"] as const) {
      const request = { key, algorithm, format, message };
      const signature = await bytesOf(subject, { kind: "sign", ...request });
      if (format === "raw") expect(signature.length).toBe(rawBytes);
      expect(isSigned(publicKey!, each, format, message, signature)).toBe(true);
      const verified = async (changes: object): Promise<boolean> =>
        (await value(subject, { kind: "verify", ...request, signature, ...changes }, "verified"))
          .valid;
      expect(await verified({})).toBe(true);
      expect(await verified({ message: text("another") })).toBe(false);
      expect(await verified({ key: other })).toBe(false);
      for (const at of [0, 1, 5, signature.length - 1]) {
        expect(await verified({ signature: signature.with(at, signature[at]! ^ 1) })).toBe(false);
      }
      for (const wrong of [none, signature.subarray(1), Uint8Array.of(...signature, 0)]) {
        expect(await verified({ signature: wrong })).toBe(false);
      }
    }
  },
}));
