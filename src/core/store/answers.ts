/** Answers that the store gives in more than one place. */
import { emptyBytes } from "../bytes.js";
import type { ClientAnswer, ClientRefusal } from "./client-protocol.js";

/** By what the log says, not for want of a leader: no other node would answer otherwise. */
export function refused(reason: ClientRefusal): ClientAnswer {
  return { kind: "refused", reason, leader: 0 };
}

export function done(bytes: Uint8Array = emptyBytes): ClientAnswer {
  return { kind: "done", bytes };
}
