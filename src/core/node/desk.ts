/**
 * Requests between nodes, those of a node to itself included: what this one has asked, and what it was
 * asked and still owes an answer to. Either may be lost on its way; who asks has a deadline.
 */
import type { NodeId, RequestId } from "../ids.js";
import type { NodeContext } from "./context.js";

/** Ids from here on are given out by the desk; clients have those below. */
export const deskRequestsFrom: number = 2 ** 52;
/** Requests of different starts lie so far apart. */
const requestsPerBoot = 2 ** 31;
const bootsApart = 2 ** 21;

export interface Letter {
  readonly from: NodeId;
  readonly asked: number;
  readonly bytes: Uint8Array;
}

export interface Reply {
  readonly asked: RequestId;
  readonly bytes: Uint8Array;
}

export class Desk {
  readonly #context: NodeContext;
  #asked = 0;
  #served: number = deskRequestsFrom;
  /** What was asked of this node and is not answered yet. */
  readonly #open = new Map<RequestId, Letter>();
  /** Of this node to itself. */
  #letters: Letter[] = [];
  /** To what this node has asked. */
  #replies: Reply[] = [];

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** What it owes an answer to. */
  get size(): number {
    return this.#open.size;
  }

  /** The answer, if it comes, is among `takeReplies` some time. */
  ask(to: NodeId, bytes: Uint8Array): RequestId {
    const { node, boot, outbox } = this.#context;
    const asked = (boot % bootsApart) * requestsPerBoot + ++this.#asked;
    if (to === node) this.#letters.push({ from: node, asked, bytes });
    else outbox.add(to, { kind: "nodeRequest", asked, bytes });
    return asked as RequestId;
  }

  /** An answer came by a link. */
  replied(asked: number, bytes: Uint8Array): void {
    this.#replies.push({ asked: asked as RequestId, bytes: bytes.slice() });
  }

  /** The id under which a request of a node is served here. */
  open(letter: Letter): RequestId {
    const request = ++this.#served as RequestId;
    this.#open.set(request, letter);
    return request;
  }

  /** An id for what this node asks of a replica of its own; nobody hears the answer. */
  unheard(): RequestId {
    return ++this.#served as RequestId;
  }

  /** True when the answer was the desk's to deliver. */
  answer(request: RequestId, bytes: Uint8Array): boolean {
    if (request < deskRequestsFrom) return false;
    const letter = this.#open.get(request);
    if (letter === undefined) return true;
    this.#open.delete(request);
    const { node, outbox } = this.#context;
    if (letter.from === node) this.#replies.push({ asked: letter.asked as RequestId, bytes });
    else outbox.add(letter.from, { kind: "nodeAnswer", to: letter.asked, bytes });
    return true;
  }

  takeLetters(): readonly Letter[] {
    if (this.#letters.length === 0) return nothing;
    const letters = this.#letters;
    this.#letters = [];
    return letters;
  }

  takeReplies(): readonly Reply[] {
    if (this.#replies.length === 0) return nothing;
    const replies = this.#replies;
    this.#replies = [];
    return replies;
  }
}

const nothing: readonly never[] = [];
