/**
 * The client of a cluster as a pure machine: what a host hands to it and what it asks the host for.
 *
 *     step(now, input, out)
 *
 * is synchronous and total, as that of a node (core/machine.ts). `now` is the host's monotonic time in
 * integer microseconds. Every operation ends once, with `finished`, in the first step at or after its
 * deadline at the latest.
 */
import type { NodeId } from "../ids.js";
import type { ClientReadMode, ClientRefusal } from "../store/client-protocol.js";

/** Of the host's choosing; no two that are under way have the same. */
export type OperationId = number;

export type ClientInput =
  | ({ readonly kind: "submit" } & Submission)
  /** The answer to an `ask`; late, second and foreign ones do no harm. */
  | { readonly kind: "answer"; readonly request: number; readonly bytes: Uint8Array }
  /** A hint: what was asked of this node will hardly be answered. */
  | { readonly kind: "unreachable"; readonly node: NodeId }
  | { readonly kind: "timer" }
  /** Ends what is under way and closes the sessions. What is submitted afterwards fails. */
  | { readonly kind: "close" };

export type Submission = {
  readonly operation: OperationId;
  /** That of the key; see store/slots.ts. */
  readonly slot: number;
  /** A command or a question of the state machine. */
  readonly bytes: Uint8Array;
  /** From now to its deadline. */
  readonly timeoutUs: number;
} & Asked;

type Asked =
  { readonly type: "command" } | { readonly type: "read"; readonly mode: ClientReadMode };

export type ClientEffect =
  /** Sends a request to a node; its answer, if any, comes back with the same number. */
  | {
      readonly kind: "ask";
      readonly node: NodeId;
      readonly request: number;
      readonly bytes: Uint8Array;
      /** The operation that it carries out; null for what serves several or none. */
      readonly operation: OperationId | null;
    }
  | { readonly kind: "finished"; readonly operation: OperationId; readonly outcome: Outcome }
  /** Replaces any earlier wish; Infinity asks for nothing. */
  | { readonly kind: "wakeAt"; readonly at: number };

export type Outcome =
  /** The state machine's answer. The command took effect exactly once. */
  | { readonly kind: "done"; readonly bytes: Uint8Array }
  /** It took no effect and will not. */
  | { readonly kind: "failed"; readonly reason: FailureReason }
  /** It took effect at most once, or may yet. */
  | { readonly kind: "unknown" }
  /** As `unknown`, but for good: the session is not honoured any more, nobody can find out. */
  | { readonly kind: "expired" };

export type FailureReason =
  /** There was no time to ask anybody, or a read got no answer. */
  | "deadline"
  /** No map could be had. */
  | "noMap"
  /** Nobody serves the slot. */
  | "noOwner"
  /** The cluster has fewer slots. */
  | "noSuchSlot"
  /** As many operations are under way as may be. */
  | "operationsFull"
  | "closed"
  | "malformed"
  /** The last of the refusals, when there were no other answers. */
  | "moved"
  | "sessionExpired"
  | ClientRefusal;
