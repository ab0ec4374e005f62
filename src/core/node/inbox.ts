/** What waits for a turn, in the order in which it came. */
import { shorten } from "../arrays.js";
import type { Door } from "../framing/frame-types.js";
import type { Boot, NodeId, RequestId } from "../ids.js";
import type { DiskResult } from "../ports/disk.js";
import type { HsmResult } from "../ports/hsm.js";

export type InboxItem =
  | { readonly kind: "frame"; readonly from: NodeId; readonly bytes: Uint8Array }
  | { readonly kind: "diskDone"; readonly op: number; readonly result: DiskResult }
  | {
      readonly kind: "request";
      readonly door: Door;
      readonly request: RequestId;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "linkUp"; readonly peer: NodeId; readonly boot: Boot; readonly disk: number }
  | { readonly kind: "linkDown"; readonly peer: NodeId }
  | { readonly kind: "hsmDone"; readonly op: number; readonly result: HsmResult }
  | { readonly kind: "woken" };

/** Used-up places before the array is moved together. */
const usedMax = 1024;

export class Inbox {
  #items: InboxItem[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Items that are refused when there are too many of them. */
  get refusable(): number {
    let count = 0;
    for (let at = this.#head; at < this.#items.length; at++) {
      const { kind } = this.#items[at]!;
      if (kind === "frame" || kind === "request") count++;
    }
    return count;
  }

  put(item: InboxItem): void {
    this.#items.push(item);
  }

  /** The oldest item; there is one. */
  take(): InboxItem {
    const item = this.#items[this.#head++]!;
    if (this.#head === this.#items.length) {
      shorten(this.#items, 0);
      this.#head = 0;
    } else if (this.#head >= usedMax && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
