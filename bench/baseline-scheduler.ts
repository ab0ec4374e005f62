/**
 * The frozen baseline for the simulator's speed: a binary heap in an array, ordered by (time,
 * sequence), one closure for each event, 1,000 of them pending, and nothing else. Never improved.
 */
interface Event {
  readonly time: number;
  readonly sequence: number;
  readonly run: () => void;
}

/** Events per second over `events` events. */
export function baselineRate(events: number): number {
  const heap: Event[] = [];
  let sequence = 0;
  let time = 0;
  let done = 0;
  let chance = 12_345;
  const push = (at: number, run: () => void): void => {
    const event = { time: at, sequence: sequence++, run };
    let child = heap.length;
    heap.push(event);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[child] = heap[parent]!;
      child = parent;
    }
    heap[child] = event;
  };
  const pop = (): Event => {
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      let parent = 0;
      for (;;) {
        let child = 2 * parent + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
        if (!before(heap[child]!, last)) break;
        heap[parent] = heap[child]!;
        parent = child;
      }
      heap[parent] = last;
    }
    return top;
  };
  const again = (): void => {
    done++;
    chance = (Math.imul(chance, 1_103_515_245) + 12_345) >>> 0;
    push(time + 1 + (chance % 1_000), () => again());
  };
  for (let n = 0; n < 1_000; n++) push(n, () => again());
  const startedMs = performance.now();
  while (done < events) {
    const event = pop();
    time = event.time;
    event.run();
  }
  return (events * 1_000) / (performance.now() - startedMs);
}

function before(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence);
}
