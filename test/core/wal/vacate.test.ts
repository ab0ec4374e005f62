import { describe, expect, test } from "vitest";
import { index } from "../../../src/core/ids.js";
import type { ReplicaKey, WalWrite } from "../../../src/core/wal/log-store.js";
import { Rig, drawer, entries, key, replicaOf, snapshotAt, state, write } from "./rig.js";
import { piecesBelow, recordsBelow, sealedEntry } from "./sealed-disk.js";

let now = 0;

/** Asked once. False when something is still held after so many turns. */
function vacate(rig: Rig, of: ReplicaKey, epoch: number, turnsMax = 300): boolean {
  rig.wal.vacate(of, epoch);
  return turns(rig, of, epoch, turnsMax);
}

/** Turns of a host that has nothing to write, until nothing is held. */
function turns(rig: Rig, of: ReplicaKey, epoch: number, turnsMax = 300): boolean {
  for (let turn = 0; turn < turnsMax; turn++) {
    if (!rig.wal.holdsBelow(of, epoch)) return true;
    rig.wal.idle((now += 200_000));
    rig.events.push(...rig.settle());
  }
  return !rig.wal.holdsBelow(of, epoch);
}

/** Entries `from` to `through` of the group, one batch each, all committed. */
function append(rig: Rig, group: number, from: number, through: number, keyEpoch: number): void {
  for (let at = from; at <= through; at++) {
    const hard = state(1, 0, at);
    rig.write(write(group, { entries: [sealedEntry(group, at, 1, keyEpoch, 900)], state: hard }));
  }
}

/** Group 1 has entries of epoch 1, compacted, and of epoch 2; groups 10 to 14 are idle. */
function rotated(count = 8): Rig {
  const rig = new Rig();
  rig.format();
  const idle: WalWrite[] = [];
  for (let group = 10; group < 15; group++) {
    const ofGroup = [1, 2, 3].map((at) => sealedEntry(group, at, 2, 1));
    idle.push(write(group, { created: true, state: state(4, 2, 2), entries: ofGroup }));
  }
  rig.write(...idle, write(1, { created: true, state: state(1) }));
  append(rig, 1, 1, count, 1);
  append(rig, 1, count + 1, count + 2, 2);
  rig.wal.compact(key(1), index(count));
  return rig;
}

function expectIdle(rig: Rig, snapshot = 8): void {
  const node = rig.restart([{ ...key(1), snapshot: snapshotAt(snapshot, 1) }]);
  for (let group = 10; group < 15; group++) {
    const ofGroup = [1, 2, 3].map((at) => sealedEntry(group, at, 2, 1));
    const expected = { hardState: state(4, 2, 2), entries: ofGroup, damagedThrough: 0 };
    expect(replicaOf(node, group).recovered).toMatchObject(expected);
  }
  const left = [1, 2].map((at) => sealedEntry(1, snapshot + at, 1, 2, 900));
  const expected = { hardState: state(1, 0, snapshot + 2), entries: left, damagedThrough: 0 };
  expect(replicaOf(node, 1).recovered).toMatchObject(expected);
  expect(node.forgotten).toBe(false);
}

function expectNothing(rig: Rig, group: number, epoch: number): void {
  expect(rig.wal.holdsBelow(key(group), epoch)).toBe(false);
  expect(recordsBelow(rig.disk, group, epoch)).toEqual([]);
  expect(piecesBelow(rig.disk, group, epoch)).toEqual([]);
}

describe("vacating: what is held", () => {
  test("vacating: sealed records: held below a later epoch only, and by their own incarnation", () => {
    const rig = rotated();
    expect(rig.wal.holdsBelow(key(1), 1)).toBe(false);
    expect(rig.wal.holdsBelow(key(1), 2)).toBe(true);
    expect(rig.wal.holdsBelow(key(1, 7), 2)).toBe(true);
    const other = { ...key(1), incarnation: 2 as ReplicaKey["incarnation"] };
    expect(rig.wal.holdsBelow(other, 9)).toBe(false);
    expect(rig.wal.holdsBelow(key(2), 9)).toBe(false);
  });

  test("vacating: nothing is sealed: nothing is held, and nothing is done", () => {
    const rig = new Rig();
    rig.format();
    const clear = entries(1, 3, 1).map((entry) => ({ ...entry, keyEpoch: 0 }));
    rig.write(write(1, { created: true, entries: clear }));
    rig.wal.writeRing();
    rig.settle();
    expect(rig.wal.holdsBelow(key(1), 9)).toBe(false);
    rig.wal.vacate(key(1), 9);
    expect(rig.wal.idle((now += 1_000_000))).toBe(Infinity);
    expect([rig.wal.busy, rig.disk.pending]).toEqual([false, 0]);
  });

  test("vacating: before the log is recovered: it may hold anything", () => {
    const rig = new Rig();
    expect(rig.wal.holdsBelow(key(1), 2)).toBe(true);
  });
});

