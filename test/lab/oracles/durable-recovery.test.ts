import { describe, expect, it } from "vitest";
import { boot, index, term } from "../../../src/core/ids.js";
import type { PersistRecord } from "../../../src/core/node/observer.js";
import type { Oracle } from "../../../src/lab/oracle.js";
import { durableState } from "../../../src/lab/oracles/durable-state.js";
import { entry, hardState, judge, node1, persist, recovered, view } from "./fakes.js";

/** What a start may find, after these batches of which the first `durable` were synced. */
describe("durable-state: a start finds what the disk had synced, no less and no more", () => {
  const second = boot(2);
  interface Course {
    readonly batches: readonly Partial<PersistRecord>[];
    readonly durable: number;
    readonly before?: (oracle: Required<Oracle>) => void;
  }

  function start({ batches, durable, before }: Course, found: Parameters<typeof recovered>[0]) {
    return judge(durableState, (oracle) => {
      batches.forEach((batch, n) => {
        oracle.submitted(node1, n, [persist(1, batch)]);
        if (n < durable) oracle.durable(node1, n);
      });
      before?.(oracle);
      oracle.crashed(node1);
      oracle.replicaStarted(node1, second, view({}), recovered(found));
    });
  }

  const saved = (ofTerm: number, vote = 0) => ({
    hardState: { term: term(ofTerm), vote, commit: index(0) },
  });
  const snapshot = (at: number, ofTerm: number) => ({
    index: index(at),
    term: term(ofTerm),
    configuration: new Uint8Array(),
    sizeBytes: 0,
    checksum: 0,
  });
  const entries = (...terms: number[]) => terms.map((of, n) => entry(n + 1, of));

  it("term and vote: those of the last sync or of the write after it", () => {
    const course = { batches: [{ hardState: hardState(3) }, { hardState: hardState(4, 2) }] };
    const found = (...of: Parameters<typeof saved>) =>
      start({ ...course, durable: 1 }, saved(...of));
    expect(found(3)).toEqual([]);
    expect(found(4, 2)).toEqual([]);
    expect(found(2)).toEqual(["recovery without its term n"]);
    expect(found(5)).toEqual(["recovery with term n, which was never written"]);
    const between = "recovery to a state that no write left:";
    expect(found(3, 2)).toEqual([
      `${between} with a vote that was never written, or without its term n`,
    ]);
    expect(found(4)).toEqual([
      `${between} with term n, which was never written, or without its vote`,
    ]);
    const voted = { batches: [{ hardState: hardState(3) }], durable: 1 };
    expect(start(voted, saved(3, 2))).toEqual(["recovery with a vote that was never written"]);
  });

  it("term: that of a snapshot which came before it, but no vote in it", () => {
    const course = { batches: [{ hardState: hardState(3, 2) }], durable: 1 };
    expect(start(course, { ...saved(5), snapshot: snapshot(9, 5) })).toEqual([]);
    expect(start(course, { ...saved(5, 1), snapshot: snapshot(9, 5) })).toEqual([
      "recovery with term n, which was never written",
    ]);
  });

  it("entries: none before the last sync is missing, none is there that nobody wrote", () => {
    const course = {
      batches: [{ entries: entries(1, 1) }, { entries: [entry(3, 1)] }],
      durable: 1,
    };
    expect(start(course, { entries: entries(1, 1) })).toEqual([]);
    expect(start(course, { entries: entries(1, 1, 1) })).toEqual([]);
    expect(start(course, { entries: entries(1) })).toEqual(["recovery without its entry at n"]);
    expect(start(course, { entries: entries(1, 2) })).toEqual(["recovery without its entry at n"]);
    expect(start(course, { entries: entries(1, 1, 1, 1) })).toEqual([
      "recovery with an entry at n, which was never written or was cut",
    ]);
  });

  it("entries: what was cut stays away once the cut is durable", () => {
    const cut = { truncateFrom: index(2), entries: [entry(2, 2)] };
    const course = (durable: number) => ({
      batches: [{ entries: entries(1, 1, 1) }, cut],
      durable,
    });
    expect(start(course(1), { entries: entries(1, 1, 1) })).toEqual([]);
    expect(start(course(2), { entries: entries(1, 2) })).toEqual([]);
    expect(start(course(2), { entries: entries(1, 2, 1) })).toEqual([
      "recovery with an entry at n, which was never written or was cut",
    ]);
    // Half of one write: neither what was there before it nor what it made of that.
    expect(start(course(1), { entries: entries(1, 1) })).toEqual([
      "recovery without its entry at n",
    ]);
  });

  it("snapshot: stands for the log up to it, and for all of a log that it contradicts", () => {
    const course = { batches: [{ entries: entries(1, 1, 1) }, saved(2)], durable: 2 };
    const found = (at: number, ofTerm: number, after: Parameters<typeof entry>[]) =>
      start(course, {
        ...saved(2),
        snapshot: snapshot(at, ofTerm),
        entries: after.map((of) => entry(...of)),
      });
    expect(found(2, 1, [[3, 1]])).toEqual([]);
    expect(found(2, 1, [])).toEqual(["recovery without its entry at n"]);
    expect(found(2, 2, [])).toEqual([]);
    expect(found(9, 2, [])).toEqual([]);
    expect(found(9, 2, [[10, 2]])).toEqual([
      "recovery with an entry at n, which was never written or was cut",
    ]);
  });

  it("snapshot: one that took the log's place is found again", () => {
    const batches = [{ installed: snapshot(5, 1), entries: [entry(6, 1)] }];
    const course = { batches, durable: 1 };
    expect(start(course, { snapshot: snapshot(5, 1), entries: [entry(6, 1)] })).toEqual([]);
    expect(start(course, { entries: [] })).toEqual(["recovery without its snapshot at n"]);
  });

  it("damage: known to the replica, and done by a fault", () => {
    const course = { batches: [{ entries: entries(1, 1, 1) }], durable: 1 };
    const rotten = {
      ...course,
      before: (oracle: Required<Oracle>) => oracle.diskDamaged(node1),
    };
    const known = { entries: entries(1), damagedThrough: index(3) };
    expect(start(rotten, known)).toEqual([]);
    expect(start(course, known)).toEqual(["recovery with damage where none was done"]);
    expect(start(rotten, { ...known, damagedThrough: index(2) })).toEqual([
      "recovery without its entry at n",
    ]);
    expect(start(rotten, { ...known, entries: entries(2) })).toEqual([
      "recovery without its entry at n",
    ]);
  });

  it("damage: none on a disk that came after it", () => {
    const before = (oracle: Required<Oracle>) => {
      oracle.diskDamaged(node1);
      oracle.diskLost(node1);
    };
    expect(start({ batches: [], durable: 0, before }, { damagedThrough: index(1) })).toEqual([
      "recovery with damage where none was done",
    ]);
  });
});
