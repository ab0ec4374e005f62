import { describe, expect, test } from "vitest";
import { Shown } from "../../src/sim/shown.js";
import { configuration, type FakeEntry, view } from "../lab/oracles/fakes.js";
import type { RaftView } from "../../src/core/raft/view.js";

const log: readonly FakeEntry[] = [
  [1, 7],
  [1, 8],
];
const before = view({ log });

describe("shown", () => {
  const others: readonly Partial<RaftView>[] = [
    { term: 2 as RaftView["term"] },
    { vote: 2 as RaftView["vote"] },
    { role: "leader" },
    { leader: 2 as RaftView["leader"] },
    { commit: 1 as RaftView["commit"] },
    { applied: 1 as RaftView["applied"] },
    { first: 2 as RaftView["first"] },
    { last: 1 as RaftView["last"] },
    { durable: 1 as RaftView["durable"] },
    { damaged: true },
    { configuration: configuration([1, 2]) },
    { changedFrom: 2 },
  ];

  test.each(others)("shown: %o: a change, once", (other) => {
    const shown = new Shown();
    expect(shown.changes(before)).toBe(true);
    expect(shown.changes(before)).toBe(false);
    expect(shown.changes({ ...before, ...other })).toBe(true);
    expect(shown.changes({ ...before, ...other, changedFrom: Infinity })).toBe(false);
  });

  test("shown: leases and sizes of queues: no change", () => {
    const shown = new Shown();
    shown.changes(before);
    expect(shown.changes({ ...before, leaseUntilUs: 9, bounds: () => [] })).toBe(false);
  });
});
