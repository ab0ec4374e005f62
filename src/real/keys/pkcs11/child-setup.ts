/** What a node says first to the process of its PKCS#11 library, and what that one says when it fails. */
import type { GcmIvMaker } from "./gcm-iv.js";
import type { PinEncoding, PinSource } from "./pin.js";

export interface ChildSetup {
  /** Path of the vendor's library. */
  readonly library: string;
  readonly gcmIv: GcmIvMaker;
  /** Null: none is given, and each login is answered `noCall.pinMissing`. */
  readonly pin: PinSource | null;
  readonly pinEncoding: PinEncoding;
  /** Where rejected PINs are remembered. */
  readonly pinGuardFolder: string;
  readonly loginAttemptsMax: number;
}

export interface StartFailure {
  readonly code: "pkcs11jsMissing" | "libraryUnusable" | "failed";
  /** For people, with the command that helps. */
  readonly message: string;
}

/** The child's end of the channel. */
export const channelDescriptor: number = 3;
/** Where the child finds what the parent calls `pin.descriptor`. */
export const pinDescriptor: number = 4;
