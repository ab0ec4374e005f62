import { describe, expect, test } from "vitest";
import { Rig, entries, entry, founding, key, replicaOf, snapshotAt, state, write } from "./rig.js";

describe("log: append and recover", () => {
  test("log: a fresh disk: unformatted, then the first boot above the floor", () => {
    const rig = new Rig();
    const node = rig.format(77, 5);
    expect(node).toMatchObject({ disk: 77, boot: 6, replicas: [], removed: [], forgotten: false });
    expect(rig.restart().boot).toBe(7);
    expect(rig.restart().boot).toBe(8);
  });

  test("log: a round trip: everything comes back as it was written", () => {
    const rig = new Rig();
    rig.format();
    rig.write(write(1, { created: true, state: state(1, 2, 0) }), write(2, { created: true }));
    rig.write(write(1, { entries: entries(1, 5, 1), state: state(1, 2, 3) }));
    rig.write(
      write(2, { entries: entries(1, 2, 4), state: state(4, 9, 1) }),
      write(1, { state: state(2) }),
    );
    const node = rig.restart();
    expect(replicaOf(node, 1)).toEqual({
      ...key(1),
      recovered: {
        hardState: state(2),
        snapshot: founding,
        entries: entries(1, 5, 1),
        damagedThrough: 0,
      },
      lost: false,
    });
    expect(replicaOf(node, 2).recovered).toEqual({
      hardState: state(4, 9, 1),
      snapshot: founding,
      entries: entries(1, 2, 4),
      damagedThrough: 0,
    });
  });

  test("log: a suffix is cut: the new entries stand in its place", () => {
    const rig = new Rig();
    rig.format();
    rig.write(write(1, { created: true, entries: entries(1, 8, 1), state: state(1) }));
    rig.write(write(1, { truncateFrom: 5, entries: entries(5, 6, 2), state: state(2) }));
    const expected = [...entries(1, 4, 1), ...entries(5, 6, 2)];
    expect(rig.read(key(1), 1, 7)).toEqual(expected);
    expect(rig.read(key(1), 5, 6)).toEqual(expected.slice(4, 5));
    expect(replicaOf(rig.restart(), 1).recovered.entries).toEqual(expected);
  });

  test("log: a snapshot is installed: the log goes on behind it", () => {
    const rig = new Rig();
    rig.format();
    rig.write(write(1, { created: true, entries: entries(1, 8, 1), state: state(1) }));
    const snapshot = snapshotAt(20, 3);
    rig.write(write(1, { installed: snapshot, entries: entries(21, 22, 3), state: state(3) }));
    const loaded = { ...key(1), snapshot };
    expect(replicaOf(rig.restart([loaded]), 1).recovered).toEqual({
      hardState: state(3, 0, 20),
      snapshot,
      entries: entries(21, 22, 3),
      damagedThrough: 0,
    });
  });

  test("log: a removed replica: its name stays, its log does not", () => {
    const rig = new Rig();
    rig.format();
    rig.write(write(1, { created: true, entries: entries(1, 3, 1) }), write(2, { created: true }));
    rig.write(write(1, { removed: true }));
    const node = rig.restart();
    expect(node.removed).toEqual([key(1)]);
    expect(node.replicas.map(({ group }) => group)).toEqual([2]);
  });

  test("log: records of a user's machine: all of them, in order", () => {
    const rig = new Rig();
    rig.format();
    const records = [Uint8Array.of(1), Uint8Array.of(2, 2), new Uint8Array(700).fill(3)];
    for (const record of records) {
      rig.wal.append({ writes: [], machineRecords: [record], essential: false }, rig.events);
      rig.settle();
    }
    expect(rig.restart().machineRecords).toEqual(records);
  });

  test("log: many segments: all entries come back", () => {
    const rig = new Rig();
    rig.format();
    rig.write(write(1, { created: true }));
    for (let at = 1; at <= 200; at++) rig.write(write(1, { entries: [entry(at, 1, 900)] }));
    expect(rig.wal.sizes.segments).toBeGreaterThan(8);
    expect(replicaOf(rig.restart(), 1).recovered.entries).toEqual(entries(1, 200, 1, 900));
    expect(rig.read(key(1), 100, 101)).toEqual(entries(100, 100, 1, 900));
  });
});
