/**
 * Holds data keys by id, seals and opens with them at once, and never shows one. The cipher of the
 * real world is XAES-256-GCM (C2SP): the nonce of 192 bits is made inside, a random prefix for each
 * boot and a count, so that no key and nonce ever meet two messages.
 */

/** 16 random bytes as lower-case hex: what a data key is called in logs and records. */
export type DataKeyId = string & { readonly brand: "DataKeyId" };

export interface Aead {
  /** What a seal adds to a plaintext: nonce and tag, 40 bytes of XAES-256-GCM. */
  readonly sealBytes: number;
  /** Makes a data key of 32 bytes from the system's generator and holds it. */
  generate(): DataKeyId;
  holds(key: DataKeyId): boolean;
  /** Nonce, ciphertext and tag. Only for a key that is held. */
  seal(key: DataKeyId, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Null: not sealed by this key over these bytes. Only for a key that is held. */
  open(key: DataKeyId, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | null;
  /**
   * The data key for whoever has the private half of `publicKey` (SubjectPublicKeyInfo, DER), as a
   * blob that the owner's `Hsm` unwraps. Null: that is no key which can be used. Only for a key that
   * is held.
   */
  wrapFor(key: DataKeyId, publicKey: Uint8Array): Uint8Array | null;
  /** Wipes it; an unknown id is no error. */
  drop(key: DataKeyId): void;
}
