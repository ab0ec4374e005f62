import type { MemoryMeter } from "./memory.js";

const NONE = -1;
const BUCKETS_MIN = 64;
/** Where the fields of a record are. */
export const RECORD_PLACE = 2;
export const RECORD_STATE = 3;
export const RECORD_WORDS = 4;
const RECORD_HASH = 0;
const RECORD_NEXT = 1;

/**
 * The configurations that were met: records of 32-bit words in one array, found by hash and then compared word by
 * word, so that a collision costs time and never a wrong answer.
 *
 * Lowe's memo, sharpened: a configuration is also known when one was met with the same place, state and `done` that
 * owes no more in any field of `debt`. Whatever completes the worse one completes the better one, with fewer open
 * operations or reads that are satisfied earlier.
 */
export class Memo {
  /** [hash, next, place, state, done words, debt words] for each record. */
  records: Int32Array = new Int32Array(0);
  #buckets: Int32Array = new Int32Array(0);
  #bucketMask = 0;
  #count = 0;
  #doneEnd = 0;
  #recordWords = 0;
  #guards: Int32Array = new Int32Array(0);
  #meter: MemoryMeter | null = null;
  /** What a memo without arrays from before would hold by now. The meter counts only this. */
  #roomWords = 0;
  #roomBuckets = 0;
  /** Records looked at; the search pays for them. */
  scanned = 0;

  /**
   * Empties the memo for another problem; answers false when memory is short. Arrays are kept, but not counted before
   * they are needed again: an answer must not depend on what was checked before.
   */
  reset(doneWords: number, guards: Int32Array, meter: MemoryMeter): boolean {
    this.#doneEnd = RECORD_WORDS + doneWords;
    this.#recordWords = this.#doneEnd + guards.length;
    this.#guards = guards;
    this.#count = 0;
    this.scanned = 0;
    this.#meter = meter;
    this.#roomWords = this.#roomBuckets = 0;
    return this.#growBuckets(BUCKETS_MIN);
  }

  /** Gives its bytes back to the meter; the arrays stay for the next `reset`. */
  close(): void {
    this.#meter?.release((this.#roomWords + this.#roomBuckets) * 4);
    this.#meter = null;
  }

  /** Of its arrays, kept ones included. */
  get bytes(): number {
    return this.records.byteLength + this.#buckets.byteLength;
  }

  /** The offset of a free record, to be filled and then added; or -1 when memory is short. */
  draft(): number {
    const offset = this.#count * this.#recordWords;
    const needed = offset + this.#recordWords;
    if (needed <= this.#roomWords) return offset;
    const words = Math.max(needed, this.#roomWords * 2, 64 * this.#recordWords);
    if (words > 0x1fffffff || !this.#meter!.reserve(words * 4)) return NONE;
    this.#meter!.release(this.#roomWords * 4);
    this.#roomWords = words;
    if (this.records.length < words) {
      const grown = new Int32Array(words);
      grown.set(this.records);
      this.records = grown;
    }
    return offset;
  }

  /** Adds the draft unless it is known: "added", "known", or "memory" when there is no room. */
  add(draft: number): "added" | "known" | "memory" {
    const { records } = this;
    const hash = this.#hashOf(draft);
    for (
      let other = this.#buckets[hash & this.#bucketMask]!;
      other !== NONE;
      other = records[other + RECORD_NEXT]!
    ) {
      this.scanned++;
      if (records[other + RECORD_HASH] === hash && this.#covers(other, draft)) return "known";
    }
    if (this.#count > this.#bucketMask && !this.#rehash()) return "memory";
    const bucket = hash & this.#bucketMask;
    records[draft + RECORD_HASH] = hash;
    records[draft + RECORD_NEXT] = this.#buckets[bucket]!;
    this.#buckets[bucket] = draft;
    this.#count++;
    return "added";
  }

  /** Whether record `a` has the place, state and `done` of `b`, and no field of `debt` above that of `b`. */
  #covers(a: number, b: number): boolean {
    const { records } = this;
    const doneEnd = this.#doneEnd;
    for (let word = RECORD_PLACE; word < doneEnd; word++) {
      if (records[a + word] !== records[b + word]) return false;
    }
    const guards = this.#guards;
    for (let word = 0; word < guards.length; word++) {
      const guard = guards[word]!;
      // A guard is borrowed from exactly when the field below it is larger in `a` than in `b`.
      const difference = (records[b + doneEnd + word]! | guard) - records[a + doneEnd + word]!;
      if ((difference & guard) !== guard) return false;
    }
    return true;
  }

  #hashOf(record: number): number {
    let hash = 0;
    for (let word = RECORD_PLACE; word < this.#doneEnd; word++) {
      hash = Math.imul(hash ^ this.records[record + word]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }

  #rehash(): boolean {
    if (!this.#growBuckets(this.#roomBuckets * 2)) return false;
    const { records } = this;
    const end = this.#count * this.#recordWords;
    for (let record = 0; record < end; record += this.#recordWords) {
      const bucket = records[record + RECORD_HASH]! & this.#bucketMask;
      records[record + RECORD_NEXT] = this.#buckets[bucket]!;
      this.#buckets[bucket] = record;
    }
    return true;
  }

  /** Room for so many, all empty. */
  #growBuckets(buckets: number): boolean {
    if (!this.#meter!.reserve(buckets * 4)) return false;
    this.#meter!.release(this.#roomBuckets * 4);
    this.#roomBuckets = buckets;
    this.#bucketMask = buckets - 1;
    if (this.#buckets.length < buckets) this.#buckets = new Int32Array(buckets);
    this.#buckets.fill(NONE, 0, buckets);
    return true;
  }
}
