/**
 * A hardware security module, or what stands for one: submission and completion. `submit` returns
 * nothing; the answer comes back as `hsmDone` with the same `op`. It may be slow, refuse, lose its
 * session, forget its login, and answer never: whoever asks has a deadline of its own.
 *
 * Answers that differ on every call (wraps, signatures) are proposed as values and never computed
 * while applying. No request and no answer carries a PIN.
 */
import type {
  KeyDescription,
  KeyName,
  KeyReference,
  KeySpec,
  SignatureAlgorithm,
  SignatureFormat,
} from "../hsm/keys.js";
import type { DataKeyId } from "./aead.js";

export interface Hsm {
  submit(op: number, request: HsmRequest): void;
}

export interface HsmEvents {
  hsmDone(op: number, result: HsmResult): void;
}

export type HsmRequest =
  /** Ready to serve; answered again and again without harm. */
  | { readonly kind: "open" }
  /** `ifMissing`: an equal key of that name is the answer too. */
  | {
      readonly kind: "generate";
      readonly name: KeyName;
      readonly spec: KeySpec;
      readonly ifMissing: boolean;
    }
  /** Every version of `label`; all keys without it. */
  | { readonly kind: "find"; readonly label?: string }
  | {
      readonly kind: "sign";
      readonly key: KeyReference;
      readonly algorithm: SignatureAlgorithm;
      readonly format: SignatureFormat;
      readonly message: Uint8Array;
    }
  | {
      readonly kind: "verify";
      readonly key: KeyReference;
      readonly algorithm: SignatureAlgorithm;
      readonly format: SignatureFormat;
      readonly message: Uint8Array;
      readonly signature: Uint8Array;
    }
  /** AES-256-GCM; the answer is a self-describing blob, which names the key. */
  | {
      readonly kind: "encrypt" | "decrypt";
      readonly key: KeyReference;
      readonly associatedData: Uint8Array;
      readonly bytes: Uint8Array;
    }
  /** By the best mechanism that the token really has; the answer is a self-describing blob. */
  | { readonly kind: "wrap"; readonly kek: KeyReference; readonly material: KeyMaterial }
  | {
      readonly kind: "unwrap";
      readonly kek: KeyReference;
      readonly blob: Uint8Array;
      readonly into: UnwrapTarget;
    }
  /** `admin` is what the keeper's administrator handed out; a tombstone stays under the name. */
  | { readonly kind: "delete"; readonly key: KeyReference; readonly admin: string }
  | { readonly kind: "capabilities" }
  /** A known-answer operation with a key of its own, besides what the token says. */
  | { readonly kind: "health" };

/** `dataKey`: held by the `Aead` port of the same world, which alone shows its bytes to the HSM. */
export type KeyMaterial =
  | { readonly kind: "key"; readonly key: KeyReference }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "dataKey"; readonly id: DataKeyId };

export type UnwrapTarget =
  /** A key in the token, for this session only. */
  | { readonly kind: "key"; readonly name: KeyName; readonly spec: KeySpec }
  | { readonly kind: "bytes" }
  | { readonly kind: "dataKey"; readonly id: DataKeyId };

export type HsmResult =
  | { readonly ok: true; readonly value: HsmValue }
  | { readonly ok: false; readonly error: HsmError };

export type HsmValue =
  | { readonly kind: "done" }
  | { readonly kind: "key"; readonly key: KeyDescription }
  | { readonly kind: "keys"; readonly keys: readonly KeyDescription[] }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "verified"; readonly valid: boolean }
  | { readonly kind: "capabilities"; readonly capabilities: readonly Capability[] }
  | { readonly kind: "health"; readonly health: HsmHealth };

export interface HsmError {
  readonly code: HsmErrorCode;
  /** Of the module, where one was given; else 0. */
  readonly rv: number;
  /** Which policy refused it (P1 to P19); only with `refusedByPolicy`. */
  readonly policy: string | null;
  /** What was being done; never a secret. */
  readonly during: string;
}

export type HsmErrorCode =
  /** The token, its session or its login is away and is being brought back: try again later. */
  | "unavailable"
  | "timeout"
  /** It may have been done: the answer was lost. Look for the key by its name. */
  | "unknownOutcome"
  | "notFound"
  /** More than one key answers to that name (policy P19). */
  | "ambiguous"
  /** A key of that name exists, with other attributes than are expected. */
  | "mismatch"
  | "refusedByPolicy"
  | "unsupported"
  /** Whatever is wrong with a ciphertext, blob or tag: one answer for all (no padding oracle). */
  | "authenticationFailed"
  | "pinRejected"
  | "pinLocked"
  | "pinMissing"
  | "full"
  | "notAdmin"
  | "overloaded"
  | "badInput"
  | "failed";

/** What was asked of the token by trial, and what was found. */
export interface Capability {
  /** `wrap aes-kwp`, `sign ecdsa-p256-sha256`, and so on. */
  readonly name: string;
  readonly works: boolean;
  /** Of the trial that failed; 0 when it worked. */
  readonly rv: number;
  /** Monotonic microseconds of the trial. */
  readonly atUs: number;
}

export interface HsmHealth {
  readonly state: string;
  readonly working: boolean;
  /** How often handles became void since the start. */
  readonly epoch: number;
  readonly queued: number;
  readonly lastRv: number;
}