describe("vacating: it goes", () => {
  test("vacating: one segment: it is left, emptied and removed, and all that is needed stays", () => {
    const rig = rotated();
    const { segments } = rig.wal.sizes;
    expect(segments).toBe(1);
    expect(recordsBelow(rig.disk, 1, 2).length).toBe(8);
    expect(vacate(rig, key(1), 2)).toBe(true);
    expectNothing(rig, 1, 2);
    // Others keep what they need, and are not asked about it.
    expect(recordsBelow(rig.disk, 12, 2).length).toBe(3);
    expectIdle(rig);
    expectNothing(rig, 1, 2);
  });

  test("vacating: asked again when nothing is held: nothing is done", () => {
    const rig = rotated();
    vacate(rig, key(1), 2);
    rig.wal.writeRing();
    rig.settle();
    rig.wal.vacate(key(1), 2);
    expect(rig.wal.idle((now += 1_000_000))).toBe(Infinity);
    expect([rig.wal.busy, rig.disk.pending]).toEqual([false, 0]);
  });

  test("vacating: entries are still needed: it waits until they are compacted", () => {
    const rig = rotated();
    append(rig, 2, 1, 0, 1);
    rig.write(
      write(2, { created: true, entries: [sealedEntry(2, 1, 1, 1)], state: state(1, 0, 1) }),
    );
    const files = rig.disk.files();
    for (let turn = 0; turn < 20; turn++) expect(vacate(rig, key(2), 2, 1)).toBe(false);
    expect(rig.disk.files()).toEqual(files);
    rig.wal.compact(key(2), index(1));
    expect(vacate(rig, key(2), 2)).toBe(true);
    expectNothing(rig, 2, 2);
  });

  test("vacating: entries that were cut: they go too", () => {
    const rig = rotated();
    const cut = [1, 2, 3].map((at) => sealedEntry(3, at, 1, 1));
    rig.write(write(3, { created: true, entries: cut, state: state(1) }));
    const anew = [sealedEntry(3, 1, 2, 2)];
    rig.write(write(3, { truncateFrom: 1, entries: anew, state: state(2) }));
    expect(recordsBelow(rig.disk, 3, 2).length).toBe(3);
    expect(vacate(rig, key(3), 2)).toBe(true);
    expectNothing(rig, 3, 2);
    expect(rig.read(key(3), 1, 2)).toEqual(anew);
  });

  test("vacating: a removed replica: what it wrote goes, that it was removed stays known", () => {
    const rig = rotated();
    rig.write(write(1, { removed: true }));
    expect(vacate(rig, key(1), 3)).toBe(true);
    expectNothing(rig, 1, 3);
    expect(rig.restart([]).removed).toEqual([key(1)]);
  });

  test("vacating: a long log with much that is needed: emptied whatever its share of garbage", () => {
    const rig = new Rig();
    rig.format();
    for (const group of [1, 2]) rig.write(write(group, { created: true, state: state(1) }));
    for (let at = 1; at <= 60; at++) {
      append(rig, 1, at, at, 1);
      rig.write(write(2, { entries: [sealedEntry(2, at, 1, 5, 5_500)] }));
    }
    rig.wal.compact(key(1), index(60));
    const { segments, liveBytes } = rig.wal.sizes;
    expect(segments).toBeGreaterThan(3);
    expect(liveBytes).toBeGreaterThan((segments * 32 * 1024) / 2);
    expect(vacate(rig, key(1), 2)).toBe(true);
    expectNothing(rig, 1, 2);
    const all = Array.from({ length: 60 }, (_, at) => sealedEntry(2, at + 1, 1, 5, 5_500));
    const node = rig.restart([{ ...key(1), snapshot: snapshotAt(60, 1) }]);
    expect(replicaOf(node, 2).recovered).toMatchObject({ entries: all, damagedThrough: 0 });
  });

  test("vacating: with traffic all the while: it rides along and ends", () => {
    const rig = rotated();
    rig.wal.vacate(key(1), 2);
    for (let at = 11; at <= 40 && rig.wal.holdsBelow(key(1), 2); at++) {
      append(rig, 1, at, at, 2);
      rig.wal.vacate(key(1), 2);
      rig.wal.idle((now += 1_000));
      rig.settle();
    }
    expectNothing(rig, 1, 2);
  });

  test("vacating: entries larger than what rides on a batch: they are carried alone", () => {
    const rig = new Rig({ checkpointBytesMax: 600 });
    rig.format();
    rig.write(
      write(1, { created: true, entries: [sealedEntry(1, 1, 1, 1)], state: state(1, 0, 1) }),
    );
    const large = [1, 2, 3].map((at) => sealedEntry(2, at, 1, 5, 2_000));
    rig.write(write(2, { created: true, entries: large, state: state(1) }));
    rig.wal.compact(key(1), index(1));
    expect(vacate(rig, key(1), 2)).toBe(true);
    expectNothing(rig, 1, 2);
    expect(rig.read(key(2), 1, 4, 1 << 20)?.[0]).toEqual(large[0]);
  });

  test("vacating: an entry that no batch can carry again: the log is not moved about for it", () => {
    const rig = rotated(4);
    rig.write(
      write(2, { created: true, entries: [sealedEntry(2, 1, 1, 5, 6_500)], state: state(1) }),
    );
    expect(vacate(rig, key(1), 2, 30)).toBe(false);
    expect(rig.wal.sizes.segments).toBe(2);
  });

  test("vacating: an entry cannot be read at first: it is read again, and carried", () => {
    const rig = rotated();
    let refusals = 2;
    rig.disk.fail = (kind) => (kind === "read" && refusals-- > 0 ? "ioError" : null);
    expect(vacate(rig, key(1), 2)).toBe(true);
    expect(refusals).toBeLessThanOrEqual(0);
    expectNothing(rig, 1, 2);
    expectIdle(rig);
  });

  test("vacating: a file cannot be removed at first: it counts as held, and is removed again", () => {
    const rig = rotated();
    let refusals = 2;
    rig.disk.fail = (kind) => (kind === "remove" && refusals-- > 0 ? "ioError" : null);
    expect(vacate(rig, key(1), 2)).toBe(true);
    expect(refusals).toBeLessThanOrEqual(0);
    expectNothing(rig, 1, 2);
  });

  test("vacating: a removal that is not synced: held until it is, for it may come back", () => {
    const rig = rotated();
    rig.disk.holds = (kind) => kind === "syncDirectory";
    expect(vacate(rig, key(1), 2, 50)).toBe(false);
    // Of the log that serves, nothing is left; a crash brings the file back.
    rig.disk.holds = () => false;
    expect(vacate(rig, key(1), 2)).toBe(true);
    expectNothing(rig, 1, 2);
    rig.disk.crash(() => 0);
    expect(piecesBelow(rig.disk, 1, 2)).toEqual([]);
  });
});

