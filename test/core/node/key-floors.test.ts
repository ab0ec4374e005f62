import { expect, test } from "vitest";
import { groupId, incarnation, replicaId } from "../../../src/core/ids.js";
import type { NodeContext } from "../../../src/core/node/context.js";
import { KeyFloors } from "../../../src/core/node/key-floors.js";
import type { Replica } from "../../../src/core/node/replica.js";
import { Replicas } from "../../../src/core/node/replicas.js";
import type { Sleepers } from "../../../src/core/node/sleepers.js";
import { WakeHeap } from "../../../src/core/node/wake-heap.js";
import type { ReplicaKey } from "../../../src/core/wal/log-store.js";
import { CountedMarks } from "../counted-marks.js";

function keyOf(replica: number, life = 1): ReplicaKey {
  return { group: groupId(5), incarnation: incarnation(life), replica: replicaId(replica) };
}

/** A node whose log holds something of epoch `oldest` and newer, until it was asked twice to let go. */
class Rig {
  nowUs = 1_000;
  oldest = 3;
  readonly vacated: number[] = [];
  readonly marks = new CountedMarks();
  readonly wakes = new WakeHeap();
  readonly wal = {
    holdsBelow: (_key: ReplicaKey, epoch: number): boolean => this.oldest < epoch,
    vacate: (_key: ReplicaKey, epoch: number): void => {
      this.vacated.push(epoch);
      if (this.vacated.length === 2) this.oldest = epoch;
    },
  };
  readonly replicas = new Replicas({} as Sleepers, () => {
    throw new Error("nobody sleeps here");
  });
  readonly floors = new KeyFloors(this as unknown as NodeContext, this.replicas);

  /** The oldest snapshot of each replica, and which of them were asked to compact. */
  readonly snapshotAt = new Map<number, number>();
  readonly compacted: number[] = [];
  readonly snapshots = {
    onlyFrom: ({ replica }: ReplicaKey, index: number): boolean =>
      (this.snapshotAt.get(replica) ?? Infinity) >= index,
    dropOlder: ({ replica }: ReplicaKey): void => void this.snapshotAt.delete(replica),
  };

  /** It has heard of the keys up to `newest`, each of which came into force at ten times its epoch. */
  add(key: ReplicaKey, newest = 9, leaving = false): void {
    const at = (epoch: number): { since: number } | null =>
      epoch <= newest ? { since: 10 * epoch } : null;
    const step = (): void => void this.compacted.push(key.replica);
    const replica = { ...key, key, keys: { keys: { at } }, step, leaving, sibling: null };
    this.replicas.add(replica as unknown as Replica);
  }

  /** Whether anything was due. */
  wake(): boolean {
    this.nowUs = this.wakes.soonestUs;
    const due = this.wakes.takeDue(this.nowUs);
    due?.woken();
    return due !== null;
  }
}

test("key floors: what a former replica left under erased keys is let go of, however often that takes", () => {
  const rig = new Rig();
  rig.add(keyOf(2));
  rig.floors.raise(keyOf(2), 4);
  rig.floors.raise(keyOf(2), 4);
  expect(rig.marks.of("erasedWhileAway")).toBe(1);
  expect(rig.floors.isClear(groupId(5))).toBe(false);
  expect(rig.floors.isClear(groupId(6))).toBe(true);
  const wokenAt: number[] = [];
  while (rig.wakes.size > 0) if (rig.wake()) wokenAt.push(rig.nowUs);
  expect(rig.vacated).toEqual([4, 4]);
  expect(rig.compacted).toEqual([2, 2]);
  expect(wokenAt).toEqual([1_000, 201_000, 401_000]);
  expect(rig.floors.isClear(groupId(5))).toBe(true);
});

test("key floors: where nothing older is left nothing is done", () => {
  const rig = new Rig();
  rig.floors.raise(keyOf(2), 3);
  expect(rig.wakes.size).toBe(0);
  expect(rig.marks.of("erasedWhileAway")).toBe(0);
});

test("key floors: it goes on when the replica is gone, and the newest floor counts", () => {
  const rig = new Rig();
  rig.floors.raise(keyOf(2), 4);
  rig.floors.raise(keyOf(3), 6);
  rig.floors.raise(keyOf(2), 5);
  while (rig.wake());
  expect(rig.vacated).toEqual([6, 6]);
  expect(rig.floors.isClear(groupId(5))).toBe(true);
});

test("key floors: an older snapshot is in the way, too, and dropped", () => {
  const rig = new Rig();
  rig.add(keyOf(2));
  rig.snapshotAt.set(2, 29);
  expect(rig.floors.clear(keyOf(2), 3)).toBe(false);
  expect(rig.floors.clear(keyOf(2), 3)).toBe(true);
});

test("key floors: every replica of that life is asked, and none of another life", () => {
  const rig = new Rig();
  rig.oldest = 9;
  rig.add(keyOf(1), 3);
  rig.add(keyOf(2));
  rig.add(keyOf(3, 2));
  // The first one has not heard of that key yet.
  expect(rig.floors.clear(keyOf(2), 4)).toBe(false);
  expect(rig.floors.clear(keyOf(2), 3)).toBe(true);
  expect(rig.floors.clear(keyOf(3, 2), 4)).toBe(true);
  rig.add(keyOf(4, 3), 9, true);
  expect(rig.floors.clear(keyOf(4, 3), 4)).toBe(false);
});
