import { describe, expect, test } from "vitest";
import { getU32, putU32 } from "../../../src/core/bytes.js";
import { crc32 } from "../../../src/core/crc32.js";
import { sealRecord } from "../../../src/core/wal/record.js";
import { index } from "../../../src/core/ids.js";
import {
  Rig,
  drawer,
  entries,
  entry,
  key,
  lastOf,
  replicaOf,
  snapshotAt,
  state,
  write,
} from "./rig.js";

const first = "segment.0000000001";

/** Two groups with five entries each, one batch after the other; the ring has them all. */
function twoGroups(): { rig: Rig; batches: { from: number; to: number }[] } {
  const rig = new Rig();
  rig.format();
  const batches: { from: number; to: number }[] = [];
  let from = 1024 + 1024;
  const append = (...writes: Parameters<Rig["write"]>): void => {
    rig.write(...writes);
    const bytes = getU32(rig.disk.bytes(first), from + 32 + 32);
    batches.push({ from, to: from + bytes });
    from += bytes;
  };
  append(
    write(1, { created: true, state: state(1) }),
    write(2, { created: true, state: state(1) }),
  );
  append(write(1, { entries: entries(1, 5, 1, 200) }));
  append(write(2, { entries: entries(1, 5, 1, 200), state: state(2, 1) }));
  append(write(1, { state: state(3, 3) }));
  rig.wal.writeRing();
  rig.settle();
  return { rig, batches };
}

function wipe(rig: Rig, from: number, to: number): void {
  for (let at = from; at < to; at++) rig.disk.rot(first, at, 0xa5);
}

