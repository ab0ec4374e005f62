/**
 * The Machine that a host runs: a node. The multi-Raft node is one; a protocol of a user's own is
 * another. Bytes in, bytes out: what a message, a record or a request means is the machine's affair.
 */
import type { Door } from "./framing/frame-types.js";
import type { Boot, NodeId, RequestId, Token } from "./ids.js";
import type { Json } from "./plain.js";

export interface Machine<Input, Effect> {
  /** Synchronous and total. `now` is the node's monotonic time in microseconds. */
  step(now: number, input: Input, out: Effect[]): void;
  /** The whole state as plain data, for digest, pack and unpack (see plain.ts). */
  readonly state: unknown;
}

export type MachineInput =
  | {
      readonly kind: "start";
      readonly node: NodeId;
      readonly boot: Boot;
      readonly peers: readonly NodeId[];
      /** For the machine's own generator, from (seed, node, boot). Four 32-bit words. */
      readonly seed: readonly [number, number, number, number];
      /** Every record that was persisted and survived, in the order of persisting. */
      readonly records: readonly Uint8Array[];
    }
  | { readonly kind: "message"; readonly from: NodeId; readonly bytes: Uint8Array }
  | { readonly kind: "timer" }
  /** `adminRequest`: only an admin can have sent it; `request`: a client or an admin. */
  | {
      readonly kind: "request";
      readonly door: Door;
      readonly request: RequestId;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "persisted"; readonly token: Token }
  | { readonly kind: "persistFailed"; readonly token: Token };

export type MachineEffect =
  /** Held back until `after` is durable; 0 goes at once. The same for `answer`. */
  | {
      readonly kind: "send";
      readonly to: NodeId;
      readonly bytes: Uint8Array;
      readonly after: Token;
    }
  | { readonly kind: "persist"; readonly token: Token; readonly record: Uint8Array }
  | {
      readonly kind: "answer";
      readonly request: RequestId;
      readonly bytes: Uint8Array;
      readonly after: Token;
    }
  /** Replaces any earlier wish; Infinity asks for nothing. */
  | { readonly kind: "wakeAt"; readonly at: number }
  | { readonly kind: "event"; readonly name: string; readonly data: Json };
