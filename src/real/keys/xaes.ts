/**
 * XAES-256-GCM (c2sp.org/XAES-256-GCM): a key for each message is derived from the first half of a
 * nonce of 192 bits by CMAC (SP 800-108 in counter mode over SP 800-38B), and AES-256-GCM takes that key
 * and the second half.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";

export const xaesKeyBytes = 32;
export const xaesNonceBytes = 24;
export const xaesTagBytes = 16;

const half = 12;
const blockBytes = 16;
/** SP 800-38B: x^128 + x^7 + x^2 + x + 1, without its first term. */
const reduction = 0b1000_0111;
/** The label of the derivation, ASCII `X`. */
const label = 0x58;
const zeroBlock = new Uint8Array(blockBytes);

/** One key, ready for many messages: its CMAC subkey is computed once. */
export class Xaes {
  readonly #key: Uint8Array;
  readonly #subkey: Uint8Array;

  /** `key` is copied: 32 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== xaesKeyBytes) throw new RangeError("a key of XAES-256-GCM has 32 bytes");
    this.#key = new Uint8Array(key);
    this.#subkey = cmacSubkey(this.#blocks(zeroBlock));
  }

  /** Ciphertext and tag. Never twice with the same nonce. */
  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const derived = this.#derive(nonce);
    const cipher = createCipheriv("aes-256-gcm", derived, nonce.subarray(half));
    derived.fill(0);
    cipher.setAAD(associatedData);
    const sealed = new Uint8Array(plaintext.length + xaesTagBytes);
    sealed.set(cipher.update(plaintext));
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  }

  /** Null unless it was sealed by this key and nonce over these bytes. */
  open(nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const length = sealed.length - xaesTagBytes;
    if (length < 0 || nonce.length !== xaesNonceBytes) return null;
    const derived = this.#derive(nonce);
    const options = { authTagLength: xaesTagBytes };
    const decipher = createDecipheriv("aes-256-gcm", derived, nonce.subarray(half), options);
    derived.fill(0);
    decipher.setAAD(associatedData);
    decipher.setAuthTag(sealed.subarray(length));
    const plaintext = decipher.update(sealed.subarray(0, length));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      return null;
    }
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  }

  wipe(): void {
    this.#key.fill(0);
    this.#subkey.fill(0);
  }

  #derive(nonce: Uint8Array): Uint8Array {
    if (nonce.length !== xaesNonceBytes) {
      throw new RangeError("a nonce of XAES-256-GCM has 24 bytes");
    }
    const messages = new Uint8Array(2 * blockBytes);
    for (const counter of [1, 2]) {
      const block = messages.subarray((counter - 1) * blockBytes, counter * blockBytes);
      block.set([0, counter, label, 0]);
      block.set(nonce.subarray(0, half), 4);
      for (let at = 0; at < blockBytes; at++) block[at]! ^= this.#subkey[at]!;
    }
    return this.#blocks(messages);
  }

  /** Each block by AES-256 alone: here ECB hides nothing, for a block is never a message. */
  #blocks(bytes: Uint8Array): Uint8Array {
    return createCipheriv("aes-256-ecb", this.#key, null).setAutoPadding(false).update(bytes);
  }
}

/** K1 of SP 800-38B section 6.1, of the encrypted zero block. */
function cmacSubkey(encryptedZeros: Uint8Array): Uint8Array {
  const subkey = new Uint8Array(blockBytes);
  for (let at = 0; at < blockBytes; at++) {
    subkey[at] = (encryptedZeros[at]! << 1) | ((encryptedZeros[at + 1] ?? 0) >>> 7);
  }
  if (encryptedZeros[0]! >= 0x80) subkey[blockBytes - 1]! ^= reduction;
  return subkey;
}
