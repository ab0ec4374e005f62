/** What keys are called and what is asked of them, whoever keeps them. */

export type KeyAlgorithm = "aes" | "rsa" | "ec";

/** One for each key (SP 800-57 part 1, section 5.2): `wrap` includes unwrap, `sign` verify. */
export type KeyPurpose = "wrap" | "encrypt" | "sign";

export interface KeySpec {
  readonly algorithm: KeyAlgorithm;
  /** AES 256; RSA 2,048, 3,072 or 4,096; EC 256 (P-256) or 384 (P-384). */
  readonly bits: number;
  readonly purpose: KeyPurpose;
  /** False: sensitive and never extractable, made inside and read back to prove it. */
  readonly exportable: boolean;
}

/** What a person calls a key. `version` counts from 1; a rotation makes the next one. */
export interface KeyName {
  /** 1 to 48 of A-Z, a-z, 0-9, `_` and `-`: what every vendor's labels can hold. */
  readonly label: string;
  readonly version: number;
}

/**
 * A key as it may be written down: never a handle. Whoever keeps the key finds it by `id` and checks
 * that what was found is what is expected here.
 */
export interface KeyReference extends KeyName {
  /** CKA_ID: 16 random bytes as lower-case hex, never used twice. */
  readonly id: string;
  readonly spec: KeySpec;
  /** SHA-256 of the public key (SubjectPublicKeyInfo) as hex; null for a secret key. */
  readonly publicDigest: string | null;
}

/** What the keeper says of a key that it has. */
export interface KeyDescription {
  readonly reference: KeyReference;
  /** SubjectPublicKeyInfo, DER; null for a secret key. */
  readonly publicKey: Uint8Array | null;
  /** As read back from the token; null where it does not tell. */
  readonly attributes: KeyAttributes;
}

export interface KeyAttributes {
  readonly token: boolean | null;
  readonly private: boolean | null;
  readonly sensitive: boolean | null;
  readonly extractable: boolean | null;
  readonly alwaysSensitive: boolean | null;
  readonly neverExtractable: boolean | null;
  /** Made inside the token. */
  readonly local: boolean | null;
  /** CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP, CKA_SIGN, CKA_VERIFY by their short names. */
  readonly uses: readonly KeyUse[];
}

export type KeyUse = "encrypt" | "decrypt" | "wrap" | "unwrap" | "sign" | "verify";

/** With its hash, always: a caller hands over the message, never a digest. */
export type SignatureAlgorithm =
  "rsa-pkcs1-sha256" | "rsa-pss-sha256" | "ecdsa-p256-sha256" | "ecdsa-p384-sha384";

/** Of ECDSA: `der` as in X.509 (RFC 3279), `raw` is r and s side by side (IEEE P1363). */
export type SignatureFormat = "der" | "raw";

export type WrapMechanism =
  | "aes-kwp"
  | "aes-gcm"
  | "rsa-oaep-sha256"
  /** Where a token can do no better (policy P16). */
  | "rsa-oaep-sha1"
  /** With HMAC-SHA-256 over IV and ciphertext. */
  | "aes-cbc-pad-hmac"
  /** C_Encrypt of the key's bytes by AES-GCM, where a token has no C_WrapKey. */
  | "encrypt-aes-gcm";
