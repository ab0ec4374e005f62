/** What works here, found out by doing it, as with any token. */
import { createHash, randomBytes } from "node:crypto";
import type { SignatureAlgorithm, WrapMechanism } from "../../../core/hsm/keys.js";
import type { Capability } from "../../../core/ports/hsm.js";
import { keyOfMaterial, makeMaterial, newKeyId, type HeldKey } from "./held-key.js";
import { gcmOpen, gcmSeal, signMessage, verifyMessage } from "./primitives.js";
import { unwrapMaterial, wrapMaterial } from "./wrapping.js";

const signatures: readonly (readonly [SignatureAlgorithm, "rsa" | "p256" | "p384"])[] = [
  ["rsa-pkcs1-sha256", "rsa"],
  ["rsa-pss-sha256", "rsa"],
  ["ecdsa-p256-sha256", "p256"],
  ["ecdsa-p384-sha384", "p384"],
];

/** With keys made for it, which nobody sees. RSA takes some tenths of a second. */
export async function tryCapabilities(wraps: readonly WrapMechanism[]): Promise<Capability[]> {
  const found: Capability[] = [];
  const attempt = async (name: string, act: () => Promise<boolean> | boolean): Promise<void> => {
    const works = await Promise.resolve()
      .then(act)
      .catch(() => false);
    const atUs = Math.round(performance.now() * 1_000);
    found.push({ name, works, rv: 0, atUs });
  };
  const keys = {
    aes: await trialKey("aes", 256, "wrap"),
    rsa: await trialKey("rsa", 2_048, "wrap"),
    p256: await trialKey("ec", 256, "sign"),
    p384: await trialKey("ec", 384, "sign"),
  };
  const message = new Uint8Array(randomBytes(32));
  await attempt("encrypt aes-gcm", isGcmRight);
  for (const mechanism of wraps) {
    const kek = mechanism.startsWith("rsa-") ? keys.rsa : keys.aes;
    await attempt(`wrap ${mechanism}`, () => {
      const back = unwrapMaterial(kek, wrapMaterial(kek, mechanism, message), wraps);
      return Buffer.from(back).equals(message);
    });
  }
  for (const [algorithm, keyName] of signatures) {
    await attempt(`sign ${algorithm}`, () => isSignatureRight(keys[keyName], algorithm, message));
  }
  for (const { material } of Object.values(keys)) material.fill(0);
  return found;
}

async function isSignatureRight(
  { pair }: HeldKey,
  algorithm: SignatureAlgorithm,
  message: Uint8Array,
): Promise<boolean> {
  const signature = await signMessage(pair!.privateKey, algorithm, "der", message);
  if (signature === null) return false;
  const verified = (over: Uint8Array): boolean =>
    verifyMessage(pair!.publicKey, algorithm, "der", over, signature);
  return verified(message) && !verified(message.subarray(1));
}

/**
 * Known answers: test case 14 of the GCM submission (McGrew and Viega), AES-256 of zeros, and SHA-256 of
 * `abc` (FIPS 180).
 */
const gcmKnown = "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919";
const sha256Known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

export function isGcmRight(): boolean {
  const key = new Uint8Array(32);
  const iv = new Uint8Array(12);
  const none = new Uint8Array(0);
  const sealed = gcmSeal(key, iv, none, new Uint8Array(16));
  const opened = gcmOpen(key, iv, none, sealed);
  const changed = sealed.with(0, sealed[0]! ^ 1);
  return (
    Buffer.from(sealed).toString("hex") === gcmKnown &&
    opened !== null &&
    opened.length === 16 &&
    opened.every((byte) => byte === 0) &&
    gcmOpen(key, iv, none, changed) === null &&
    createHash("sha256").update("abc").digest("hex") === sha256Known
  );
}

async function trialKey(
  algorithm: "aes" | "rsa" | "ec",
  bits: number,
  purpose: "wrap" | "sign",
): Promise<HeldKey> {
  const spec = { algorithm, bits, purpose, exportable: false };
  const material = await makeMaterial(spec);
  const name = { label: "trial", version: 1 };
  const origin = { id: newKeyId(), name, spec, createdMs: 0, permanent: false, local: true };
  const key = keyOfMaterial(origin, material)!;
  material.fill(0);
  return key;
}
