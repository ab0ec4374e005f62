/** Keys and data under other keys, as self-describing blobs. */
import { randomBytes } from "node:crypto";
import type { WrapMechanism } from "../../../core/hsm/keys.js";
import { decodeBlob, encodeBlob, type Blob } from "../blobs.js";
import type { HeldKey } from "./held-key.js";
import {
  cbcHmacOpen,
  cbcHmacSeal,
  gcmOpen,
  gcmSeal,
  kwpUnwrap,
  kwpWrap,
  oaepDecrypt,
  oaepEncrypt,
} from "./primitives.js";
import { refusedBy, Refusal } from "./refusal.js";

const gcmIvBytes = 12;
const cbcIvBytes = 16;
const none: Uint8Array = new Uint8Array(0);

/** In the order of preference. OAEP is for RSA keys, the others are for AES keys. */
export const wrapsDefault: readonly WrapMechanism[] = ["aes-kwp", "rsa-oaep-sha256"];

/** What `SoftwareHsm` can do besides; whoever wants one of them says so. */
export const wrapsKnown: readonly WrapMechanism[] = [
  ...wrapsDefault,
  "aes-gcm",
  "rsa-oaep-sha1",
  "aes-cbc-pad-hmac",
];

/** The policy under which a mechanism that is not among those allowed is refused. */
const policyAgainst: Partial<Record<WrapMechanism, string>> = {
  "aes-gcm": "P7",
  "rsa-oaep-sha1": "P16",
  "aes-cbc-pad-hmac": "P7",
};

/** The first of `allowed` that this key can do. */
export function wrapMechanismFor(kek: HeldKey, allowed: readonly WrapMechanism[]): WrapMechanism {
  const found = allowed.find((mechanism) => isFor(mechanism, kek));
  if (found === undefined) throw new Refusal("unsupported");
  return found;
}

/** Counted with a key's encryptions where the IV is a random one of 96 bits. */
export function isCounted(mechanism: WrapMechanism): boolean {
  return mechanism === "aes-gcm";
}

export function wrapMaterial(
  kek: HeldKey,
  mechanism: WrapMechanism,
  material: Uint8Array,
): Uint8Array {
  const { iv, body } = wrapped(kek, mechanism, material);
  // Only what does not fit under an RSA modulus, or has no bytes, cannot be wrapped.
  if (body === null) throw new Refusal("unsupported");
  return encodeBlob({ mechanism, key: { id: kek.reference.id }, iv, body });
}

/** Throws one and the same error for whatever is wrong with the bytes. */
export function unwrapMaterial(
  kek: HeldKey,
  bytes: Uint8Array,
  allowed: readonly WrapMechanism[],
): Uint8Array {
  const blob = blobFor(kek, bytes);
  const { mechanism } = blob;
  if (mechanism === "data" || !isFor(mechanism, kek)) throw new Refusal("authenticationFailed");
  if (!allowed.includes(mechanism)) throw refusedBy(policyAgainst[mechanism] ?? "P7");
  return orAuthenticationFailed(unwrapped(kek, mechanism, blob));
}

export function encryptData(
  key: HeldKey,
  associatedData: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const iv = randomBytes(gcmIvBytes);
  const body = gcmSeal(key.material, iv, associatedData, plaintext);
  return encodeBlob({ mechanism: "data", key: { id: key.reference.id }, iv, body });
}

export function decryptData(
  key: HeldKey,
  associatedData: Uint8Array,
  bytes: Uint8Array,
): Uint8Array {
  const { mechanism, iv, body } = blobFor(key, bytes);
  if (mechanism !== "data") throw new Refusal("authenticationFailed");
  // An IV is no secret: that it is none of 96 bits may be told.
  if (iv.length !== gcmIvBytes) throw refusedBy("P5");
  return orAuthenticationFailed(gcmOpen(key.material, iv, associatedData, body));
}

function wrapped(
  kek: HeldKey,
  mechanism: WrapMechanism,
  material: Uint8Array,
): { readonly iv: Uint8Array; readonly body: Uint8Array | null } {
  switch (mechanism) {
    case "aes-kwp":
      return { iv: none, body: kwpWrap(kek.material, material) };
    case "rsa-oaep-sha256":
      return { iv: none, body: oaepEncrypt(kek.pair!.publicKey, "sha256", material) };
    case "rsa-oaep-sha1":
      return { iv: none, body: oaepEncrypt(kek.pair!.publicKey, "sha1", material) };
    case "aes-gcm": {
      const iv = randomBytes(gcmIvBytes);
      return { iv, body: gcmSeal(kek.material, iv, none, material) };
    }
    case "aes-cbc-pad-hmac": {
      const iv = randomBytes(cbcIvBytes);
      return { iv, body: cbcHmacSeal(kek.material, iv, material) };
    }
    case "encrypt-aes-gcm":
      throw new Refusal("unsupported");
  }
}

function unwrapped(
  { material, pair }: HeldKey,
  mechanism: WrapMechanism,
  { iv, body }: Blob,
): Uint8Array | null {
  switch (mechanism) {
    case "aes-kwp":
      return kwpUnwrap(material, body);
    case "rsa-oaep-sha256":
      return oaepDecrypt(pair!.privateKey, "sha256", body);
    case "rsa-oaep-sha1":
      return oaepDecrypt(pair!.privateKey, "sha1", body);
    case "aes-gcm":
      return iv.length === gcmIvBytes ? gcmOpen(material, iv, none, body) : null;
    case "aes-cbc-pad-hmac":
      return iv.length === cbcIvBytes ? cbcHmacOpen(material, iv, body) : null;
    case "encrypt-aes-gcm":
      return null;
  }
}

function blobFor({ reference: { id, publicDigest } }: HeldKey, bytes: Uint8Array): Blob {
  const blob = decodeBlob(bytes);
  const isOurs =
    blob !== null &&
    ("id" in blob.key ? blob.key.id === id : blob.key.publicDigest === publicDigest);
  if (!isOurs) throw new Refusal("authenticationFailed");
  return blob;
}

function isFor(mechanism: WrapMechanism, { pair }: HeldKey): boolean {
  return (pair !== null) === mechanism.startsWith("rsa-");
}

function orAuthenticationFailed(bytes: Uint8Array | null): Uint8Array {
  if (bytes === null) throw new Refusal("authenticationFailed");
  return bytes;
}
