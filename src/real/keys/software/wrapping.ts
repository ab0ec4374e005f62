/** Keys and data under other keys, as self-describing blobs. */
import { createHash, randomBytes } from "node:crypto";
import { equalBytes } from "../../../core/bytes.js";
import {
  blobHead,
  decodeBlob,
  encodeBlob,
  encodeHead,
  isUnder,
  ivBytesOf,
  type Blob,
  type BlobHead,
} from "../../../core/hsm/blob.js";
import type { WrapMechanism } from "../../../core/hsm/keys.js";
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

const none: Uint8Array = new Uint8Array(0);

/** In the order of preference. OAEP is for RSA keys, the others are for AES keys. */
export const wrapsDefault: readonly WrapMechanism[] = ["aes-kwp", "rsa-oaep-sha256"];

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
  const head = blobHead(mechanism, "secret", kek.reference, sha256(none));
  const iv = randomBytes(ivBytesOf(mechanism));
  const body = wrapped(kek, head, iv, material);
  // Only what does not fit under an RSA modulus, or has no bytes, cannot be wrapped.
  if (body === null) throw new Refusal("unsupported");
  return encodeBlob({ ...head, iv, body });
}

/** Throws one and the same error for whatever is wrong with the bytes. */
export function unwrapMaterial(
  kek: HeldKey,
  bytes: Uint8Array,
  allowed: readonly WrapMechanism[],
): Uint8Array {
  const blob = blobUnder(kek, bytes, "secret", none);
  const { mechanism } = blob;
  if (!isFor(mechanism, kek)) throw new Refusal("authenticationFailed");
  // The mechanism stands in the blob for everyone to read: that it is refused tells nothing.
  if (!allowed.includes(mechanism)) throw refusedBy(policyAgainst[mechanism] ?? "P7");
  return orAuthenticationFailed(unwrapped(kek, blob));
}

const dataMechanism = "encrypt-aes-gcm";

export function encryptData(
  key: HeldKey,
  associatedData: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const head = blobHead(dataMechanism, "data", key.reference, sha256(associatedData));
  const iv = randomBytes(ivBytesOf(dataMechanism));
  return encodeBlob({ ...head, iv, body: gcmSeal(key.material, iv, encodeHead(head), plaintext) });
}

export function decryptData(
  key: HeldKey,
  associatedData: Uint8Array,
  bytes: Uint8Array,
): Uint8Array {
  const blob = blobUnder(key, bytes, "data", associatedData);
  return orAuthenticationFailed(gcmOpen(key.material, blob.iv, encodeHead(blob), blob.body));
}

function wrapped(
  { material: key, pair }: HeldKey,
  head: BlobHead,
  iv: Uint8Array,
  material: Uint8Array,
): Uint8Array | null {
  switch (head.mechanism) {
    case "aes-kwp":
      return kwpWrap(key, material);
    case "rsa-oaep-sha256":
      return oaepEncrypt(pair!.publicKey, "sha256", material);
    case "rsa-oaep-sha1":
      return oaepEncrypt(pair!.publicKey, "sha1", material);
    case "aes-gcm":
      return gcmSeal(key, iv, encodeHead(head), material);
    case "aes-cbc-pad-hmac":
      return cbcHmacSeal(key, iv, encodeHead(head), material);
    case dataMechanism:
      return null;
  }
}

function unwrapped({ material: key, pair }: HeldKey, blob: Blob): Uint8Array | null {
  const { iv, body } = blob;
  switch (blob.mechanism) {
    case "aes-kwp":
      return kwpUnwrap(key, body);
    case "rsa-oaep-sha256":
      return oaepDecrypt(pair!.privateKey, "sha256", body);
    case "rsa-oaep-sha1":
      return oaepDecrypt(pair!.privateKey, "sha1", body);
    case "aes-gcm":
      return gcmOpen(key, iv, encodeHead(blob), body);
    case "aes-cbc-pad-hmac":
      return cbcHmacOpen(key, iv, encodeHead(blob), body);
    case dataMechanism:
      return null;
  }
}

function blobUnder(
  key: HeldKey,
  bytes: Uint8Array,
  content: Blob["content"],
  associatedData: Uint8Array,
): Blob {
  const blob = decodeBlob(bytes);
  const fits =
    blob !== null &&
    blob.content === content &&
    isUnder(blob, key.reference) &&
    equalBytes(blob.associated, sha256(associatedData));
  if (!fits) throw new Refusal("authenticationFailed");
  return blob;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

function isFor(mechanism: WrapMechanism, { pair }: HeldKey): boolean {
  return (pair !== null) === mechanism.startsWith("rsa-");
}

function orAuthenticationFailed(bytes: Uint8Array | null): Uint8Array {
  if (bytes === null) throw new Refusal("authenticationFailed");
  return bytes;
}
