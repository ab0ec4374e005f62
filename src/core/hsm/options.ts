/** What a machine is given, and its limits. */
import type { VendorProfile } from "./profile.js";

export interface HsmMachineOptions {
  readonly profile: VendorProfile;
  readonly slot: SlotChoice;
  /** For drawn waits alone; ids of keys and IVs come from the token. Four 32-bit words. */
  readonly seed: readonly [number, number, number, number];
  readonly digest: Digest;
  /** SHA-256 of the administrator's secret as UTF-8, 32 bytes. Null: nobody may delete. */
  readonly adminDigest: Uint8Array | null;
  /**
   * The label of a small AES key in the token whose answers are known: it is made when missing, and
   * shows that the token's own keys are there and work. Null: the token's generator alone is asked.
   * Default `quorumlab-canary`.
   */
  readonly canary?: string | null;
  /** Reads a key's id again before each use, where handles may come to name another key in silence. */
  readonly verifyEachUse?: boolean;
  readonly limits?: Partial<HsmLimits>;
  readonly times?: Partial<HsmTimes>;
}

/** Exactly one token must fit. */
export type SlotChoice =
  | { readonly by: "id"; readonly slot: number }
  | { readonly by: "label"; readonly label: string }
  | { readonly by: "serial"; readonly serial: string };

/** SHA-256 (32 bytes) or SHA-384 (48 bytes). */
export type Digest = (hash: "sha256" | "sha384", bytes: Uint8Array) => Uint8Array;

export interface HsmLimits {
  /** Requests that wait; one more is answered `overloaded`. */
  readonly queueMax: number;
  /** Requests at work at once: each has a session, and one call in flight. */
  readonly inFlightMax: number;
  /** Handles that are remembered; the one unused for longest goes first. */
  readonly handlesMax: number;
  /** Unwrapped keys of the session; each keeps its session open. */
  readonly sessionKeysMax: number;
  /** How often one request is tried, whatever interrupts it. */
  readonly triesMax: number;
  /** Keys that one `find` may give. */
  readonly keysFoundMax: number;
  /** Bytes of a message, a plaintext or a blob. */
  readonly dataBytesMax: number;
  /** Names remembered as deleted, where a token keeps no tombstones. */
  readonly goneNamesMax: number;
}

export const hsmLimitsDefault: HsmLimits = {
  queueMax: 256,
  inFlightMax: 8,
  handlesMax: 1024,
  sessionKeysMax: 32,
  triesMax: 6,
  keysFoundMax: 1024,
  dataBytesMax: 1 << 20,
  goneNamesMax: 4096,
};

export interface HsmTimes {
  /** From a request to its answer, whatever happens. */
  readonly deadlineUs: number;
  /** The same for `generate`. */
  readonly generateDeadlineUs: number;
  /** A call unanswered for so long hangs, and its process is given up. */
  readonly callTimeoutUs: number;
  /** The same for the generation of keys. */
  readonly generateTimeoutUs: number;
  /** First wait between two tries; doubles up to the longest. Drawn from zero to it (full jitter). */
  readonly backoffUs: number;
  readonly backoffMaxUs: number;
  /** Between two known-answer checks while ready. */
  readonly checkEveryUs: number;
  /**
   * From asking for a key to giving it its name, at most; longer than the making of a key takes. A
   * key that others have seen under a provisional name for twice this time belongs to nobody alive,
   * and is destroyed.
   */
  readonly provisionalMaxUs: number;
  /** Where keys bear their name at once: after this a maker no longer takes its key back. */
  readonly outrightSettleUs: number;
  /** Where keys are seen as they were at C_Initialize: at most so often is one looked for anew. */
  readonly refreshEveryUs: number;
}

export const hsmTimesDefault: HsmTimes = {
  deadlineUs: 30_000_000,
  generateDeadlineUs: 120_000_000,
  callTimeoutUs: 20_000_000,
  generateTimeoutUs: 90_000_000,
  backoffUs: 100_000,
  backoffMaxUs: 30_000_000,
  checkEveryUs: 30_000_000,
  provisionalMaxUs: 100_000_000,
  outrightSettleUs: 3_000_000,
  refreshEveryUs: 10_000_000,
};
