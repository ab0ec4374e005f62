/**
 * The one queue of a simulated world, ordered by (time, sequence), jumping to the next event.
 *
 * An event is a kind, three small numbers and a payload, kept in typed arrays: scheduling one
 * allocates nothing once the arrays have grown.
 */
import { assert } from "../core/assert.js";

const capacityAtFirst = 1_024;
/** More than this many pending events is a leak of ours. */
const eventsMax = 1 << 22;

/**
 * 1. `heapTime`, `heapSequence` and `heapSlot` are a 4-ary heap on (time, sequence).
 * 2. No two events have one sequence, so the order is total.
 * 3. A slot is in the heap or on the free list, never both.
 */
export class Scheduler {
  /** World time, integer microseconds; that of the current event. */
  nowUs = 0;
  /** The current event. */
  kind = 0;
  a = 0;
  b = 0;
  c = 0;
  payload: unknown = null;

  /** Pending events. */
  size = 0;
  #sequence = 0;
  #heapTime = new Float64Array(capacityAtFirst);
  #heapSequence = new Float64Array(capacityAtFirst);
  #heapSlot = new Int32Array(capacityAtFirst);
  #free = new Int32Array(capacityAtFirst);
  #freeCount = 0;
  #slotsUsed = 0;
  #kinds = new Uint8Array(capacityAtFirst);
  #a = new Int32Array(capacityAtFirst);
  #b = new Int32Array(capacityAtFirst);
  #c = new Float64Array(capacityAtFirst);
  readonly #payloads: unknown[] = [];

  /** Adds an event at `atUs`, or now if that is past. `a` and `b` are 32-bit, `c` any number. */
  add(atUs: number, kind: number, a = 0, b = 0, c = 0, payload: unknown = null): void {
    const slot = this.#freeCount > 0 ? this.#free[--this.#freeCount]! : this.#newSlot();
    this.#kinds[slot] = kind;
    this.#a[slot] = a;
    this.#b[slot] = b;
    this.#c[slot] = c;
    this.#payloads[slot] = payload;
    const time = atUs < this.nowUs ? this.nowUs : atUs;
    const times = this.#heapTime;
    const sequences = this.#heapSequence;
    const slots = this.#heapSlot;
    const sequence = this.#sequence++;
    // Sift up; its sequence is the newest, so an equal time goes below.
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 2;
      if (times[parent]! <= time) break;
      times[at] = times[parent]!;
      sequences[at] = sequences[parent]!;
      slots[at] = slots[parent]!;
      at = parent;
    }
    times[at] = time;
    sequences[at] = sequence;
    slots[at] = slot;
  }

  /** When the next event is due; Infinity when there is none. */
  nextAtUs(): number {
    return this.size === 0 ? Infinity : this.#heapTime[0]!;
  }

  /** Moves to the next event; false when there is none. */
  next(): boolean {
    if (this.size === 0) return false;
    const slot = this.#heapSlot[0]!;
    this.nowUs = this.#heapTime[0]!;
    this.kind = this.#kinds[slot]!;
    this.a = this.#a[slot]!;
    this.b = this.#b[slot]!;
    this.c = this.#c[slot]!;
    this.payload = this.#payloads[slot];
    this.#payloads[slot] = null;
    this.#free[this.#freeCount++] = slot;
    const last = --this.size;
    if (last > 0) this.#siftDown(last);
    return true;
  }

  /** Puts what stands at `last`, which is no longer part of the heap, where it belongs. */
  #siftDown(last: number): void {
    const times = this.#heapTime;
    const sequences = this.#heapSequence;
    const slots = this.#heapSlot;
    const time = times[last]!;
    const sequence = sequences[last]!;
    const slot = slots[last]!;
    let at = 0;
    for (;;) {
      const first = at * 4 + 1;
      if (first >= last) break;
      const end = first + 4 < last ? first + 4 : last;
      let least = first;
      for (let child = first + 1; child < end; child++) {
        if (
          times[child]! < times[least]! ||
          (times[child]! === times[least]! && sequences[child]! < sequences[least]!)
        ) {
          least = child;
        }
      }
      if (times[least]! > time || (times[least]! === time && sequences[least]! > sequence)) {
        break;
      }
      times[at] = times[least]!;
      sequences[at] = sequences[least]!;
      slots[at] = slots[least]!;
      at = least;
    }
    times[at] = time;
    sequences[at] = sequence;
    slots[at] = slot;
  }

  #newSlot(): number {
    if (this.#slotsUsed === this.#kinds.length) this.#grow();
    return this.#slotsUsed++;
  }

  #grow(): void {
    const capacity = this.#kinds.length * 2;
    assert(capacity <= eventsMax, "pending events stay bounded", { capacity });
    this.#heapTime = grownFloats(this.#heapTime, capacity);
    this.#heapSequence = grownFloats(this.#heapSequence, capacity);
    this.#c = grownFloats(this.#c, capacity);
    this.#heapSlot = grownInts(this.#heapSlot, capacity);
    this.#free = grownInts(this.#free, capacity);
    this.#a = grownInts(this.#a, capacity);
    this.#b = grownInts(this.#b, capacity);
    const kinds = new Uint8Array(capacity);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
  }
}

function grownFloats(from: Float64Array<ArrayBuffer>, capacity: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(capacity);
  to.set(from);
  return to;
}

function grownInts(from: Int32Array<ArrayBuffer>, capacity: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(capacity);
  to.set(from);
  return to;
}
