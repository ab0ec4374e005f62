import { describe, expect, test } from "vitest";
import { index, requestId } from "../../../src/core/ids.js";
import type { WalEvent, WalWrite } from "../../../src/core/wal/log-store.js";
import { Rig, entries, entry, key, lastOf, replicaOf, snapshotAt, state, write } from "./rig.js";

/** Ordinary appends until one is refused; returns the last index that was taken. */
function fill(rig: Rig, group: number, from: number): number {
  for (let at = from; at < from + 1000; at++) {
    const writes = [write(group, { entries: [entry(at, 1, 2000)] })];
    const op = rig.wal.append({ writes, machineRecords: [], essential: false }, rig.events);
    if (op === 0) return at - 1;
    rig.events.push(...rig.settle());
  }
  throw new Error("the disk never filled up");
}

/** So many seconds in which the host has nothing to append. */
function rest(rig: Rig, turns: number): void {
  for (let turn = 0; turn < turns; turn++) {
    now += 1_000_000;
    rig.wal.idle(now);
    rig.events.push(...rig.settle());
  }
}

let now = 0;

function spaceEvents(events: readonly WalEvent[]): boolean[] {
  return events.flatMap((event) => (event.kind === "space" ? [event.low] : []));
}

describe("log: a full disk", () => {
  test("log: no room for a spare: ordinary batches are refused, essential ones go on", () => {
    const rig = new Rig();
    rig.format();
    rig.disk.capacityBytes = 150_000;
    rig.write(write(1, { created: true }));
    const last = fill(rig, 1, 1);
    expect(rig.events.at(-1)).toEqual({ kind: "batchRefused" });
    expect(spaceEvents(rig.events)).toEqual([true]);
    rig.write(write(1, { state: state(7, 3) }));
    expect(rig.marks.has("spareRefused")).toBe(true);
    expect(rig.read(key(1), last, last + 1)).toEqual([entry(last, 1, 2000)]);
    const found = replicaOf(rig.restart(), 1);
    expect([found.recovered.hardState, lastOf(found)]).toEqual([state(7, 3), last]);
  });

  test("log: entries are compacted on a full disk: there is room again", () => {
    const rig = new Rig();
    rig.format();
    rig.disk.capacityBytes = 150_000;
    rig.write(write(1, { created: true }), write(2, { created: true, entries: entries(1, 3, 1) }));
    const last = fill(rig, 1, 1);
    rig.events = [];
    rig.wal.compact(key(1), index(last));
    rest(rig, 20);
    expect(spaceEvents(rig.events)).toEqual([false]);
    expect(fill(rig, 1, last + 1)).toBeGreaterThan(last + 5);
    const loaded = { ...key(1), snapshot: snapshotAt(last, 1) };
    const node = rig.restart([loaded]);
    expect(replicaOf(node, 2).recovered.entries).toEqual(entries(1, 3, 1));
    expect(replicaOf(node, 1).recovered.damagedThrough).toBe(0);
  });

  test("log: room for a spare comes from outside: asked again after a while", () => {
    const rig = new Rig();
    rig.format();
    rig.disk.capacityBytes = 100_000;
    rig.write(write(1, { created: true }));
    fill(rig, 1, 1);
    rig.events = [];
    rig.disk.capacityBytes = Infinity;
    rig.wal.idle(0);
    rig.events.push(...rig.settle());
    expect(spaceEvents(rig.events)).toEqual([false]);
  });
});

describe("log: a full disk: what is kept for essential batches", () => {
  /** Five idle groups in the oldest segment, and the disk full of another one. */
  function fullDisk(rig: Rig, idleEntries: number, bytes = 2000): number {
    rig.format();
    rig.disk.capacityBytes = 150_000;
    rig.write(write(1, { created: true }));
    for (let group = 10; group < 15; group++) {
      const parts = { created: true, state: state(4, 2, 2) };
      rig.write(write(group, { ...parts, entries: entries(1, idleEntries, 1, bytes) }));
    }
    return fill(rig, 1, 1);
  }

  test("log: what cannot be moved is waited for: votes and starts find room meanwhile", () => {
    const rig = new Rig();
    const last = fullDisk(rig, 3);
    rest(rig, 40);
    rig.wal.compact(key(1), index(last));
    rest(rig, 40);
    expect(rig.wal.low).toBe(true);
    rig.write(write(10, { state: state(5, 1, 2) }));
    const node = rig.restart([{ ...key(1), snapshot: snapshotAt(last, 1) }]);
    expect(replicaOf(node, 10).recovered.hardState).toEqual(state(5, 1, 2));
    expect(replicaOf(node, 14).recovered.entries).toEqual(entries(1, 3, 1, 2000));
  });

  test("log: what became needless while it was to be moved does not hold up the rest", () => {
    const rig = new Rig({ checkpointBytesMax: 512 });
    const last = fullDisk(rig, 3);
    rig.wal.compact(key(1), index(last));
    rest(rig, 40);
    expect(rig.wal.low).toBe(true);
    for (let group = 10; group < 14; group++) rig.wal.compact(key(group), index(3));
    rest(rig, 40);
    expect(rig.wal.low).toBe(false);
  });

  test("log: an entry larger than what should ride on a batch moves all the same", () => {
    const rig = new Rig({ checkpointBytesMax: 512 });
    const last = fullDisk(rig, 1, 1000);
    rig.wal.compact(key(1), index(last));
    rest(rig, 40);
    expect(rig.wal.low).toBe(false);
    const node = rig.restart([{ ...key(1), snapshot: snapshotAt(last, 1) }]);
    expect(replicaOf(node, 14).recovered.entries).toEqual(entries(1, 1, 1, 1000));
  });

  test("log: a segment goes while room for a spare is asked for: its file becomes the spare", () => {
    const rig = new Rig();
    const last = fullDisk(rig, 0);
    rest(rig, 20);
    expect(rig.marks.has("segmentRecycled")).toBe(true);
    expect(spaceEvents(rig.events)).toEqual([true, false]);
    expect(fill(rig, 1, last + 1)).toBeGreaterThan(last);
  });
});

