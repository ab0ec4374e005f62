/** A group that fails, stalls or loses its log slows no other; and more nodes carry more groups. */
import { describe, expect, test } from "vitest";
import { isolationOf, troubles } from "../../bench/isolation.js";
import { commitsPerSecond } from "../../bench/spread.js";

const seeds = [1];
/** Of the others' 99th percentile. */
const ratioMax = 1.1;

/** What shows that the trouble is one. */
const signs: Readonly<Record<string, (of: ReturnType<typeof isolationOf>) => void>> = {
  "majority-lost": ({ own }) => expect(own.with).toBe(0),
  "machine-stalls": ({ own }) => expect(own.with).toBeLessThan(own.without / 100),
  "machine-slow": ({ own }) => expect(own.with).toBeLessThan(own.without / 10),
  "log-damaged": ({ marks }) => expect(marks["repairedByLeader"]).toBeGreaterThan(0),
};

describe.each(troubles.map((trouble) => [trouble.name, trouble] as const))(
  "%s",
  (name, trouble) => {
    test.each(seeds)("isolation: the other groups do not notice (seed %i)", (seed) => {
      const isolation = isolationOf(trouble, seed);
      expect(isolation.effective).toBeGreaterThan(0);
      signs[name]!(isolation);
      expect(isolation.withUs / isolation.withoutUs).toBeLessThanOrEqual(ratioMax);
    });
  },
);

// Groups on nodes of their own share nothing, so that what is lost is only chance: one of them has
// slower links and elects its leader later than another.
test("spread: eight groups on nodes of their own commit nearly eight times as much", () => {
  const one = commitsPerSecond(1, "apart", 1);
  expect(commitsPerSecond(8, "apart", 1) / (8 * one)).toBeGreaterThan(0.9);
});

test("spread: on the same three nodes they do not: the nodes are what is busy", () => {
  const one = commitsPerSecond(1, "together", 1);
  expect(commitsPerSecond(8, "together", 1) / (8 * one)).toBeLessThan(3 / 8);
});
