/**
 * What a PKCS#11 module is asked, as data, and what it answers. An Init and its operation are one
 * call, and so is a whole search for objects: no call leaves an operation active on purpose. A module
 * is the token's library in a process of its own (`src/real/keys/pkcs11`) or the simulator's model of
 * one (`src/sim/hsm`); both answer calls in the order in which they came.
 */

/** Opaque, and good only in the process and until the end of the session that it came from. */
export type Handle = string;

/** `boolean` is a CK_BBOOL, `number` a CK_ULONG, an array of numbers one of CK_ULONG. */
export type AttributeValue = boolean | number | Uint8Array | readonly number[];

export interface Attribute {
  readonly type: number;
  readonly value: AttributeValue;
}

export type Template = readonly Attribute[];

export type MechanismParameter =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** `iv` null: the device makes it, and the answer begins with it. */
  | {
      readonly kind: "gcm";
      readonly iv: Uint8Array | null;
      readonly associatedData: Uint8Array;
      readonly tagBits: number;
    }
  | {
      readonly kind: "oaep";
      readonly hash: number;
      readonly mgf: number;
      readonly label: Uint8Array;
    }
  | {
      readonly kind: "pss";
      readonly hash: number;
      readonly mgf: number;
      readonly saltBytes: number;
    };

export interface Mechanism {
  readonly type: number;
  readonly parameter?: MechanismParameter;
}

export type TokenCall =
  /** C_Initialize, always with CKF_OS_LOCKING_OK. */
  | { readonly fn: "initialize" }
  | { readonly fn: "finalize" }
  /** Every slot with a token, and what its token says of itself. */
  | { readonly fn: "slots" }
  | { readonly fn: "mechanisms"; readonly slot: number }
  /** Read-write, serial. */
  | { readonly fn: "openSession"; readonly slot: number }
  | { readonly fn: "closeSession"; readonly session: Handle }
  | { readonly fn: "sessionInfo"; readonly session: Handle }
  /** CKU_USER. Whoever answers the call fetches the PIN itself, and asks the guard first. */
  | { readonly fn: "login"; readonly session: Handle }
  | { readonly fn: "logout"; readonly session: Handle }
  /** At most `max` handles. */
  | {
      readonly fn: "find";
      readonly session: Handle;
      readonly template: Template;
      readonly max: number;
    }
  | {
      readonly fn: "attributes";
      readonly session: Handle;
      readonly object: Handle;
      readonly types: readonly number[];
    }
  | {
      readonly fn: "setAttributes";
      readonly session: Handle;
      readonly object: Handle;
      readonly template: Template;
    }
  | { readonly fn: "createObject"; readonly session: Handle; readonly template: Template }
  | { readonly fn: "destroyObject"; readonly session: Handle; readonly object: Handle }
  | {
      readonly fn: "generateKey";
      readonly session: Handle;
      readonly mechanism: Mechanism;
      readonly template: Template;
    }
  | {
      readonly fn: "generateKeyPair";
      readonly session: Handle;
      readonly mechanism: Mechanism;
      readonly publicTemplate: Template;
      readonly privateTemplate: Template;
    }
  | {
      readonly fn: "encrypt" | "decrypt" | "sign";
      readonly session: Handle;
      readonly mechanism: Mechanism;
      readonly key: Handle;
      readonly data: Uint8Array;
    }
  | {
      readonly fn: "verify";
      readonly session: Handle;
      readonly mechanism: Mechanism;
      readonly key: Handle;
      readonly data: Uint8Array;
      readonly signature: Uint8Array;
    }
  | {
      readonly fn: "wrapKey";
      readonly session: Handle;
      readonly mechanism: Mechanism;
      readonly wrappingKey: Handle;
      readonly key: Handle;
    }
  | {
      readonly fn: "unwrapKey";
      readonly session: Handle;
      readonly mechanism: Mechanism;
      readonly unwrappingKey: Handle;
      readonly wrapped: Uint8Array;
      readonly template: Template;
    }
  | { readonly fn: "generateRandom"; readonly session: Handle; readonly lengthBytes: number };

export type TokenFunction = TokenCall["fn"];

export interface SlotDescription {
  readonly slot: number;
  readonly label: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly serial: string;
  /** CKF_ of CK_TOKEN_INFO. */
  readonly flags: number;
}

export interface MechanismDescription {
  readonly type: number;
  readonly minKeySize: number;
  readonly maxKeySize: number;
  /** CKF_ of CK_MECHANISM_INFO. */
  readonly flags: number;
}

/** What each call gives when it answers `ckr.ok`. */
export interface TokenValues {
  readonly initialize: null;
  readonly finalize: null;
  readonly slots: readonly SlotDescription[];
  readonly mechanisms: readonly MechanismDescription[];
  readonly openSession: Handle;
  readonly closeSession: null;
  readonly sessionInfo: { readonly slot: number; readonly state: number };
  readonly login: null;
  readonly logout: null;
  readonly find: readonly Handle[];
  /** In the order asked. Raw bytes as the token gave them: whole numbers and booleans too. */
  readonly attributes: readonly Uint8Array[];
  readonly setAttributes: null;
  readonly createObject: Handle;
  readonly destroyObject: null;
  readonly generateKey: Handle;
  readonly generateKeyPair: { readonly publicKey: Handle; readonly privateKey: Handle };
  readonly encrypt: Uint8Array;
  readonly decrypt: Uint8Array;
  readonly sign: Uint8Array;
  readonly verify: null;
  readonly wrapKey: Uint8Array;
  readonly unwrapKey: Handle;
  readonly generateRandom: Uint8Array;
}

export type TokenAnswer<Fn extends TokenFunction = TokenFunction> =
  | { readonly rv: 0; readonly value: TokenValues[Fn] }
  /** A CKR_ other than CKR_OK, or one of `noCall`. */
  | { readonly rv: number; readonly value: null };

/** Answers of the module's own process: the token was not asked. */
export const noCall = {
  /** The guard knows this PIN for one that this token has rejected. */
  pinGuarded: -1,
  /** No PIN came from where it was to come from. */
  pinMissing: -2,
  /** The call is none that can be made: a handle or parameter of the wrong shape. */
  malformed: -3,
} as const;
