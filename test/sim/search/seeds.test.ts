import { describe, expect, test } from "vitest";
import {
  parseDuration,
  parseSeed,
  parseSeedRange,
  parseShard,
  runAt,
  shardRuns,
  type PlannedRun,
  type SearchPlan,
} from "../../../src/sim/search/seeds.js";

describe("seeds: what is typed", () => {
  test.each([
    ["0", 0],
    ["9007199254740991", 2 ** 53 - 1],
    ["9007199254740992", null],
    ["0x1f", 31],
    ["0X1fffffffffffff", 2 ** 53 - 1],
    ["0x20000000000000", null],
    ["c1742c4d00000000000000000000000000000000", 0xc1742c4d],
    ["1234567890123456789012345678901234567890", 0x12345678],
    ["", null],
    ["-1", null],
    ["1e3", null],
    ["1.5", null],
    [" 7", null],
    ["0x", null],
  ])("%j is %s", (text, seed) => expect(parseSeed(text)).toBe(seed));

  test.each([
    ["3..3", { from: 3, runs: 1 }],
    ["0x10..20", { from: 16, runs: 5 }],
    ["4..3", null],
    ["4", null],
    ["1..2..3", null],
    ["..5", null],
  ])("range %j is %j", (text, range) => expect(parseSeedRange(text)).toEqual(range));

  test.each([
    ["1/1", { index: 1, of: 1 }],
    ["3/8", { index: 3, of: 8 }],
    ["0/8", null],
    ["9/8", null],
    ["1/99999", null],
    ["1", null],
  ])("shard %j is %j", (text, shard) => expect(parseShard(text)).toEqual(shard));

  test.each([
    ["500ms", 500],
    ["90s", 90_000],
    ["10m", 600_000],
    ["2h", 7_200_000],
    ["10", null],
    ["m", null],
  ])("duration %j is %s", (text, ms) => expect(parseDuration(text)).toBe(ms));
});

describe("seeds: runs of a plan", () => {
  const plan: SearchPlan = {
    scenarios: ["a", "b", "c"],
    from: 40,
    runs: 11,
    safetyOnly: false,
    shard: { index: 1, of: 1 },
  };
  const all = (of: SearchPlan): PlannedRun[] =>
    Array.from({ length: shardRuns(of) }, (_, ordinal) => runAt(of, ordinal));

  test("scenarios take turns while seeds count up", () => {
    expect(all(plan).slice(0, 4)).toEqual([
      { run: 0, scenario: "a", seed: 40, safetyOnly: false },
      { run: 1, scenario: "b", seed: 41, safetyOnly: false },
      { run: 2, scenario: "c", seed: 42, safetyOnly: false },
      { run: 3, scenario: "a", seed: 43, safetyOnly: false },
    ]);
  });

  test.each([1, 2, 3, 5, 11, 20])("%i shards hold every run once", (of) => {
    const shards = Array.from({ length: of }, (_, at) =>
      all({ ...plan, shard: { index: at + 1, of } }),
    );
    const runs = shards.flat().sort((x, y) => x.run - y.run);
    expect(runs).toEqual(all(plan));
  });
});
