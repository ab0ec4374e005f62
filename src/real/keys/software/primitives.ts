/**
 * The mechanisms themselves, as node:crypto does them: any key and parameter that the standard knows,
 * and no policy. What users reach is above this, in `SoftwareHsm`; test vectors are run on both.
 *
 * Whatever is wrong with what comes in, the answer is null: no error tells one failure from another.
 */
import {
  type CipherGCMTypes,
  constants,
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  sign,
  timingSafeEqual,
  verify,
  type SigningOptions,
} from "node:crypto";
import type { SignatureAlgorithm, SignatureFormat } from "../../../core/hsm/keys.js";

export const gcmTagBytes = 16;

/** Ciphertext and tag. AES-128, 192 or 256 by the key's length. */
export function gcmSeal(
  key: Uint8Array,
  iv: Uint8Array,
  associatedData: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(gcmOf(key), key, iv);
  cipher.setAAD(associatedData);
  return joined(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

export function gcmOpen(
  key: Uint8Array,
  iv: Uint8Array,
  associatedData: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | null {
  const length = sealed.length - gcmTagBytes;
  if (length < 0) return null;
  return orNull(() => {
    const options = { authTagLength: gcmTagBytes };
    const decipher = createDecipheriv(gcmOf(key), key, iv, options);
    decipher.setAAD(associatedData);
    decipher.setAuthTag(sealed.subarray(length));
    const plaintext = decipher.update(sealed.subarray(0, length));
    try {
      decipher.final();
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
    return plaintext;
  });
}

/** The alternative initial value of RFC 5649 section 3. */
const kwpInitialValue = Uint8Array.of(0xa6, 0x59, 0x59, 0xa6);
const semiblockBytes = 8;

/** AES key wrap with padding (RFC 5649, SP 800-38F). Null: nothing to wrap. */
export function kwpWrap(key: Uint8Array, material: Uint8Array): Uint8Array | null {
  if (material.length === 0) return null;
  const cipher = createCipheriv(`id-aes${bitsOf(key)}-wrap-pad`, key, kwpInitialValue);
  return joined(cipher.update(material), cipher.final());
}

export function kwpUnwrap(key: Uint8Array, wrapped: Uint8Array): Uint8Array | null {
  if (wrapped.length < 2 * semiblockBytes || wrapped.length % semiblockBytes !== 0) return null;
  return orNull(() => {
    const decipher = createDecipheriv(`id-aes${bitsOf(key)}-wrap-pad`, key, kwpInitialValue);
    return joined(decipher.update(wrapped), decipher.final());
  });
}

/** CBC with the padding of PKCS#7. Alone it hides, and proves nothing: see `cbcHmacSeal`. */
export function cbcPadEncrypt(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(`aes-${bitsOf(key)}-cbc`, key, iv);
  return joined(cipher.update(plaintext), cipher.final());
}

export function cbcPadDecrypt(
  key: Uint8Array,
  iv: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array | null {
  return orNull(() => {
    const decipher = createDecipheriv(`aes-${bitsOf(key)}-cbc`, key, iv);
    return joined(decipher.update(ciphertext), decipher.final());
  });
}

export const hmacBytes = 32;

/** Ciphertext, and HMAC-SHA-256 over associated data, IV and ciphertext; a key of its own for each. */
export function cbcHmacSeal(
  key: Uint8Array,
  iv: Uint8Array,
  associatedData: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const keys = cbcHmacKeys(key);
  const ciphertext = cbcPadEncrypt(keys.encryption, iv, plaintext);
  const sealed = joined(ciphertext, hmac(keys.authentication, associatedData, iv, ciphertext));
  wipe(keys.encryption, keys.authentication);
  return sealed;
}

export function cbcHmacOpen(
  key: Uint8Array,
  iv: Uint8Array,
  associatedData: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | null {
  const length = sealed.length - hmacBytes;
  if (length < 0) return null;
  const keys = cbcHmacKeys(key);
  const ciphertext = sealed.subarray(0, length);
  const expected = hmac(keys.authentication, associatedData, iv, ciphertext);
  // Before anything is decrypted: what is not ours must not reach the padding.
  const genuine = timingSafeEqual(expected, sealed.subarray(length));
  const plaintext = genuine ? cbcPadDecrypt(keys.encryption, iv, ciphertext) : null;
  wipe(keys.encryption, keys.authentication);
  return plaintext;
}

function cbcHmacKeys(key: Uint8Array): { encryption: Uint8Array; authentication: Uint8Array } {
  const derive = (info: string): Uint8Array =>
    new Uint8Array(hkdfSync("sha256", key, new Uint8Array(0), info, 32));
  return { encryption: derive("aes-cbc-pad"), authentication: derive("hmac-sha256") };
}

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

export type OaepHash = "sha1" | "sha256";

/** MGF1 with the same hash. Null: more than the modulus can hold. */
export function oaepEncrypt(
  publicKey: KeyObject,
  hash: OaepHash,
  material: Uint8Array,
): Uint8Array | null {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return orNull(() => publicEncrypt({ key: publicKey, padding, oaepHash: hash }, material));
}

export function oaepDecrypt(
  privateKey: KeyObject,
  hash: OaepHash,
  ciphertext: Uint8Array,
  label: Uint8Array = new Uint8Array(0),
): Uint8Array | null {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const key = { key: privateKey, padding, oaepHash: hash, oaepLabel: label };
  return orNull(() => privateDecrypt(key, ciphertext));
}

/** RSA-PSS has MGF1 of the same hash, and a salt as long as the hash. */
export function signMessage(
  privateKey: KeyObject,
  algorithm: SignatureAlgorithm,
  format: SignatureFormat,
  message: Uint8Array,
): Promise<Uint8Array | null> {
  const key = { key: privateKey, ...signing(algorithm, format) };
  // In a thread of its own: an RSA signature takes milliseconds.
  return new Promise((settle) => {
    sign(hashOf(algorithm), message, key, (error, signature) => {
      settle(error === null ? plain(signature) : null);
    });
  });
}

export function verifyMessage(
  publicKey: KeyObject,
  algorithm: SignatureAlgorithm,
  format: SignatureFormat,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  // OpenSSL takes one without its leading zeros; RFC 8017, sections 8.1.2 and 8.2.2, does not.
  const { modulusLength } = publicKey.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined && signature.length !== Math.ceil(modulusLength / 8))
    return false;
  const key = { key: publicKey, ...signing(algorithm, format) };
  return orNull(() => verify(hashOf(algorithm), message, key, signature)) ?? false;
}

function signing(algorithm: SignatureAlgorithm, format: SignatureFormat): SigningOptions {
  switch (algorithm) {
    case "rsa-pkcs1-sha256":
      return { padding: constants.RSA_PKCS1_PADDING };
    case "rsa-pss-sha256":
      return {
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      };
    default:
      return { dsaEncoding: format === "raw" ? "ieee-p1363" : "der" };
  }
}

function hashOf(algorithm: SignatureAlgorithm): "sha256" | "sha384" {
  return algorithm === "ecdsa-p384-sha384" ? "sha384" : "sha256";
}

export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}

function gcmOf(key: Uint8Array): CipherGCMTypes {
  return `aes-${bitsOf(key)}-gcm` as CipherGCMTypes;
}

function bitsOf(key: Uint8Array): number {
  return key.length * 8;
}

/** The parts may be secret, and are wiped. */
function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
    wipe(part);
  }
  return whole;
}

function plain(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  wipe(bytes);
  return copy;
}

function orNull<T extends Uint8Array | boolean>(act: () => T): T | null {
  try {
    const result = act();
    return result instanceof Uint8Array ? (plain(result) as T) : result;
  } catch {
    return null;
  }
}
