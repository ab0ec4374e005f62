/** What a key rotation asks for: of all that is applied nothing stays in the log. */
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../../../src/core/bytes.js";
import type { Boot, Index, ReplicaId, RequestId, Term } from "../../../src/core/ids.js";
import { fitsRow, writeRow } from "../../../src/core/raft/sleeping-row.js";
import { Alone, type Effect, entriesTo, entryAt, only, snapshotAt } from "./alone.js";

const now = { kind: "compactNow" } as const;

/** It has `count` entries and has applied them all. */
function applied(count = 10, raft = {}): Alone {
  const alone = new Alone({ entries: entriesTo(count), commit: count, raft });
  alone.step({ kind: "applied", index: count as Index });
  return alone;
}

function taken(alone: Alone, at: number): Effect[] {
  const request = alone.raft.state.takeRequest as RequestId;
  return alone.step({ kind: "snapshotTaken", request, snapshot: snapshotAt(at) });
}

function takenAt(effects: readonly Effect[]): number[] {
  return only(effects, "takeSnapshot").map(({ index }) => index);
}

function compacted(effects: readonly Effect[]): number[] {
  return only(effects, "compact").map(({ through }) => through);
}

describe("compact now", () => {
  test("compact now: a follower: one snapshot, and no trailing entries", () => {
    const alone = applied();
    expect(takenAt(alone.step(now))).toEqual([10]);
    expect(compacted(taken(alone, 10))).toEqual([10]);
    expect([alone.raft.view.first, alone.raft.view.last]).toEqual([11, 10]);
    // It is over: later snapshots keep what they always keep.
    expect(alone.raft.state.compactTo).toBe(0);
    expect(takenAt(alone.step({ kind: "timer" }))).toEqual([]);
  });

  test("compact now: a leader: as well, and what it has not applied stays", () => {
    const alone = applied();
    alone.lead();
    expect(alone.raft.view.last).toBe(11);
    expect(takenAt(alone.step(now))).toEqual([10]);
    expect(compacted(taken(alone, 10))).toEqual([10]);
    expect([alone.raft.view.first, alone.raft.view.last]).toEqual([11, 11]);
  });

  test("compact now: entries are being applied: once they are", () => {
    const alone = new Alone({ entries: entriesTo(10), commit: 4, raft: {} });
    alone.step({ kind: "applied", index: 4 as Index });
    alone.append(1, 10, [], 10);
    expect(alone.raft.state.applyingTo).toBe(10);
    expect(takenAt(alone.step(now))).toEqual([]);
    expect(takenAt(alone.step({ kind: "applied", index: 10 as Index }))).toEqual([10]);
    expect(compacted(taken(alone, 10))).toEqual([10]);
  });

  test("compact now: one is being taken that covers less: another one follows", () => {
    const alone = new Alone({
      entries: entriesTo(10),
      commit: 6,
      raft: { snapshotEveryEntries: 5, trailingEntries: 2 },
    });
    expect(takenAt(alone.step({ kind: "applied", index: 6 as Index }))).toEqual([6]);
    alone.append(1, 10, [], 10);
    alone.step({ kind: "applied", index: 10 as Index });
    expect(takenAt(alone.step(now))).toEqual([]);
    expect(takenAt(taken(alone, 6))).toEqual([10]);
    expect(compacted(taken(alone, 10)).at(-1)).toBe(10);
    expect(alone.raft.view.first).toBe(11);
  });

  test("compact now: one is being taken that covers all: it will do", () => {
    const alone = applied(10, { snapshotEveryEntries: 10, trailingEntries: 2 });
    expect(alone.raft.state.takeRequest).not.toBe(0);
    expect(takenAt(alone.step(now))).toEqual([]);
    const effects = taken(alone, 10);
    expect(takenAt(effects)).toEqual([]);
    expect(compacted(effects).at(-1)).toBe(10);
  });

  test("compact now: the newest snapshot covers all: what was kept for others goes at once", () => {
    const alone = applied(10, { snapshotEveryEntries: 10, trailingEntries: 2 });
    taken(alone, 10);
    expect(alone.raft.view.first).toBe(9);
    const effects = alone.step(now);
    expect([takenAt(effects), compacted(effects)]).toEqual([[], [10]]);
    expect(alone.step(now)).toEqual([]);
  });

  test("compact now: nothing is applied: nothing to do", () => {
    const alone = new Alone();
    const effects = alone.step(now);
    expect([takenAt(effects), compacted(effects)]).toEqual([[], []]);
  });

  test("compact now: it may not apply: nothing, and nothing later", () => {
    const alone = applied();
    alone.permit({ mayApply: false });
    expect(takenAt(alone.step(now))).toEqual([]);
    expect(takenAt(alone.permit({ mayApply: true }))).toEqual([]);
    expect(takenAt(alone.step(now))).toEqual([10]);
  });

  test("compact now: it may not apply any more while it waits: it goes on when it may again", () => {
    const alone = new Alone({ entries: entriesTo(10), commit: 4 });
    alone.step({ kind: "applied", index: 4 as Index });
    alone.append(1, 10, [], 10);
    alone.step(now);
    alone.permit({ mayApply: false });
    expect(takenAt(alone.step({ kind: "applied", index: 10 as Index }))).toEqual([]);
    expect(takenAt(alone.permit({ mayApply: true }))).toEqual([10]);
  });

  test("compact now: the snapshot cannot be taken: it is over until it is asked again", () => {
    const alone = applied();
    alone.step(now);
    const request = alone.raft.state.takeRequest as RequestId;
    const effects = alone.step({ kind: "snapshotTaken", request, snapshot: null });
    expect([takenAt(effects), compacted(effects)]).toEqual([[], []]);
    expect(takenAt(alone.timerAfter(1_000))).toEqual([]);
    expect(takenAt(alone.step(now))).toEqual([10]);
  });

  test("compact now: a snapshot of the leader is installed meanwhile: it covers what was asked", () => {
    const alone = new Alone({ entries: entriesTo(10), commit: 4 });
    alone.step({ kind: "applied", index: 4 as Index });
    alone.append(1, 10, [], 10);
    alone.step(now);
    alone.chunk(1, snapshotAt(20));
    const written = alone.raft.state.receiving!.writeRequest as RequestId;
    alone.step({ kind: "chunkWritten", request: written, ok: true });
    alone.step({ kind: "applied", index: 10 as Index });
    const request = alone.raft.state.receiving!.restoreRequest as RequestId;
    const effects = alone.step({ kind: "restored", request, snapshot: snapshotAt(20) });
    expect(takenAt(effects)).toEqual([]);
    expect([alone.raft.state.compactTo, alone.raft.view.first]).toEqual([0, 21]);
  });

  test("compact now: asleep: it sleeps on, and is a row again once it is done", () => {
    const alone = applied(3);
    alone.hear(1, "sleep", {
      session: 1,
      lastIndex: 3 as Index,
      lastTerm: 1 as Term,
      boot: 1 as Boot,
    });
    expect([alone.raft.view.asleep, fitsRow(alone.raft.state)]).toEqual([true, true]);
    const effects = alone.step(now);
    expect(takenAt(effects)).toEqual([3]);
    expect(only(effects, "send")).toEqual([]);
    expect(only(effects, "wakeAt")).toEqual([]);
    expect(fitsRow(alone.raft.state)).toBe(false);
    expect(compacted(taken(alone, 3))).toEqual([3]);
    expect([alone.raft.view.asleep, fitsRow(alone.raft.state)]).toEqual([true, true]);
    writeRow(new ByteWriter(), alone.raft.state);
  });

  test("compact now: the log goes on after it", () => {
    const alone = applied();
    alone.step(now);
    taken(alone, 10);
    alone.append(1, 10, [entryAt(11), entryAt(12)], 10);
    alone.durable();
    expect(
      only(alone.append(1, 12, [], 12), "apply")[0]?.entries.map(({ index }) => index),
    ).toEqual([11, 12]);
    expect(alone.raft.state.leader).toBe(1 as ReplicaId);
  });
});