describe("vacating: files that are used again", () => {
  /** Group 1 writes and is compacted until files are recycled; all of it under epoch 1. */
  function recycling(): { rig: Rig; last: number } {
    const rig = new Rig();
    rig.format();
    rig.write(write(1, { created: true, state: state(1) }));
    let at = 1;
    for (; at <= 400 && rig.marks.of("segmentRecycled") < 2; at++) {
      append(rig, 1, at, at, 1);
      rig.wal.compact(key(1), index(at));
    }
    return { rig, last: at - 1 };
  }

  test("vacating: a spare made of an old file: zeroed, at runtime", () => {
    const { rig, last } = recycling();
    append(rig, 1, last + 1, last + 1, 2);
    expect(recordsBelow(rig.disk, 1, 2).length).toBeGreaterThan(0);
    expect(vacate(rig, key(1), 2)).toBe(true);
    expectNothing(rig, 1, 2);
  });

  test("vacating: a spare made of an old file: known and zeroed, after a restart", () => {
    const { rig, last } = recycling();
    const snapshot = { ...key(1), snapshot: snapshotAt(last, 1) };
    rig.restart([snapshot]);
    expect(rig.wal.holdsBelow(key(1), 2)).toBe(true);
    expect(vacate(rig, key(1), 2)).toBe(true);
    expectNothing(rig, 1, 2);
    expect(replicaOf(rig.restart([snapshot]), 1).recovered.damagedThrough).toBe(0);
    expect(rig.wal.holdsBelow(key(1), 2)).toBe(false);
  });

  /** Only the spare holds what group 1 wrote: it was compacted long ago, and group 2 went on. */
  function onlyInSpare(): { rig: Rig; last: number; spare: string } {
    const rig = rotated();
    rig.write(write(1, { removed: true }), write(2, { created: true, state: state(1) }));
    for (let at = 1; at <= 400; at++) {
      append(rig, 2, at, at, 9);
      rig.wal.compact(key(2), index(at));
      const files = [...new Set(recordsBelow(rig.disk, 1, 3).map((found) => found.split(" ")[0]!))];
      const newest = rig.disk.files().findLast(({ name }) => name.startsWith("segment."))!.name;
      if (files.length === 1 && files[0] === newest) return { rig, last: at, spare: newest };
    }
    throw new Error("its file never became the spare");
  }

  test("vacating: only the spare holds something: it is zeroed, and the log stays where it is", () => {
    const { rig } = onlyInSpare();
    const files = rig.disk.files();
    expect(vacate(rig, key(1), 3)).toBe(true);
    expectNothing(rig, 1, 3);
    expect(rig.disk.files()).toEqual(files);
    expect(rig.wal.low).toBe(false);
  });

  test("vacating: the spare is needed before it could be zeroed: left in its turn", () => {
    const { rig, last, spare } = onlyInSpare();
    rig.wal.vacate(key(1), 3);
    for (let at = last + 1; recordsBelow(rig.disk, 1, 3).length > 6; at++) {
      append(rig, 2, at, at, 9);
      rig.wal.compact(key(2), index(at));
    }
    expect(rig.disk.files().at(-1)!.name).not.toBe(spare);
    expect(turns(rig, key(1), 3)).toBe(true);
    expectNothing(rig, 1, 3);
  });

  test("vacating: a read lies of the spare: read again, and known", () => {
    const { rig, last, spare } = onlyInSpare();
    // All that a first reading asks of it.
    let lies = 4;
    rig.disk.lies = (file) => file === spare && lies-- > 0;
    rig.restart([{ ...key(2), snapshot: snapshotAt(last, 1) }]);
    expect(lies).toBeLessThan(0);
    expect(rig.wal.holdsBelow(key(1), 3)).toBe(true);
    expect(vacate(rig, key(1), 3)).toBe(true);
    expectNothing(rig, 1, 3);
  });

  test("vacating: asked while the file is being given up: it is not used again as it is", () => {
    const rig = rotated();
    rig.write(write(1, { removed: true }), write(2, { created: true, state: state(1) }));
    let asked = false;
    for (let at = 1; at <= 400 && !asked; at++) {
      const { segments } = rig.wal.sizes;
      rig.begin(write(2, { entries: [sealedEntry(2, at, 1, 9, 900)], state: state(1, 0, at) }));
      asked = rig.wal.sizes.segments < segments;
      if (asked) rig.wal.vacate(key(1), 3);
      rig.settle();
      rig.wal.compact(key(2), index(at));
    }
    expect(rig.wal.holdsBelow(key(1), 3)).toBe(true);
    expect(turns(rig, key(1), 3)).toBe(true);
    expectNothing(rig, 1, 3);
  });
});

