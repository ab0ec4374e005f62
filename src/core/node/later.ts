/** What replicas owe themselves, to be stepped after the step that led to it. */
import { shorten } from "../arrays.js";
import type { Index } from "../ids.js";
import type { Replica } from "./replica.js";

export class Later {
  #queue: Replica[] = [];
  #head = 0;
  #keyless: Replica[] = [];

  /** A batch of entries was applied: its Raft is to hear of it. */
  applied(replica: Replica): void {
    this.#queue.push(replica);
  }

  /** It waits for a key, or does so no longer. */
  keyless(replica: Replica): void {
    this.#keyless.push(replica);
  }

  get empty(): boolean {
    return this.#queue.length === 0 && this.#keyless.length === 0;
  }

  /** Steps at most `stepsMax` replicas; false when nothing was left to do. */
  settle(stepsMax: number): boolean {
    if (this.#queue.length === 0 && this.#keyless.length === 0) return false;
    for (const replica of this.#keyless.splice(0)) replica.settleKeys();
    let steps = 0;
    for (; this.#head < this.#queue.length; this.#head++) {
      if (steps++ === stepsMax) return true;
      const replica = this.#queue[this.#head]!;
      const index = replica.applied as Index;
      if (!replica.leaving) replica.step({ kind: "applied", index }, index);
    }
    shorten(this.#queue, 0);
    this.#head = 0;
    return false;
  }
}
