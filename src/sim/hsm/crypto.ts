/**
 * The cryptography of a simulated token. Keys are what their attributes say; parameters and lengths
 * of a mechanism were checked before, as far as the profile decides them. All chance is `random`'s.
 */
import type { Mechanism } from "../../core/hsm/cryptoki/calls.js";
import type { ObjectAttributes } from "./attribute-bytes.js";

export type Random = (count: number) => Uint8Array;

/** Bytes, or the CKR_ that refuses. */
export type CryptoAnswer = Uint8Array | number;

export interface PairMaterial {
  readonly publicKey: ObjectAttributes;
  readonly privateKey: ObjectAttributes;
}

export interface TokenCrypto {
  /** RSA of so many bits; null: none of that size can be made. */
  rsaPair(bits: number, random: Random): PairMaterial | null;
  /** `parameters`: CKA_EC_PARAMS; null: an unknown curve. */
  ecPair(parameters: Uint8Array, random: Random): PairMaterial | null;
  encrypt(
    mechanism: Mechanism,
    key: ObjectAttributes,
    data: Uint8Array,
    random: Random,
  ): CryptoAnswer;
  decrypt(mechanism: Mechanism, key: ObjectAttributes, data: Uint8Array): CryptoAnswer;
  sign(mechanism: Mechanism, key: ObjectAttributes, data: Uint8Array, random: Random): CryptoAnswer;
  /** A CKR_. */
  verify(
    mechanism: Mechanism,
    key: ObjectAttributes,
    data: Uint8Array,
    signature: Uint8Array,
  ): number;
  wrap(
    mechanism: Mechanism,
    key: ObjectAttributes,
    bytes: Uint8Array,
    random: Random,
  ): CryptoAnswer;
  unwrap(mechanism: Mechanism, key: ObjectAttributes, wrapped: Uint8Array): CryptoAnswer;
  /** CKA_CHECK_VALUE of a secret: three bytes. */
  checkValue(isAes: boolean, secret: Uint8Array): Uint8Array;
  /** A private key as it is wrapped (PKCS #8); null: not one of this kind. */
  privateBytes(key: ObjectAttributes): Uint8Array | null;
  /** What `privateBytes` made, as attributes; null: it is none. */
  privateKeyOf(keyType: number, bytes: Uint8Array): ObjectAttributes | null;
}