describe("vacating: a full disk", () => {
  test("vacating: there is no room for one more file: it waits, takes nothing, and goes on", () => {
    const rig = rotated();
    rig.disk.capacityBytes = rig.disk.usedBytes + 1000;
    expect(vacate(rig, key(1), 2, 20)).toBe(false);
    expect([rig.wal.low, rig.wal.sizes.segments]).toEqual([false, 1]);
    rig.write(write(1, { state: state(2, 1, 10) }));
    rig.disk.capacityBytes = Infinity;
    expect(vacate(rig, key(1), 2)).toBe(true);
    expectNothing(rig, 1, 2);
    expect(rig.wal.low).toBe(false);
  });

  /** Ordinary batches are refused. */
  function short(): { rig: Rig; last: number } {
    const rig = rotated();
    rig.disk.capacityBytes = 150_000;
    let last = 10;
    for (; last < 500; last++) {
      const writes = [write(1, { entries: [sealedEntry(1, last + 1, 1, 2, 2_000)] })];
      if (rig.wal.append({ writes, machineRecords: [], essential: false }, rig.events) === 0) break;
      rig.events.push(...rig.settle());
    }
    return { rig, last };
  }

  test("vacating: the log is short of space: asking changes nothing until there is some", () => {
    const [{ rig, last }, { rig: unasked }] = [short(), short()];
    for (let turn = 0; turn < 2; turn++) {
      rig.wal.vacate(key(1), 2);
      for (const each of [rig, unasked]) {
        each.wal.idle(turn * 200_000);
        each.settle();
      }
    }
    expect([rig.wal.low, unasked.wal.low]).toEqual([true, true]);
    expect(rig.disk.files()).toEqual(unasked.disk.files());
    for (const { name } of rig.disk.files()) {
      expect(rig.disk.bytes(name)).toEqual(unasked.disk.bytes(name));
    }
    rig.wal.compact(key(1), index(last));
    expect(vacate(rig, key(1), 2)).toBe(true);
    expectNothing(rig, 1, 2);
    expect(rig.wal.low).toBe(false);
  });
});

