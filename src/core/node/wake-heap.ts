/** The deadlines of a node's sleepers, of which the clock is told only the soonest. */

/** 1. `slot` is where it stands in the heap, -1 when it asks for nothing. 2. Only the heap writes. */
export interface Sleeper {
  wakeAtUs: number;
  wakeSlot: number;
  /** Its deadline has come. Called outside of any other step. */
  woken(): void;
}

/** A binary heap: no parent is later than its children; ties wake in no stated but a fixed order. */
export class WakeHeap {
  readonly #heap: Sleeper[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The soonest deadline; Infinity when nobody sleeps. */
  get soonestUs(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0]!.wakeAtUs;
  }

  /** Replaces the sleeper's earlier wish; Infinity asks for nothing. */
  wakeAt(sleeper: Sleeper, atUs: number): void {
    if (sleeper.wakeSlot < 0) {
      if (atUs === Infinity) return;
      sleeper.wakeSlot = this.#heap.length;
      this.#heap.push(sleeper);
    } else if (atUs === Infinity) {
      this.remove(sleeper);
      return;
    }
    sleeper.wakeAtUs = atUs;
    this.#up(sleeper);
    this.#down(sleeper);
  }

  /** The sleeper whose deadline has come longest ago, which then asks for nothing; else null. */
  takeDue(nowUs: number): Sleeper | null {
    const first = this.#heap[0];
    if (first === undefined || first.wakeAtUs > nowUs) return null;
    this.remove(first);
    return first;
  }

  remove(sleeper: Sleeper): void {
    const slot = sleeper.wakeSlot;
    if (slot < 0) return;
    sleeper.wakeSlot = -1;
    sleeper.wakeAtUs = Infinity;
    const last = this.#heap.pop()!;
    if (last === sleeper) return;
    this.#heap[slot] = last;
    last.wakeSlot = slot;
    this.#up(last);
    this.#down(last);
  }

  #up(sleeper: Sleeper): void {
    const heap = this.#heap;
    let slot = sleeper.wakeSlot;
    while (slot > 0) {
      const above = (slot - 1) >> 1;
      const parent = heap[above]!;
      if (parent.wakeAtUs <= sleeper.wakeAtUs) break;
      heap[slot] = parent;
      parent.wakeSlot = slot;
      slot = above;
    }
    heap[slot] = sleeper;
    sleeper.wakeSlot = slot;
  }

  #down(sleeper: Sleeper): void {
    const heap = this.#heap;
    let slot = sleeper.wakeSlot;
    for (;;) {
      let below = 2 * slot + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]!.wakeAtUs < heap[below]!.wakeAtUs) below++;
      const child = heap[below]!;
      if (child.wakeAtUs >= sleeper.wakeAtUs) break;
      heap[slot] = child;
      child.wakeSlot = slot;
      slot = below;
    }
    heap[slot] = sleeper;
    sleeper.wakeSlot = slot;
  }
}
