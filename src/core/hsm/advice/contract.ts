/** What is looked at to give advice on keys, and what the advice is. */
import type { KeyDescription, KeyReference, SignatureAlgorithm } from "../keys.js";

export type RuleId =
  | "P1"
  | "P2"
  | "P3"
  | "P4"
  | "P5"
  | "P6"
  | "P7"
  | "P8"
  | "P9"
  | "P10"
  | "P11"
  | "P12"
  | "P13"
  | "P14"
  | "P15"
  | "P16"
  | "P17"
  | "P18"
  | "P19";

/** `critical`: stop doing it. `warning`: plan the change. `info`: know it. */
export type Severity = "info" | "warning" | "critical";

export interface Recommendation {
  readonly rule: RuleId;
  readonly severity: Severity;
  /** Null: it is about the keeper, not about one key. */
  readonly key: KeyReference | null;
  /** What was found. */
  readonly reason: string;
  readonly action: string;
  readonly source: string;
  /** The source was not looked up again: check it before relying on it. */
  readonly recalled: boolean;
}

/** A finding before the table of rules adds what is the same for each of its kind. */
export type Finding = Pick<Recommendation, "rule" | "severity" | "key" | "reason" | "action">;

export interface AdviceInput {
  readonly keys: readonly KeyFacts[];
  readonly keeper: KeeperFacts;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs: number;
}

export interface KeyFacts {
  readonly description: KeyDescription;
  /** Wall clock; null: not known. */
  readonly createdMs: number | null;
  /** Under random IVs, over all replicas, an upper bound; null: not counted. */
  readonly encryptions: number | null;
  /** That it signs with; empty: not known, or none. */
  readonly signsWith: readonly SignatureAlgorithm[];
}

/** How keys are kept and used. */
export interface KeeperFacts {
  readonly fips: boolean;
  /** Suites of the NSA that must be met. */
  readonly suite: "cnsa-1" | "cnsa-2" | null;
  readonly gcm: {
    readonly iv: "random" | "token" | "caller";
    readonly ivBits: number;
    readonly tagBits: number;
    readonly messageBytesMax: number;
  };
  /** In use or allowed: `WrapMechanism`s, or `aes-cbc-pad` and `rsa-pkcs1` where someone still has them. */
  readonly wraps: readonly string[];
  /** Whether the token can do OAEP with SHA-256. */
  readonly oaepSha256Works: boolean;
  /** Extractable data keys are meant to be wrapped, and lead no other life. */
  readonly envelopes: boolean;
  /** Limits of one data key, each null where none is set; null: there are no data keys here. */
  readonly dataKeys: {
    readonly messagesMax: number | null;
    readonly bytesMax: number | null;
    readonly ageMsMax: number | null;
  } | null;
  /** Null: no PIN, or nothing is known of it. */
  readonly login: {
    readonly retriesRejectedPin: boolean;
    /** Before the token locks; null where it never does. */
    readonly attemptsLeft: number | null;
  } | null;
}
