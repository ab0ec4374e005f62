/** Clients' requests under way. Each ends once: answered, refused, or given up at its deadline. */
import { assert } from "../assert.js";
import type { NodeId, RequestId } from "../ids.js";
import type { SlotsQuestion } from "../store/admin-protocol.js";
import {
  type ClientAnswer,
  type ClientRefusal,
  encodeClientAnswer,
} from "../store/client-protocol.js";
import type { NodeContext } from "./context.js";
import type { Sleeper } from "./wake-heap.js";

/** What a read asks of the store, once it may be served. */
export type Question =
  | {
      readonly kind: "query";
      readonly slot: number;
      readonly epoch: number;
      readonly question: Uint8Array;
    }
  | (SlotsQuestion & { readonly kind: "readSlots" });

export interface PendingRequest {
  readonly request: RequestId;
  /** `command`: answered by the state machine. `errand`: a change or transfer, by Raft alone. */
  readonly kind: "command" | "errand" | "read";
  /** Of a read; null for all others. */
  readonly question: Question | null;
  readonly deadlineUs: number;
}

/** Deadlines are as far off for all requests, so the oldest one's comes first. */
export class Requests implements Sleeper {
  wakeAtUs: number = Infinity;
  wakeSlot = -1;
  readonly #context: NodeContext;
  readonly #pending = new Map<RequestId, PendingRequest>();

  constructor(context: NodeContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#pending.size;
  }

  get full(): boolean {
    return this.#pending.size >= this.#context.options.requestsPendingMax;
  }

  open(request: RequestId, kind: "command" | "errand"): void {
    this.#open(request, kind, null);
  }

  openRead(request: RequestId, question: Question): void {
    this.#open(request, "read", question);
  }

  /** Undefined when it has ended. */
  find(request: RequestId): PendingRequest | undefined {
    return this.#pending.get(request);
  }

  /** Ends a request; one that has ended already keeps its first answer. */
  answer(request: RequestId, bytes: Uint8Array): void {
    if (!this.#pending.delete(request)) return;
    this.#context.answers.push({ request, bytes });
    if (this.#pending.size === 0) this.#context.wakes.remove(this);
  }

  refuse(request: RequestId, reason: ClientRefusal, leader: NodeId | null): void {
    this.answer(request, refusalBytes(reason, leader));
  }

  unknown(request: RequestId, leader: NodeId | null): void {
    this.answer(request, encodeClientAnswer({ kind: "unknown", leader: leader ?? (0 as const) }));
  }

  woken(): void {
    const { nowUs, marks, wakes } = this.#context;
    for (const pending of this.#pending.values()) {
      if (pending.deadlineUs > nowUs) {
        wakes.wakeAt(this, pending.deadlineUs);
        return;
      }
      marks.hit("requestTimedOut");
      // What was proposed may still be committed; a read that was not answered did nothing.
      if (pending.kind === "read") this.refuse(pending.request, "timeout", null);
      else this.unknown(pending.request, null);
    }
  }

  #open(request: RequestId, kind: PendingRequest["kind"], question: Question | null): void {
    const { nowUs, options, wakes } = this.#context;
    assert(!this.#pending.has(request), "no two requests of a boot have one id", { request });
    const deadlineUs = nowUs + options.requestTimeoutUs;
    if (this.#pending.size === 0) wakes.wakeAt(this, deadlineUs);
    this.#pending.set(request, { request, kind, question, deadlineUs });
  }
}

export function refusalBytes(reason: ClientRefusal, leader: NodeId | null): Uint8Array {
  const answer: ClientAnswer = { kind: "refused", reason, leader: leader ?? (0 as const) };
  return encodeClientAnswer(answer);
}
