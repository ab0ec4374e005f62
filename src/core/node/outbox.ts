/** Messages of one turn on their way out: one batch of frames for each peer. */
import { shorten } from "../arrays.js";
import type { Codec } from "../framing/codec.js";
import { isRaftMessage } from "../framing/codec.js";
import type { FramedMessage } from "../framing/messages.js";
import type { NodeId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { Network } from "../ports/network.js";
import type { HostObserver } from "./observer.js";

interface PeerMail {
  readonly peer: NodeId;
  readonly messages: FramedMessage[];
}

export class Outbox {
  readonly #node: NodeId;
  readonly #network: Network;
  readonly #observer: HostObserver;
  readonly #codec: Codec;
  readonly #marks: Marks;
  readonly #framesMax: number;
  readonly #mail = new Map<NodeId, PeerMail>();
  #waiting: PeerMail[] = [];
  /** This boot's sequence number of frames. */
  #frames = 0;

  constructor(parts: {
    readonly node: NodeId;
    readonly network: Network;
    readonly observer: HostObserver;
    readonly codec: Codec;
    readonly marks: Marks;
    readonly framesMax: number;
  }) {
    this.#node = parts.node;
    this.#network = parts.network;
    this.#observer = parts.observer;
    this.#codec = parts.codec;
    this.#marks = parts.marks;
    this.#framesMax = parts.framesMax;
  }

  /** Frames of this turn for the peer that gets most. */
  get longest(): number {
    let longest = 0;
    for (const { messages } of this.#waiting) longest = Math.max(longest, messages.length);
    return longest;
  }

  /** Nothing holds this message back any more. */
  add(to: NodeId, message: FramedMessage): void {
    let mail = this.#mail.get(to);
    if (mail === undefined) {
      mail = { peer: to, messages: [] };
      this.#mail.set(to, mail);
    }
    if (mail.messages.length === 0) this.#waiting.push(mail);
    else if (mail.messages.length >= this.#framesMax) {
      this.#marks.hit("peerFramesFull");
      return;
    }
    mail.messages.push(message);
  }

  /** Hands everything to the network. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    for (let at = 0; at < waiting.length; at++) this.#send(waiting[at]!);
    shorten(waiting, 0);
  }

  #send({ peer, messages }: PeerMail): void {
    const count = messages.length;
    // The network keeps the array: it may hold it for a while.
    const frames: Uint8Array[] = [];
    for (let at = 0; at < count; at++) {
      frames.push(this.#codec.encode(messages[at]!, ++this.#frames));
    }
    this.#network.send(peer, frames);
    for (let at = 0; at < count; at++) {
      const message = messages[at]!;
      if (isRaftMessage(message)) {
        this.#observer.messageReleased(this.#node, peer, message, frames[at]!);
      }
    }
    shorten(messages, 0);
  }
}
