/** What a keeper's people see of it: its states, and what happened to sessions and keys. */
import type { Capability } from "../ports/hsm.js";
import type { TokenFunction } from "./cryptoki/calls.js";

export type HsmStateName =
  /** No process, and none was asked for. */
  | "stopped"
  /** A process was asked for. */
  | "starting"
  /** First initialisation, login, trials. */
  | "connecting"
  | "ready"
  /** The four levels of reconnection, each tried before the next. */
  | "newSession"
  | "relogin"
  | "reinitialize"
  | "restart"
  /** Between two tries, for a drawn time. */
  | "backingOff"
  /** Nothing is tried before a request `open` asks for it: a PIN was rejected, or the slot is not clear. */
  | "halted";

export type HsmEvent =
  | {
      readonly name: "state";
      readonly from: HsmStateName;
      readonly to: HsmStateName;
      readonly because: string;
      /** That led to it; 0 where none did. */
      readonly rv: number;
    }
  /** All handles are void; keys are found anew by their id. */
  | { readonly name: "epoch"; readonly epoch: number }
  | { readonly name: "sessionDiscarded"; readonly fn: TokenFunction; readonly rv: number }
  | { readonly name: "trial"; readonly capability: Capability }
  | { readonly name: "throttled"; readonly waitUs: number }
  | { readonly name: "keyMade"; readonly label: string; readonly version: number }
  /** Someone else made the key of that name first; this one's was destroyed. */
  | { readonly name: "raceLost"; readonly label: string; readonly version: number }
  /** A key with other attributes than were asked was destroyed again. */
  | { readonly name: "keyRefused"; readonly label: string; readonly version: number }
  | { readonly name: "keyDeleted"; readonly label: string; readonly version: number }
  /** What stands behind an id is not what the reference says. */
  | { readonly name: "keyMismatch"; readonly label: string; readonly version: number }
  /** A request was given up by its deadline. */
  | { readonly name: "deadline"; readonly op: number; readonly during: string };
