/** What clients wait for at one replica: commands that are to be applied, reads that are to be served. */
import { emptyBytes } from "../bytes.js";
import type { ConsensusResult } from "../consensus.js";
import type { Index, RequestId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { Bound } from "../raft/view.js";
import { type ClientRefusal, encodeClientAnswer } from "../store/client-protocol.js";
import type { ReplicatedStore } from "../store/replicated-store.js";
import type { ReplicaKeys } from "./replica-keys.js";
import type { Question, Requests } from "./requests.js";

/** Where the requests are served. */
export interface Served {
  readonly applied: number;
  readonly store: ReplicatedStore;
  readonly keys: ReplicaKeys | null;
}

/** A confirmed read whose index is not applied yet. */
interface WaitingRead {
  readonly request: RequestId;
  readonly index: Index;
}

export class Awaited {
  readonly #requests: Requests;
  readonly #marks: Marks;
  readonly #at: Served;
  /** Committed and not yet applied: pairs of index and request, ascending. */
  #committed: number[] = [];
  #reads: WaitingRead[] = [];

  constructor(requests: Requests, marks: Marks, at: Served) {
    this.#requests = requests;
    this.#marks = marks;
    this.#at = at;
  }

  get size(): number {
    return this.#committed.length + this.#reads.length;
  }

  bounds(limits: { readonly logEntriesMax: number; readonly requestsPendingMax: number }): Bound[] {
    return [
      { name: "committed", size: this.#committed.length / 2, limit: 2 * limits.logEntriesMax },
      // At most as many again whose requests have ended.
      {
        name: "reads to be served",
        size: this.#reads.length,
        limit: 2 * limits.requestsPendingMax,
      },
    ];
  }

  /** What Raft says of a request; nothing that this rests on can be lost any more. */
  ended(request: RequestId, result: ConsensusResult): void {
    const pending = this.#requests.find(request);
    if (pending === undefined) return;
    switch (result.kind) {
      case "committed":
        if (pending.kind === "command") this.#committed.push(result.index, request);
        else this.#requests.answer(request, done);
        return;
      case "transferred":
        this.#requests.answer(request, done);
        return;
      case "refused":
        this.#requests.refuse(request, result.reason, result.leader);
        return;
      case "unknown":
        this.#requests.unknown(request, result.leader);
        return;
    }
  }

  /** The entry at `index` met the state machine, which gave that answer. */
  applied(index: Index, answer: Uint8Array | null): void {
    const committed = this.#committed;
    if (committed.length === 0 || committed[0] !== index) return;
    this.#requests.answer(committed[1] as RequestId, answer ?? done);
    committed.splice(0, 2);
  }

  /** A snapshot has covered what these waited for: it was applied, but its answer is lost. */
  supersede(through: number): void {
    while (this.#committed.length > 0 && this.#committed[0]! <= through) {
      this.#marks.hit("answerSuperseded");
      this.#requests.unknown(this.#committed[1] as RequestId, null);
      this.#committed.splice(0, 2);
    }
  }

  /** The read may be served once its index is applied. */
  readReady(read: WaitingRead): void {
    if (read.index <= this.#at.applied) this.#serve(read.request);
    else this.#wait(read);
  }

  serveReads(): void {
    if (this.#reads.length === 0) return;
    const waiting = this.#reads;
    this.#reads = [];
    for (const read of waiting) {
      if (read.index <= this.#at.applied) this.#serve(read.request);
      else this.#reads.push(read);
    }
  }

  refuseReads(reason: ClientRefusal): void {
    for (const { request } of this.#reads.splice(0)) this.#requests.refuse(request, reason, null);
  }

  #wait({ request, index }: WaitingRead): void {
    if (this.#requests.find(request) === undefined) return;
    this.#marks.hit("readWaitedForApply");
    if (this.#reads.length >= 2 * this.#requests.size) {
      this.#marks.hit("endedReadsDropped");
      this.#reads = this.#reads.filter((read) => this.#requests.find(read.request) !== undefined);
    }
    this.#reads.push({ request, index });
  }

  #serve(request: RequestId): void {
    if (this.#at.keys?.keys.revoked === true) {
      this.#requests.refuse(request, "keyRevoked", null);
      return;
    }
    const pending = this.#requests.find(request);
    if (pending === undefined || pending.question === null) return;
    this.#requests.answer(request, this.#read(pending.question));
  }

  #read(asked: Question): Uint8Array {
    const { store } = this.#at;
    if (asked.kind === "query") return store.query(asked.question, asked.slot, asked.epoch);
    return store.readSlots(asked.slots, asked.epoch, asked.offset, asked.bytesMax);
  }
}

const done: Uint8Array = encodeClientAnswer({ kind: "done", bytes: emptyBytes });
