/**
 * Jump consistent hash (Lamping and Veach 2014): no table at all. It knows numbered buckets and not
 * ids; only the last bucket can come or go without moving more than it must. Here a target of weight
 * w has w buckets in a row, and the targets follow each other in ascending order of ids. So little
 * moves while new targets have higher ids than all others, as ids that are never used twice have, and
 * only the newest leaves.
 */
import { type HashScheme, inOrder } from "./scheme.js";

export const jump: HashScheme = {
  name: "jump",
  build(targets) {
    const ordered = inOrder(targets);
    let sum = 0;
    /** The bucket behind the last one of each target. */
    const ends = Float64Array.from(ordered, ({ weight }) => (sum += weight));
    return { locate: (keyHash) => ordered[firstAbove(ends, jumpBucket(keyHash, sum))]!.id };
  },
};

/**
 * The published function for keys below 2^32: a bucket below `buckets`, which is from 1 to 2^31. Its
 * 64-bit state is kept in two halves. Its one division and one product of floating point are rounded
 * as IEEE 754 says, so they are the same on every machine.
 */
export function jumpBucket(key: number, buckets: number): number {
  let high = 0;
  let low = key >>> 0;
  let bucket = -1;
  let next = 0;
  while (next < buckets) {
    bucket = next;
    // state = state * 2862933555777941757 + 1, modulo 2^64.
    const carried = highWord(low) + Math.imul(high, factorLow) + Math.imul(low, factorHigh);
    low = (Math.imul(low, factorLow) + 1) >>> 0;
    high = (low === 0 ? carried + 1 : carried) >>> 0;
    next = Math.floor((bucket + 1) * (0x8000_0000 / ((high >>> 1) + 1)));
  }
  return bucket;
}

const factorHigh = 0x27bb2ee6;
const factorLow = 0x87b0b0fd;

/** The upper half of the 64-bit product of `word` and `factorLow`. */
function highWord(word: number): number {
  const lower = (word & 0xffff) * factorLow;
  const upper = (word >>> 16) * factorLow;
  return Math.floor((upper + Math.floor(lower / 0x1_0000)) / 0x1_0000);
}

/** Where the first of the ascending `ends` above `bucket` stands. */
function firstAbove(ends: Float64Array, bucket: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! <= bucket) low = middle + 1;
    else high = middle;
  }
  return low;
}
