/** What replicas owe themselves: the word that a batch of entries was applied, after the step. */
import { shorten } from "../arrays.js";
import type { Index } from "../ids.js";
import type { Replica } from "./replica.js";

export class Later {
  #queue: Replica[] = [];
  #head = 0;

  applied(replica: Replica): void {
    this.#queue.push(replica);
  }

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  /** Steps at most `stepsMax` replicas; false when nothing was left to do. */
  settle(stepsMax: number): boolean {
    if (this.#queue.length === 0) return false;
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
