/** One step of a job, as the steward takes it: whom it asks for what, and what the answer means. */
import type { NodeRequest } from "../node/node-requests.js";
import type { Fact } from "../map/commands.js";
import type { MapState } from "../map/state.js";
import type { ClientAnswer } from "../store/client-protocol.js";
import type { GroupId, NodeId } from "../ids.js";

export interface Errand {
  /** What to ask now; null: nothing is left to ask, see `fact`. Asked again, it asks the same. */
  next(map: Readonly<MapState>): Question | null;
  /** The answer to what `next` gave last. */
  take(answer: ClientAnswer): Outcome;
}

export interface Question {
  /** The leader of this group, or exactly this node. */
  readonly to: { readonly leaderOf: GroupId } | { readonly node: NodeId };
  readonly request: NodeRequest;
}

export type Outcome =
  /** The step has been taken. */
  | { readonly kind: "done"; readonly fact: Fact }
  /** Something else is to be asked at once. */
  | { readonly kind: "on" }
  /** Not yet: ask again after a while. */
  | { readonly kind: "later" };

/** What a node has done or read; null when it has not. */
export function bytesOf(answer: ClientAnswer): Uint8Array | null {
  return answer.kind === "done" || answer.kind === "readResult" ? answer.bytes : null;
}

export const on: Outcome = { kind: "on" };
export const later: Outcome = { kind: "later" };
export const done: Outcome = { kind: "done", fact: { kind: "none" } };
