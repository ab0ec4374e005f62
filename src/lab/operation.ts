import type { PlannedOperation } from "./run-result.js";

/** An operation as it went: what a client asked, when, and what it learned. Times are world time. */
export interface Operation {
  readonly planned: PlannedOperation;
  readonly invokedUs: number;
  /** Infinity while open, and for ever when the outcome is unknown. */
  completedUs: number;
  outcome: "open" | "ok" | "failed" | "unknown";
  /**
   * For `ok`: the value read (null: absent), whether a cas took place, the pairs of a range, or what
   * a state machine of the user's own answered, a character for each byte.
   * `failed` operations took no effect.
   */
  result: OperationResult | null;
  /** Session and serial that it was proposed under; 0 for reads. */
  session: number;
  serial: number;
  /** For `ok` in a cluster with a map: the slot, the group that answered, and the epoch it was asked at. */
  served: Served | null;
}

export interface Served {
  readonly slot: number;
  readonly group: number;
  readonly epoch: number;
}

/** One request of an operation in a cluster with a map: which node is asked for which group. */
export interface Attempt extends Served {
  readonly node: number;
}

export type OperationResult =
  | { readonly kind: "value"; readonly value: string | null }
  | { readonly kind: "written" }
  | { readonly kind: "swapped"; readonly swapped: boolean }
  | { readonly kind: "pairs"; readonly pairs: readonly (readonly [string, string])[] }
  | { readonly kind: "answer"; readonly answer: string };

export function isRead({ kind }: PlannedOperation): boolean {
  return kind === "get" || kind === "range" || kind === "query";
}
