/**
 * The core's own generator: sfc32 (PractRand's "small fast counting"), four 32-bit words that are
 * part of a machine's state. It spreads timeouts and nothing else: never nonces, keys or ids.
 */
import { assert } from "./assert.js";

export type RandomState = [number, number, number, number];

/** Rounds after which the words of a poor seed are well mixed. */
const warmUpRounds = 15;

/** A generator of its own for each `seed`. */
export function seededRandom(seed: readonly [number, number, number, number]): RandomState {
  const state: RandomState = [seed[0] | 0, seed[1] | 0, seed[2] | 0, seed[3] | 0];
  for (let round = 0; round < warmUpRounds; round++) nextWord(state);
  return state;
}

/** A 32-bit word, 0 to 2^32 - 1. */
export function nextWord(state: RandomState): number {
  const [a, b, c, counter] = state;
  const word = (((a + b) | 0) + counter) | 0;
  state[0] = b ^ (b >>> 9);
  state[1] = (c + (c << 3)) | 0;
  state[2] = (((c << 21) | (c >>> 11)) + word) | 0;
  state[3] = (counter + 1) | 0;
  return word >>> 0;
}

/** A whole number from 0 to `n - 1`, each as likely; `n` is from 1 to 2^32. */
export function below(state: RandomState, n: number): number {
  assert(n >= 1 && n <= words, "a draw is below 1 to 2^32", { n });
  // Words beyond the last full round of n would favour small numbers.
  const fair = words - (words % n);
  let word = nextWord(state);
  while (word >= fair) word = nextWord(state);
  return word % n;
}

const words = 0x1_0000_0000;
