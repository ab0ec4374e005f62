/** The fake's cryptography: AES is real, the rest a toy whose halves share one secret. */
import { createCipheriv, createDecipheriv, createHash, createHmac } from "node:crypto";
import type { Mechanism } from "../../../src/core/hsm/cryptoki/calls.js";
import { ckm } from "../../../src/core/hsm/cryptoki/constants.js";

export function unwrapBytes(
  kek: Uint8Array,
  mechanism: Mechanism,
  wrapped: Uint8Array,
): Uint8Array | null {
  try {
    switch (mechanism.type) {
      case ckm.aesKeyWrapPad: {
        const decipher = createDecipheriv(
          "id-aes256-wrap-pad",
          kek,
          Buffer.from("A65959A6", "hex"),
        );
        return join(decipher.update(wrapped), decipher.final());
      }
      case ckm.aesCbcPad: {
        const decipher = createDecipheriv("aes-256-cbc", kek, bytesOf(mechanism));
        return join(decipher.update(wrapped), decipher.final());
      }
      case ckm.rsaPkcsOaep:
        return gcmOpen(kek, wrapped.subarray(0, 12), hashOf(mechanism), wrapped.subarray(12));
      case ckm.aesGcm: {
        const { iv, aad } = gcmOf(mechanism);
        if (iv !== null) return gcmOpen(kek, iv, aad, wrapped);
        return gcmOpen(kek, wrapped.subarray(0, 12), aad, wrapped.subarray(12));
      }
      default:
        return null;
    }
  } catch {
    return null;
  }
}

export function kwp(kek: Uint8Array, bytes: Uint8Array): Uint8Array {
  const cipher = createCipheriv("id-aes256-wrap-pad", kek, Buffer.from("A65959A6", "hex"));
  return join(cipher.update(bytes), cipher.final());
}

export function gcmOf(mechanism: Mechanism): { iv: Uint8Array | null; aad: Uint8Array } {
  const { parameter } = mechanism;
  if (parameter?.kind !== "gcm") return { iv: new Uint8Array(12), aad: new Uint8Array(0) };
  return { iv: parameter.iv, aad: parameter.associatedData };
}

export function hashOf({ parameter }: Mechanism): Uint8Array {
  return Uint8Array.of(parameter?.kind === "oaep" ? parameter.hash & 0xff : 0);
}

export function bytesOf(mechanism: Mechanism): Uint8Array {
  return mechanism.parameter?.kind === "bytes" ? mechanism.parameter.bytes : new Uint8Array(16);
}

export function gcmSeal(
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  data: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(aad);
  return join(cipher.update(data), cipher.final(), cipher.getAuthTag());
}

export function gcmOpen(
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  body: Uint8Array,
): Uint8Array | null {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, iv).setAAD(aad);
    decipher.setAuthTag(body.subarray(body.length - 16));
    return join(decipher.update(body.subarray(0, body.length - 16)), decipher.final());
  } catch {
    return null;
  }
}

/** As long as the real one would be. */
export function toySignature(
  secret: Uint8Array,
  mechanism: Mechanism,
  data: Uint8Array,
): Uint8Array {
  if (mechanism.type === ckm.sha256Hmac) {
    return new Uint8Array(createHmac("sha256", secret).update(data).digest());
  }
  const length = mechanism.type === ckm.ecdsa ? (data.length === 32 ? 64 : 96) : 256;
  return stretch(new Uint8Array(createHmac("sha256", secret).update(data).digest()), length);
}

export function pointOf(secret: Uint8Array, length: number): Uint8Array {
  const point = join(Uint8Array.of(4), stretch(secret, length));
  return join(Uint8Array.of(4, point.length), point);
}

export function modulusOf(secret: Uint8Array, length: number): Uint8Array {
  const modulus = stretch(secret, length);
  modulus[0] = 0xc1;
  return modulus;
}

export function stretch(seed: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += 32) {
    const block = createHash("sha256").update(seed).update(String(at)).digest();
    out.set(block.subarray(0, Math.min(32, length - at)), at);
  }
  return out;
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}
