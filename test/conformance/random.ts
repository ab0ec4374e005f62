/** What every implementation of the Random port must keep. Reaches into none of them. */
import { describe, expect, test } from "vitest";
import type { Random } from "../../src/core/ports/random.js";

const count = 1_000;
/** Words that two draws have in common by chance, or one has twice: far more than there ever are. */
const chanceMax = 5;

const words = (random: Random): number[] => Array.from({ length: count }, () => random.word());

/** `makeRandom` makes the generator of one boot of one node. */
export function randomConformance(
  name: string,
  makeRandom: (node: number, boot: number) => Random,
): void {
  describe(`random conformance: ${name}`, () => {
    test("random: words: whole numbers of 32 bits, without a sign", () => {
      const broken = words(makeRandom(1, 1)).filter(
        (word) => !Number.isInteger(word) || word < 0 || word > 0xffff_ffff,
      );
      expect(broken).toEqual([]);
    });

    test("random: words: hardly one comes twice", () => {
      expect(new Set(words(makeRandom(1, 1))).size).toBeGreaterThan(count - chanceMax);
    });

    test("random: bits: each is set in some words and clear in others", () => {
      const drawn = words(makeRandom(1, 1));
      const set = drawn.reduce((all, word) => all | word, 0) >>> 0;
      const clear = drawn.reduce((all, word) => all | ~word, 0) >>> 0;
      expect([set, clear]).toEqual([0xffff_ffff, 0xffff_ffff]);
    });

    test("random: other nodes and other boots: draw other words", () => {
      const drawn = [
        [1, 1],
        [1, 2],
        [2, 1],
        [2, 2],
      ].flatMap(([node, boot]) => words(makeRandom(node!, boot!)));
      // Not the same at another place either.
      expect(new Set(drawn).size).toBeGreaterThan(drawn.length - chanceMax);
    });
  });
}