describe("log: old segments", () => {
  test("log: idle replicas: what they need moves on, and old segments go", () => {
    const rig = new Rig();
    rig.format();
    const idle: WalWrite[] = [];
    for (let group = 10; group < 20; group++) {
      idle.push(write(group, { created: true, state: state(4, 2, 2), entries: entries(1, 3, 4) }));
    }
    rig.write(...idle, write(9, { created: true }));
    rig.write(write(9, { removed: true }), write(1, { created: true, state: state(1) }));
    for (let at = 1; at <= 300; at++) {
      rig.write(write(1, { entries: [entry(at, 1, 1500)], state: state(1, 0, at) }));
      rig.wal.compact(key(1), index(at));
    }
    expect(rig.wal.sizes.segments).toBeLessThanOrEqual(4);
    const segments = rig.disk.files().filter(({ name }) => name.startsWith("segment."));
    expect(segments.length).toBeLessThanOrEqual(6);
    expect(rig.marks.has("checkpointRowsWritten")).toBe(true);
    expect(rig.read(key(15), 1, 4)).toEqual(entries(1, 3, 4));
    const node = rig.restart([{ ...key(1), snapshot: snapshotAt(300, 1) }]);
    for (let group = 10; group < 20; group++) {
      expect(replicaOf(node, group).recovered).toMatchObject({
        hardState: state(4, 2, 2),
        entries: entries(1, 3, 4),
        damagedThrough: 0,
      });
    }
    expect(node.removed).toEqual([key(9)]);
    expect(node.forgotten).toBe(false);
  });

  test("log: entries move on while they are read: read again where they are, and not rotten", () => {
    const rig = new Rig();
    rig.format();
    rig.write(write(2, { created: true, state: state(1), entries: entries(1, 3, 1) }));
    rig.write(write(1, { created: true, state: state(1) }));
    for (let at = 1; at <= 300; at++) {
      rig.wal.readEntries(key(2), requestId(at), index(1), index(4), 1 << 20, rig.events);
      rig.begin(write(1, { entries: [entry(at, 1, 1500)], state: state(1, 0, at) }));
      const read = rig.settle().find((event) => event.kind === "logRead");
      expect(read?.entries).toEqual(entries(1, 3, 1));
      rig.wal.compact(key(1), index(at));
      rig.settle();
    }
    expect(rig.marks.of("readFollowedEntry")).toBeGreaterThan(0);
    expect(rig.marks.has("readBackRotten")).toBe(false);
  });

  test("log: entries are compacted while they are read: not there, and not rotten", () => {
    const rig = new Rig();
    rig.format();
    rig.write(write(1, { created: true, entries: entries(1, 3, 1) }));
    rig.wal.readEntries(key(1), requestId(1), index(1), index(4), 1 << 20, rig.events);
    rig.wal.compact(key(1), index(3));
    const read = rig.settle().find((event) => event.kind === "logRead");
    expect(read?.entries).toBe(null);
    expect(rig.marks.has("readBackRotten")).toBe(false);
  });

  test("log: a file is used again: nothing of its earlier use counts", () => {
    const rig = new Rig();
    rig.format();
    rig.disk.capacityBytes = 120_000;
    rig.write(write(1, { created: true, state: state(1) }));
    for (let at = 1; at <= 200; at++) {
      const writes = [write(1, { entries: [entry(at, 1, 1500)], state: state(1, 0, at) })];
      rig.wal.append({ writes, machineRecords: [], essential: true }, rig.events);
      rig.settle();
      rig.wal.compact(key(1), index(at));
    }
    expect(rig.marks.has("segmentRecycled")).toBe(true);
    const node = rig.restart([{ ...key(1), snapshot: snapshotAt(200, 1) }]);
    expect(replicaOf(node, 1).recovered).toMatchObject({ entries: [], damagedThrough: 0 });
    expect(node.forgotten).toBe(false);
  });
});