describe("vacating: crashes", () => {
  test("vacating: crash at each operation: asked again it ends, and nothing needed is lost", () => {
    for (let operations = 0; operations < 60; operations++) {
      const rig = rotated();
      const draw = drawer(operations);
      rig.disk.operationsLeft = operations;
      vacate(rig, key(1), 2, 60);
      const held = rig.wal.holdsBelow(key(1), 2);
      rig.disk.operationsLeft = Infinity;
      rig.disk.crash(draw);
      if (!held) expect(piecesBelow(rig.disk, 1, 2)).toEqual([]);
      expectIdle(rig);
      expect(rig.wal.holdsBelow(key(1), 2)).toBe(recordsBelow(rig.disk, 1, 2).length > 0);
      expect(vacate(rig, key(1), 2)).toBe(true);
      expectNothing(rig, 1, 2);
      expectIdle(rig);
      expectNothing(rig, 1, 2);
    }
  });

  test("vacating: pieces of a torn batch that no record is left of: gone at the next start", () => {
    let unknown = 0;
    for (let seed = 0; seed < 200; seed++) {
      const rig = rotated();
      rig.write(write(5, { created: true, state: state(1) }));
      rig.begin(write(5, { entries: [sealedEntry(5, 1, 1, 1, 3_000)] }));
      rig.step();
      rig.disk.crash(drawer(seed));
      const left =
        piecesBelow(rig.disk, 5, 2).length > 0 && recordsBelow(rig.disk, 5, 2).length === 0;
      rig.restart([{ ...key(1), snapshot: snapshotAt(8, 1) }]);
      if (rig.wal.holdsBelow(key(5), 2)) continue;
      expect(piecesBelow(rig.disk, 5, 2)).toEqual([]);
      if (left) unknown++;
    }
    expect(unknown).toBeGreaterThan(0);
  });

  test("vacating: a torn batch of an old epoch behind the end of the log: it does not stay", () => {
    for (let seed = 0; seed < 60; seed++) {
      const rig = rotated();
      const torn = [11, 12, 13, 14].map((at) => sealedEntry(1, at, 1, 1, 700));
      rig.begin(write(1, { entries: torn }));
      rig.step();
      rig.disk.crash(drawer(seed));
      rig.restart([{ ...key(1), snapshot: snapshotAt(8, 1) }]);
      const whole = rig.read(key(1), 11, 15);
      if (whole !== null) rig.wal.compact(key(1), index(14));
      expect(vacate(rig, key(1), 2)).toBe(true);
      expectNothing(rig, 1, 2);
    }
  });
});
