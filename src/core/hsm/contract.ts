/**
 * The keeper of keys above a PKCS#11 module, pure: `HsmRequest`s in, `TokenCall`s out. It holds the
 * sessions and the login, brings them back when they are lost, finds keys by their id and never by
 * an old handle, and knows by trial what the token can do.
 *
 * Whoever drives it executes calls in their order, hands every answer back, and keeps bytes of keys
 * out of logs: calls and answers may hold them, events never do. `dataKey` materials and targets
 * are not for it: the port around it turns them into bytes first, and an answer's bytes into a data
 * key; here they are `badInput`.
 */
import type { HsmRequest, HsmResult } from "../ports/hsm.js";
import type { TokenAnswer, TokenCall } from "./cryptoki/calls.js";
import type { HsmEvent } from "./events.js";

export type HsmMachineInput =
  /** `op` is the caller's, and not that of a request which waits for its answer. */
  | { readonly kind: "request"; readonly op: number; readonly request: HsmRequest }
  /** To the call of that id. To a call that was lost, or twice: dropped. */
  | { readonly kind: "answered"; readonly call: number; readonly answer: TokenAnswer }
  /** A new process of the module is there, nothing in it initialised yet. */
  | { readonly kind: "moduleReady" }
  /** The process died, was killed or could not be started: every call in flight is lost. */
  | { readonly kind: "moduleLost"; readonly reason: string }
  | { readonly kind: "timer" };

export type HsmMachineEffect =
  | { readonly kind: "call"; readonly id: number; readonly call: TokenCall }
  /**
   * Kill the module's process, if there is one, and start another: calls in flight are lost with it.
   * Comes back as `moduleReady` or `moduleLost`. The machine asks for its first process this way too.
   */
  | { readonly kind: "restartModule" }
  /** Once for each request. */
  | { readonly kind: "answer"; readonly op: number; readonly result: HsmResult }
  /** Replaces any earlier wish; Infinity asks for nothing. Monotonic microseconds. */
  | { readonly kind: "wakeAt"; readonly atUs: number }
  /** For people. Never a secret. */
  | { readonly kind: "event"; readonly event: HsmEvent };
