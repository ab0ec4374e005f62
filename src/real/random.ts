/** The system's generator, read in blocks: one word is wanted at a time. */
import { randomFillSync } from "node:crypto";
import type { Random } from "../core/ports/random.js";

const wordsPerBlock = 256;

export class SystemRandom implements Random {
  readonly #block = new Uint32Array(wordsPerBlock);
  #at: number = wordsPerBlock;

  word(): number {
    if (this.#at === wordsPerBlock) {
      randomFillSync(this.#block);
      this.#at = 0;
    }
    const word = this.#block[this.#at]!;
    // A word that was given out is in memory no longer.
    this.#block[this.#at++] = 0;
    return word;
  }
}
