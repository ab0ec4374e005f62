import { expect, test } from "vitest";
import { Decisions } from "../../src/sim/decisions.js";
import { KeyedStream, bucketUs, sequential } from "../../src/sim/streams.js";

test("streams: a draw more about one thing: moves nothing about another", () => {
  const [once, twice] = [new KeyedStream(7, "loss"), new KeyedStream(7, "loss")];
  once.word(100, 1, 2);
  twice.word(100, 1, 2);
  twice.word(100, 1, 2);
  expect(twice.word(100, 1, 3)).toBe(once.word(100, 1, 3));
  expect(twice.word(100, 2, 2)).toBe(once.word(100, 2, 2));
});

test("streams: a draw more in one bucket: moves later equals there and none of the next", () => {
  const [once, twice] = [new KeyedStream(7, "loss"), new KeyedStream(7, "loss")];
  once.word(100, 1, 2);
  twice.word(100, 1, 2);
  twice.word(100, 1, 2);
  expect(twice.word(200, 1, 2)).not.toBe(once.word(200, 1, 2));
  expect(twice.word(bucketUs, 1, 2)).toBe(once.word(bucketUs, 1, 2));
});

test("streams: many keys in one bucket: ordinals survive the growth of the table", () => {
  const [stream, again] = [new KeyedStream(3, "x"), new KeyedStream(3, "x")];
  for (let key = 0; key < 5_000; key++) stream.word(0, key);
  again.word(0, 77);
  expect(stream.word(0, 77)).toBe(again.word(0, 77));
  expect(stream.ordinal).toBe(1);
});

test("streams: words of a stream: fill the range evenly", () => {
  const stream = new KeyedStream(11, "even");
  const counts = Array.from({ length: 16 }, () => 0);
  for (let n = 0; n < 16_000; n++) counts[stream.word(n * 10, n & 7) >>> 28]!++;
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(200);
});

test("streams: sequential draws: same for a seed and name, within bounds, other for another", () => {
  const take = (seed: number, name: string): number[] => {
    const draw = sequential(seed, name);
    return Array.from({ length: 50 }, () => draw.integer(-3, 9));
  };
  expect(take(1, "a")).toEqual(take(1, "a"));
  expect(take(1, "a")).not.toEqual(take(1, "b"));
  expect(take(1, "a")).not.toEqual(take(2, "a"));
  expect(new Set(take(1, "a"))).toEqual(new Set(Array.from({ length: 13 }, (_, n) => n - 3)));
});

test("decisions: replay: listed draws come out unusual, all others usual, unmatched are told", () => {
  const first = new Decisions(5, { listed: null });
  const gate = first.gate("loss");
  const outcomes = Array.from({ length: 200 }, (_, n) => gate.unusual(100, n * 1_000, n % 3));
  expect(outcomes.filter(Boolean).length).toBe(first.taken.length);
  expect(first.taken.length).toBeGreaterThan(5);

  const kept = first.taken[2]!;
  const replay = new Decisions(5, { listed: [kept, "loss:9:9:9@0#0"] });
  const again = replay.gate("loss");
  const replayed = Array.from({ length: 200 }, (_, n) => again.unusual(1_000, n * 1_000, n % 3));
  expect(replayed.filter(Boolean).length).toBe(1);
  expect(outcomes[replayed.indexOf(true)]).toBe(true);
  expect(replay.taken).toEqual([kept]);
  expect(replay.unmatched()).toEqual(["loss:9:9:9@0#0"]);
});

test("decisions: more unusual draws than are recorded: the rest is counted", () => {
  const decisions = new Decisions(5, { listed: null });
  const gate = decisions.gate("loss");
  const draw = (count: number): void => {
    for (let n = 0; n < count; n++) gate.unusual(1_000, 0, n & 7);
  };
  draw(1 << 20);
  expect([decisions.taken.length, decisions.beyond]).toEqual([1 << 20, 0]);
  draw(3);
  expect([decisions.taken.length, decisions.beyond]).toEqual([1 << 20, 3]);
});
