/**
 * Rendezvous, or highest random weight (Thaler and Ravishankar 1998): for each key every target draws
 * a word that depends on nothing but the two, and the best draw wins. So a target that comes wins keys
 * only for itself, and one that goes loses only its own.
 *
 * Weights follow the logarithmic method: if u is a draw as a number between 0 and 1, the target with
 * the least -log2(u) / weight wins, and each wins in proportion to its weight. As many draws as the
 * weight would need no logarithm, but a lookup would then cost the sum of all weights. The logarithm
 * is an integer, from a table and a straight line between its entries, for Math.log2 may differ
 * from engine to engine. It is off by less than a thousandth of itself, and by as much are the shares. All
 * else (who wins, that little moves) holds exactly, whatever the error: it needs only that the same
 * draws give the same winner, and that a better draw never costs more.
 */
import { mix32 } from "../hash.js";
import { idWords } from "./id-words.js";
import { type HashTarget, inOrder } from "./scheme.js";

/** Targets are named by their place in ascending order of ids. */
export class Contest<Id extends number = number> {
  readonly targets: readonly HashTarget<Id>[];
  readonly #weights: Float64Array;
  readonly #salts: Int32Array;
  readonly #factors: Int32Array;

  constructor(targets: readonly HashTarget<Id>[]) {
    this.targets = inOrder(targets);
    const words = this.targets.map(({ id }) => idWords(id));
    this.#weights = Float64Array.from(this.targets, ({ weight }) => weight);
    this.#salts = Int32Array.from(words, ([salt]) => salt);
    this.#factors = Int32Array.from(words, ([, factor]) => factor | 1);
  }

  /** What the target draws for the key: an unsigned word. */
  draw(target: number, keyHash: number): number {
    return drawOf(keyHash, this.#salts[target]!, this.#factors[target]!);
  }

  /** Who wins the key among those that are `open` (not 0 there); -1 if nobody is. Ties: the lower id. */
  winner(keyHash: number, open: Uint8Array): number {
    const weights = this.#weights;
    const salts = this.#salts;
    const factors = this.#factors;
    let best = -1;
    let bestDraw = -1;
    let bestCost = 0;
    for (let at = 0; at < weights.length; at++) {
      if (open[at] === 0) continue;
      const draw = drawOf(keyHash, salts[at]!, factors[at]!);
      // No logarithm is needed to see that it loses.
      if (best >= 0 && draw <= bestDraw && weights[at]! <= weights[best]!) continue;
      const cost = drawCost(draw);
      if (best >= 0 && cost * weights[best]! >= bestCost * weights[at]!) continue;
      best = at;
      bestDraw = draw;
      bestCost = cost;
    }
    return best;
  }
}

function drawOf(keyHash: number, salt: number, factor: number): number {
  return mix32(Math.imul(keyHash ^ salt, factor));
}

/**
 * -log2(draw / 2^32) in units of 2^-32: a whole number from 1 to 2^37, smaller for a larger draw. The
 * draw 0 counts as 1.
 */
export function drawCost(draw: number): number {
  const word = draw === 0 ? 1 : draw;
  const zeros = Math.clz32(word);
  const mantissa = word << zeros;
  const entry = (mantissa >>> 23) & (entries - 1);
  const low = logarithms[entry]!;
  const step = logarithms[entry + 1]! - low;
  const between = Math.floor((step * (mantissa & 0x7f_ffff)) / 0x80_0000);
  return (zeros + 1) * one - (low + between);
}

const entries = 256;
const one = 0x1_0000_0000;
/** log2(1 + n / 256) in units of 2^-32, cut. */
const logarithms: Float64Array = Float64Array.from({ length: entries + 1 }, (_, n) =>
  n === entries ? one : fractionOfLog2(n),
);

/**
 * Binary digit by digit: a number from 1 to 2 is squared, and where that reaches 2 the next digit of
 * its logarithm is 1. Once for each entry when this file is loaded, hence with big integers.
 */
function fractionOfLog2(n: number): number {
  const fractionBits = 80n;
  const two = 2n << fractionBits;
  let x = (BigInt(entries + n) << fractionBits) / BigInt(entries);
  let digits = 0;
  for (let digit = 0; digit < 32; digit++) {
    x = (x * x) >> fractionBits;
    digits = digits * 2 + (x >= two ? 1 : 0);
    if (x >= two) x >>= 1n;
  }
  return digits;
}
