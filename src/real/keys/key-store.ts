/** What people import. Every promise is rejected with a `KeyStoreError`, and with nothing else. */
import type {
  KeyDescription,
  KeyName,
  KeyReference,
  KeySpec,
  SignatureAlgorithm,
  SignatureFormat,
} from "../../core/hsm/keys.js";
import type { Capability, HsmError, HsmErrorCode, HsmHealth } from "../../core/ports/hsm.js";

export interface KeyStore {
  /** Makes the key inside. With `ifMissing` an equal key of that name is the answer too. */
  generate(
    name: KeyName,
    spec: KeySpec,
    options?: { readonly ifMissing?: boolean },
  ): Promise<KeyDescription>;
  /** Rejected with `notFound`, or with `ambiguous` when more than one key has that name. */
  find(name: KeyName): Promise<KeyDescription>;
  /** All keys, or every version of one label. */
  list(label?: string): Promise<readonly KeyDescription[]>;
  /** `format` is of ECDSA only; `der` unless given. */
  sign(
    key: KeyReference,
    algorithm: SignatureAlgorithm,
    message: Uint8Array,
    format?: SignatureFormat,
  ): Promise<Uint8Array>;
  verify(
    key: KeyReference,
    algorithm: SignatureAlgorithm,
    message: Uint8Array,
    signature: Uint8Array,
    format?: SignatureFormat,
  ): Promise<boolean>;
  /** AES-256-GCM; gives a self-describing blob. */
  encrypt(
    key: KeyReference,
    plaintext: Uint8Array,
    associatedData?: Uint8Array,
  ): Promise<Uint8Array>;
  /** Rejected with `authenticationFailed`, whatever is wrong. */
  decrypt(key: KeyReference, blob: Uint8Array, associatedData?: Uint8Array): Promise<Uint8Array>;
  /** For administrators; a tombstone stays, so that the name is never used again. */
  delete(key: KeyReference, admin: AdminCapability): Promise<void>;
  capabilities(): Promise<readonly Capability[]>;
  health(): Promise<HsmHealth>;
  /** Ends sessions and processes; what waits is rejected. */
  close(): Promise<void>;
}

export interface EnvelopeKeyStore extends KeyStore {
  wrap(kek: KeyReference, material: KeyReference | Uint8Array): Promise<Uint8Array>;
  /** A key inside the store, that lives until the store is closed. */
  unwrapToKey(
    kek: KeyReference,
    blob: Uint8Array,
    name: KeyName,
    spec: KeySpec,
  ): Promise<KeyDescription>;
  unwrapToBytes(kek: KeyReference, blob: Uint8Array): Promise<Uint8Array>;
}

/** Handed out by the maker of a store to whoever may delete keys. */
export interface AdminCapability {
  readonly secret: string;
}

export class KeyStoreError extends Error {
  readonly code: HsmErrorCode;
  readonly rv: number;
  readonly policy: string | null;

  constructor(error: HsmError) {
    super(`${error.during}: ${error.code}${error.rv === 0 ? "" : ` (0x${error.rv.toString(16)})`}`);
    this.name = "KeyStoreError";
    this.code = error.code;
    this.rv = error.rv;
    this.policy = error.policy;
  }
}
