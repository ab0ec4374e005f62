import { expect, test } from "vitest";
import type { Entry } from "../../../src/core/entry.js";
import {
  type Index,
  type Term,
  type Token,
  groupId,
  incarnation,
  replicaId,
} from "../../../src/core/ids.js";
import { HeldBack } from "../../../src/core/node/held.js";
import { type Sleeper, WakeHeap } from "../../../src/core/node/wake-heap.js";
import { type PersistEffect, WriteQueue, type Writer } from "../../../src/core/node/write-queue.js";
import { nextWord, seededRandom } from "../../../src/core/random.js";

const marks = { hit: (): void => {} };

function writer(group: number): Writer {
  return {
    group: groupId(group),
    incarnation: incarnation(1),
    replica: replicaId(1),
    leads: true,
    commit: 0 as Index,
    waiting: null,
    lastBatch: 0,
    persisted: () => {},
    persistFailed: () => {},
  };
}

function entry(index: number, bytes = 1): Entry {
  const at = { term: 1 as Term, index: index as Index };
  return { ...at, type: 1, keyEpoch: 0, payload: new Uint8Array(bytes) };
}

function persist(token: number, more: Partial<PersistEffect> = {}): PersistEffect {
  const nothing = { hardState: null, truncateFrom: 0 as Index, entries: [], installed: null };
  return { kind: "persist", token: token as Token, ...nothing, repaired: false, ...more };
}

test("write queue: two writes of one replica become one, the later truncation cutting the earlier", () => {
  const queue = new WriteQueue(65_536, marks);
  const a = writer(1);
  queue.persist(a, persist(1, { entries: [entry(5), entry(6), entry(7)] }));
  queue.persist(a, persist(2, { truncateFrom: 6 as Index, entries: [entry(6)] }));
  const [write, ...others] = queue.take();
  expect(others).toEqual([]);
  expect(write).toMatchObject({ token: 2, firstToken: 1, truncateFrom: 6 });
  expect(write!.entries.map(({ index }) => index)).toEqual([5, 6]);
});

test("write queue: a large write is split, and only its last piece makes its token durable", () => {
  const queue = new WriteQueue(16_384, marks);
  const a = writer(1);
  const entries = Array.from({ length: 10 }, (_, at) => entry(at + 1, 3000));
  queue.persist(a, persist(4, { entries }));
  queue.persist(writer(2), persist(1, { entries: [entry(1)] }));
  const indexes: number[] = [];
  const tokens: number[] = [];
  while (queue.size > 0) {
    const batch = queue.take();
    expect(new Set(batch.map((write) => write.writer)).size).toBe(batch.length);
    for (const write of batch.filter(({ writer: of }) => of === a)) {
      tokens.push(write.token);
      expect(write.firstToken).toBe(4);
      indexes.push(...write.entries.map(({ index }) => index));
    }
  }
  expect(indexes).toEqual(entries.map(({ index }) => index));
  expect(tokens.slice(0, -1).every((token) => token === 0)).toBe(true);
  expect(tokens.at(-1)).toBe(4);
});

test("write queue: what is refused takes all that the replica asked for later with it", () => {
  const queue = new WriteQueue(65_536, marks);
  const [a, b] = [writer(1), writer(2)];
  queue.persist(a, persist(1));
  queue.persist(b, persist(1));
  expect(queue.take()).toHaveLength(2);
  queue.persist(a, persist(2));
  queue.persist(b, persist(2));
  queue.drop(a);
  expect(queue.take().map(({ group }) => group)).toEqual([2]);
});

test("held back: what waits leaves in order, and only for tokens that are durable", () => {
  const held = new HeldBack<{ after: Token; name: string }>();
  const effect = (after: number, name: string): { after: Token; name: string } => {
    return { after: after as Token, name };
  };
  for (const one of [effect(2, "a"), effect(1, "b"), effect(3, "c"), effect(2, "d")]) {
    expect(held.mustWait(one)).toBe(true);
    held.hold(one);
  }
  held.durable = 2 as Token;
  const out: { after: Token; name: string }[] = [];
  held.release(out);
  expect(out.map(({ name }) => name)).toEqual(["a", "b", "d"]);
  expect(held.dropFrom(3 as Token)).toBe(1);
  expect(held.size).toBe(0);
  expect(held.mustWait(effect(2, "e"))).toBe(false);
});

test("wake heap: whatever is wished and taken back, the soonest comes first", () => {
  const heap = new WakeHeap();
  const random = seededRandom([1, 2, 3, 4]);
  const sleepers: Sleeper[] = Array.from({ length: 50 }, () => {
    return { wakeAtUs: Infinity, wakeSlot: -1, woken: () => {} };
  });
  for (let round = 0; round < 4000; round++) {
    const sleeper = sleepers[nextWord(random) % sleepers.length]!;
    const word = nextWord(random) % 1000;
    if (word < 100) heap.wakeAt(sleeper, Infinity);
    else if (word < 200) heap.remove(sleeper);
    else heap.wakeAt(sleeper, word);
    const wishes = sleepers.map(({ wakeAtUs }) => wakeAtUs);
    expect(heap.soonestUs).toBe(Math.min(...wishes));
    expect(heap.size).toBe(wishes.filter((at) => at < Infinity).length);
  }
  let before = 0;
  for (let next = heap.takeDue(500); next !== null; next = heap.takeDue(500)) {
    expect(next.wakeSlot).toBe(-1);
    before++;
  }
  expect(before).toBeGreaterThan(0);
  expect(heap.soonestUs).toBeGreaterThan(500);
});
