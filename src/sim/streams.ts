/**
 * Chance, all of it from the seed. `alea` makes sequential streams for what happens in a fixed
 * order (options, workload) and the words of keyed streams for what does not.
 *
 * A keyed draw is a mix of the stream's words, what the draw is about, a coarse bucket of world
 * time and an ordinal among equals of that bucket. So a message more or less moves nothing but
 * later equals in its bucket. Integers only.
 */
import alea from "seedrandom/lib/alea.js";
import type { Draw } from "../lab/draw.js";
import { mix32 } from "../core/hash.js";

/** Ordinals are forgotten after so much world time. */
export const bucketUs = 131_072;

/** The sequential stream `name` of `seed`: `options`, `workload-3`, ... */
export function sequential(seed: number, name: string): Draw {
  const next = alea(`${seed}/${name}`);
  const word = (): number => next.int32() >>> 0;
  const integer = (min: number, max: number): number => {
    const span = max - min + 1;
    if (span <= 1) return min;
    // `| 0`: a remainder of a word beyond 31 bits is a float to V8, however small it is. Node and
    // group numbers are drawn here, and one float makes their field a float in every object.
    if (span < high / 2) return min + ((word() % span) | 0);
    return min + (span <= high ? word() % span : ((word() & 0x1f_ffff) * high + word()) % span);
  };
  return {
    integer,
    chance: (thousandths) => word() % 1_000 < thousandths,
    pick: (from) => from[integer(0, from.length - 1)]!,
    some(from, count) {
      const left = [...from];
      const taken = [];
      while (taken.length < count && left.length > 0) {
        taken.push(...left.splice(integer(0, left.length - 1), 1));
      }
      return taken;
    },
  };
}

const high = 0x1_0000_0000;

/** Four 32-bit words that only the seed and `name` decide. */
export function seedWords(seed: number, name: string): readonly [number, number, number, number] {
  const next = alea(`${seed}/${name}`);
  const word = (): number => next.int32() >>> 0;
  return [word(), word(), word(), word()];
}

const tableAtFirst = 1 << 10;

/**
 * One keyed stream. The ordinals of the current bucket stand in an open-addressed table whose
 * entries die with the bucket: nothing is cleared, nothing is allocated.
 */
export class KeyedStream {
  readonly #a: number;
  readonly #b: number;
  #keys = new Int32Array(tableAtFirst);
  #buckets = new Int32Array(tableAtFirst).fill(-1);
  #counts = new Int32Array(tableAtFirst);
  #live = 0;
  #bucket = 0;
  #bucketEndUs = bucketUs;
  /** Ordinal and bucket of the last draw: with its key they are its name. */
  ordinal = 0;

  constructor(seed: number, name: string) {
    [this.#a, this.#b] = seedWords(seed, name);
  }

  /** Bucket of the last draw. */
  get bucket(): number {
    return this.#bucket;
  }

  /** The word of the next draw about (`k0`, `k1`, `k2`) at `nowUs`: 0 to 2^32 - 1. */
  word(nowUs: number, k0: number, k1 = 0, k2 = 0): number {
    if (nowUs >= this.#bucketEndUs) {
      this.#bucket = Math.floor(nowUs / bucketUs);
      this.#bucketEndUs = (this.#bucket + 1) * bucketUs;
      this.#live = 0;
    }
    let key = Math.imul(k0 ^ this.#a, 0x9e3779b1);
    key = Math.imul(key ^ (key >>> 15) ^ k1, 0x85ebca77);
    key = Math.imul(key ^ (key >>> 13) ^ k2, 0xc2b2ae3d);
    key ^= key >>> 16;
    this.ordinal = this.#ordinalOf(key);
    return mix32(mix32(key + Math.imul(this.#bucket, 0x9e3779b1)) ^ this.#b ^ this.ordinal);
  }

  /** A second, third, ... word of the draw that gave `word`. */
  again(word: number, n: number): number {
    return mix32(word + Math.imul(n, 0x6d2b79f5));
  }

  #ordinalOf(key: number): number {
    const mask = this.#keys.length - 1;
    let at = key & mask;
    while (this.#buckets[at] === this.#bucket) {
      if (this.#keys[at] === key) return ++this.#counts[at]!;
      at = (at + 1) & mask;
    }
    this.#keys[at] = key;
    this.#buckets[at] = this.#bucket;
    this.#counts[at] = 0;
    if (++this.#live * 2 > mask) this.#grow();
    return 0;
  }

  #grow(): void {
    const { length } = this.#keys;
    const [keys, buckets, counts] = [this.#keys, this.#buckets, this.#counts];
    const mask = length * 2 - 1;
    this.#keys = new Int32Array(length * 2);
    this.#buckets = new Int32Array(length * 2).fill(-1);
    this.#counts = new Int32Array(length * 2);
    for (let from = 0; from < length; from++) {
      if (buckets[from] !== this.#bucket) continue;
      let at = keys[from]! & mask;
      while (this.#buckets[at] === this.#bucket) at = (at + 1) & mask;
      this.#keys[at] = keys[from]!;
      this.#buckets[at] = this.#bucket;
      this.#counts[at] = counts[from]!;
    }
  }
}

/** A whole number from `min` to `max`, both included, from a word. */
export function within(word: number, min: number, max: number): number {
  return max <= min ? min : min + (word % (max - min + 1));
}
