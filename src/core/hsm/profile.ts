/**
 * What is known of a vendor's PKCS#11 module beforehand. A profile speeds up and guards; what the
 * token really does is found by trial, and any field can be overridden.
 */
import type { WrapMechanism } from "./keys.js";

export interface VendorProfile {
  readonly vendor: VendorName;
  /** For people. */
  readonly title: string;
  /** Where the library is looked for, in this order. */
  readonly libraryPaths: readonly string[];
  /** Variables of the environment that its library reads. */
  readonly environment: readonly string[];
  /** What the PIN looks like: `pin`, `user:password`, or four hex digits of a key id and a password. */
  readonly pinFormat: "pin" | "user-password" | "key-id-password" | "ignored";
  readonly login: "required" | "optional" | "none";
  readonly lockOut: LockOut | null;
  /** Who makes the IV of AES-GCM. */
  readonly gcmIv: "caller" | "written-back" | "prepended";
  readonly gcmMechanism: number;
  /** In the order of preference; trials decide. */
  readonly wraps: readonly WrapMechanism[];
  /** Numbers under which AES-KWP may be known, in the order to try. */
  readonly keyWrapPadMechanisms: readonly number[];
  /** CKA_VALUE_LEN in the template of C_UnwrapKey. */
  readonly valueLenOnUnwrap: "forbidden" | "required" | "either";
  readonly uniqueLabels: boolean;
  /** Keys are seen as they were at C_Initialize. */
  readonly snapshotsObjects: boolean;
  /** What other processes made before a write of this one may not be seen until C_Initialize. */
  readonly ownWritesHideOthers: boolean;
  /** The only attributes that a template of generation may hold; null: any. */
  readonly generateAttributes: readonly number[] | null;
  /** Return values that mean: too fast, later. */
  readonly throttleCodes: readonly number[];
  readonly sessionsMax: number | null;
  /** After so long without use a session dies. */
  readonly idleExpiryMs: number | null;
  readonly dataBytesMax: number | null;
  readonly quirks: readonly Quirk[];
  /** False: nothing of this was ever run on the device. */
  readonly wasRun: boolean;
}

export type VendorName =
  | "softhsm"
  | "aws-cloudhsm"
  | "thales-luna"
  | "azure-dedicated-hsm"
  | "google-cloud-hsm"
  | "ncipher-nshield"
  | "yubihsm2"
  | "generic";

export interface LockOut {
  readonly attempts: number;
  readonly effect: string;
}

/** Something that surprises, and where that is known from. */
export interface Quirk {
  readonly what: string;
  readonly source: string;
  /** `run`: seen here; `read`: in a document; `recalled`: not looked up. */
  readonly mark: "run" | "read" | "recalled";
}