describe("log: damage", () => {
  test("log: an entry is gone: its replica is marked, held back and no other", () => {
    const { rig, batches } = twoGroups();
    rig.disk.rot(first, batches[1]!.from + 32 + 56 + 92 + 300);
    const node = rig.restart();
    expect(replicaOf(node, 1).recovered).toMatchObject({
      hardState: state(3, 3),
      entries: entries(1, 1, 1, 200),
      damagedThrough: 5,
    });
    expect(replicaOf(node, 2).recovered).toMatchObject({
      entries: entries(1, 5, 1, 200),
      damagedThrough: 0,
    });
    // Half mended, it stays marked; mended, it is as good as any.
    rig.write(write(1, { entries: entries(2, 3, 1, 200) }));
    expect(replicaOf(rig.restart(), 1).recovered.damagedThrough).toBe(5);
    rig.write(write(1, { entries: entries(4, 5, 1, 200) }));
    expect(replicaOf(rig.restart(), 1).recovered).toMatchObject({
      entries: entries(1, 5, 1, 200),
      damagedThrough: 0,
    });
  });

  test("log: a damaged replica says that it is repaired: from then on it is whole", () => {
    const { rig, batches } = twoGroups();
    rig.disk.rot(first, batches[1]!.from + 32 + 56 + 92 + 300);
    expect(replicaOf(rig.restart(), 1).recovered.damagedThrough).toBe(5);
    rig.write(write(1, { truncateFrom: 2, entries: entries(2, 2, 4, 200), state: state(4) }));
    expect(replicaOf(rig.restart(), 1).recovered.damagedThrough).toBe(5);
    rig.write(write(1, { repaired: true }));
    for (let start = 0; start < 2; start++) {
      expect(replicaOf(rig.restart(), 1).recovered).toMatchObject({
        entries: [entry(1, 1, 200), entry(2, 4, 200)],
        damagedThrough: 0,
      });
    }
  });

  test("log: a founding record is gone: all of its log is marked, and once refilled it stays", () => {
    const { rig, batches } = twoGroups();
    const headerBytes = 32 + 56 + 2 * 92;
    rig.disk.rot(first, batches[0]!.from + headerBytes + 32 + 20);
    expect(replicaOf(rig.restart(), 1).recovered).toMatchObject({
      hardState: state(3, 3),
      snapshot: null,
      entries: [],
      damagedThrough: 5,
    });
    rig.write(write(1, { entries: entries(1, 5, 1, 200) }));
    for (let start = 0; start < 2; start++) {
      expect(replicaOf(rig.restart(), 1).recovered).toMatchObject({
        entries: entries(1, 5, 1, 200),
        damagedThrough: 0,
      });
    }
  });

  test("log: a batch is lost whole, a later one repeats the vote: damaged, not lost", () => {
    const { rig, batches } = twoGroups();
    wipe(rig, batches[1]!.from, batches[1]!.to);
    const node = rig.restart();
    expect(node.forgotten).toBe(true);
    expect(replicaOf(node, 1)).toMatchObject({
      lost: false,
      recovered: { hardState: state(3, 3), entries: [], damagedThrough: 5 },
    });
    expect(replicaOf(node, 2)).toMatchObject({ lost: false, recovered: { damagedThrough: 0 } });
  });

  test("log: the newest batch is lost whole, the ring knows it was there: every vote is lost", () => {
    const { rig, batches } = twoGroups();
    wipe(rig, batches[3]!.from, batches[3]!.to);
    const node = rig.restart();
    expect(rig.marks.has("ringProvedBatch")).toBe(true);
    expect(node.replicas.map(({ lost }) => lost)).toEqual([true, true]);
    // A new replica is none of those; the old ones stay lost.
    rig.write(write(3, { created: true, state: state(1, 1) }));
    const again = rig.restart();
    expect(again.replicas.map(({ group, lost }) => [group, lost])).toEqual([
      [1, true],
      [2, true],
      [3, false],
    ]);
  });

  test("log: a torn batch stands again where a durable one was: only the ring tells, votes are lost", () => {
    const never = write(2, { entries: [entry(6, 2, 3000)] });
    const other = twoGroups();
    const { to } = other.batches[3]!;
    other.rig.write(never);
    const torn = other.rig.disk.bytes(first).slice(to, to + 512);
    const { rig } = twoGroups();
    rig.begin(never);
    rig.disk.crash(() => 0);
    expect(rig.restart().forgotten).toBe(false);
    rig.wal.writeRing();
    rig.settle();
    const after = rig.disk.bytes(first).slice(to, to + 2048);
    for (let at = 0; at < after.length; at++) {
      rig.disk.rot(first, to + at, after[at]! ^ (torn[at] ?? 0));
    }
    const node = rig.restart();
    expect(rig.marks.has("ringNamedAnotherBatch")).toBe(true);
    expect(node.replicas.map(({ lost }) => lost)).toEqual([true, true]);
    expect(node.forgotten).toBe(true);
    expect(rig.restart().replicas.map(({ lost }) => lost)).toEqual([true, true]);
  });

  test("log: a lost replica: nothing of it is kept but that it is lost", () => {
    const { rig, batches } = twoGroups();
    wipe(rig, batches[3]!.from, batches[3]!.to);
    const node = rig.restart();
    expect(replicaOf(node, 2)).toMatchObject({ lost: true, recovered: { entries: [] } });
    expect(rig.wal.sizes.liveBytes).toBe(0);
    rig.write(write(3, { created: true, state: state(1, 1) }));
    for (let at = 1; at <= 60; at++) {
      rig.write(write(3, { entries: [entry(at, 1, 1500)] }));
      rig.wal.compact(key(3), index(at));
    }
    expect(rig.wal.sizes.segments).toBeLessThanOrEqual(3);
    const snapshot = { ...key(3), snapshot: snapshotAt(60, 1) };
    const again = rig.restart([snapshot]);
    expect([1, 2, 3].map((group) => replicaOf(again, group).lost)).toEqual([true, true, false]);
  });

  test("log: a removed replica that had a snapshot: no damage, and nothing is read twice", () => {
    const rig = new Rig();
    rig.format();
    const snapshot = { ...key(1), snapshot: snapshotAt(5, 1) };
    rig.write(write(1, { created: true, state: state(1), entries: entries(1, 5, 1) }));
    rig.write(write(1, { installed: snapshot.snapshot }));
    rig.write(write(1, { removed: true }));
    for (const left of [[snapshot], []]) {
      expect(rig.restart(left).removed).toEqual([key(1)]);
      expect(rig.marks.has("readAgain")).toBe(false);
    }
  });

  test.each([0, 1])(
    "log: every second read lies, from read %i on: read again until it agrees, nothing is lost",
    (parity) => {
      const { rig } = twoGroups();
      for (let at = 1; at <= 200; at++) rig.write(write(1, { entries: [entry(5 + at, 1, 1000)] }));
      expect(rig.wal.sizes.segments).toBeGreaterThan(2);
      const whole = rig.restart();
      let reads = parity;
      // More than a first reading of everything meets.
      let lies = 34;
      rig.disk.lies = () => ++reads % 2 === 0 && lies-- > 0;
      const node = rig.restart();
      expect(lies).toBeLessThanOrEqual(0);
      expect(rig.marks.has("readAgain")).toBe(true);
      for (const group of [1, 2]) {
        expect(replicaOf(node, group)).toMatchObject({ lost: false });
        expect(replicaOf(node, group).recovered).toEqual(replicaOf(whole, group).recovered);
      }
    },
  );

  test("log: header and a record of the newest batch are broken: its footer names the victim", () => {
    const { rig, batches } = twoGroups();
    rig.write(write(2, { entries: entries(6, 8, 2, 600) }));
    rig.wal.writeRing();
    rig.settle();
    wipe(rig, batches[3]!.to, batches[3]!.to + 700);
    const node = rig.restart();
    expect(node.forgotten).toBe(false);
    expect(replicaOf(node, 2)).toMatchObject({ lost: false, recovered: { damagedThrough: 8 } });
    expect(replicaOf(node, 1)).toMatchObject({ lost: false, recovered: { damagedThrough: 0 } });
  });

  test("log: an unsynced batch is torn, nothing proves it: cut without a mark of damage", () => {
    const { rig } = twoGroups();
    rig.begin(write(2, { entries: [entry(6, 2, 3000)] }));
    rig.step();
    const draw = drawer(5);
    rig.disk.crash((n) => (n === 4 ? 2 : draw(n)));
    const node = rig.restart();
    expect(rig.marks.has("tornTailCut")).toBe(true);
    expect([lastOf(replicaOf(node, 2)), node.forgotten]).toEqual([5, false]);
  });

  test("log: a middle segment is missing: whoever was last named before it is lost", () => {
    const rig = new Rig({ segmentsMin: 100 });
    rig.format();
    rig.write(write(1, { created: true }), write(2, { created: true }));
    for (let at = 1; at <= 60; at++) rig.write(write(1, { entries: [entry(at, 1, 1500)] }));
    rig.disk.lose("segment.0000000002");
    for (let life = 0; life < 2; life++) {
      const node = rig.restart();
      expect(replicaOf(node, 2).lost).toBe(true);
      expect(replicaOf(node, 1)).toMatchObject({ lost: false, recovered: { damagedThrough: 60 } });
      expect(node.forgotten).toBe(true);
    }
    expect(rig.marks.has("segmentMissing")).toBe(true);
  });

  test("log: the newest segment is missing, the spare is there: all are lost, boots go on", () => {
    const rig = new Rig();
    rig.format();
    rig.write(write(1, { created: true }));
    for (let at = 1; at <= 20; at++) rig.write(write(1, { entries: [entry(at, 1, 1500)] }));
    const boot = rig.restart().boot;
    rig.disk.lose("segment.0000000002");
    const node = rig.restart();
    expect(replicaOf(node, 1).lost).toBe(true);
    expect(node.boot).toBeGreaterThan(boot);
    const write2 = write(2, { created: true, entries: entries(1, 2, 1) });
    rig.write(write2);
    const again = rig.restart();
    expect(again.replicas.map(({ lost }) => lost)).toEqual([true, false]);
  });

  test("log: segments of another disk: all are lost", () => {
    const other = new Rig();
    other.format(78);
    other.write(write(1, { created: true }));
    const { rig } = twoGroups();
    rig.disk.bytes(first).set(other.disk.bytes(first));
    const node = rig.restart();
    expect(node.replicas).toEqual([]);
    expect(node.forgotten).toBe(true);
  });

  test("log: no segment is left: refused with words", () => {
    const { rig } = twoGroups();
    for (const { name } of rig.disk.files()) if (name.startsWith("segment")) rig.disk.lose(name);
    expect(rig.start()).toMatchObject([{ kind: "failed" }]);
  });

  test("log: both copies of the identity are gone: the segments tell it", () => {
    const { rig } = twoGroups();
    rig.disk.lose("identity.0");
    rig.disk.rot("identity.1", 13);
    expect(rig.restart().disk).toBe(77);
    expect(rig.disk.files().filter(({ name }) => name.startsWith("identity"))).toHaveLength(2);
  });

  test("log: a read of an entry comes back rotten: null, not a wrong entry", () => {
    const { rig, batches } = twoGroups();
    rig.disk.rot(first, batches[1]!.from + 32 + 56 + 92 + 100);
    expect(rig.read(key(1), 1, 3)).toBeNull();
    expect(rig.read(key(1), 2, 4)).toEqual(entries(2, 3, 1, 200));
    expect(rig.read(key(1), 6, 7)).toBeNull();
  });

  test("log: a record of a later format: refused with words, nothing is written", () => {
    const { rig, batches } = twoGroups();
    const bytes = rig.disk.bytes(first);
    const at = batches[2]!.from;
    const end = at + 4 + getU32(bytes, at);
    bytes[at + 20] = 9;
    sealRecord(bytes, at, end, at, crc32);
    const before = bytes.slice();
    const events = rig.start();
    expect(events).toMatchObject([
      { kind: "failed", reason: expect.stringContaining("format version 9") as string },
    ]);
    expect(rig.disk.bytes(first)).toEqual(before);
    putU32(bytes, 0, 0);
  });

  test.each(["write", "sync"])("log: a %s fails: the node must stop, and says so once", (kind) => {
    const { rig } = twoGroups();
    rig.disk.fail = (what) => (what === kind ? "ioError" : null);
    rig.begin(write(1, { state: state(9) }));
    const events = rig.settle();
    expect(events).toMatchObject([{ kind: "failed" }]);
    expect(rig.wal.busy).toBe(true);
  });
});
