import { expect, test } from "vitest";
import { entryType } from "../../../src/core/entry.js";
import {
  type Index,
  type Term,
  groupId,
  incarnation,
  nodeId,
  replicaId,
} from "../../../src/core/ids.js";
import { type KeyEntry, encodeKeyEntry } from "../../../src/core/keys/key-entry.js";
import { Keyring } from "../../../src/core/node/keyring.js";
import { ReplicaKeys } from "../../../src/core/node/replica-keys.js";
import type { DataKeyId } from "../../../src/core/ports/aead.js";
import { CountedMarks } from "../counted-marks.js";
import { admit, applied, erase, keysOf, rotate } from "../keys/entries.js";
import { TestAead, testKeyId } from "../keys/test-aead.js";

const owner = { keyCame: (): void => {} };

/** Replicas on node 1, whose HSM answers never. */
class Rig {
  readonly aead = new TestAead();
  readonly marks = new CountedMarks();
  readonly erased: DataKeyId[] = [];
  readonly floors: number[] = [];
  #snapshots = 0;
  readonly keyring = new Keyring({
    node: nodeId(1),
    hsm: { submit: () => {} },
    aead: this.aead,
    marks: this.marks,
    nowUs: () => 0,
    wakeAt: () => {},
  });

  replica(n: number, ...entries: readonly KeyEntry[]): ReplicaKeys {
    const keys = new ReplicaKeys({
      keyring: this.keyring,
      node: nodeId(1),
      key: { group: groupId(5), incarnation: incarnation(1), replica: replicaId(n) },
      marks: this.marks,
      erased: (ids) => this.erased.push(...ids),
      floorAt: (epoch) => this.floors.push(epoch),
      snapshotId: () => [1, 1, ++this.#snapshots],
    });
    for (const [at, entry] of entries.entries()) keys.apply(entryOf(entry, at + 1));
    return keys;
  }
}

function entryOf(entry: KeyEntry, index: number): Parameters<ReplicaKeys["apply"]>[0] {
  const payload = encodeKeyEntry(entry);
  return { term: 1 as Term, index: index as Index, type: entryType.key, keyEpoch: 0, payload };
}

test("replica keys: what one replica leaves behind, another of its group on the node goes on with", () => {
  const rig = new Rig();
  for (let n = 0; n < 2; n++) rig.aead.generate();
  const gone = rig.replica(1, rotate(1, [1]), rotate(2, [1]));
  const stays = rig.replica(2, rotate(1, [1]), rotate(2, [1]), erase(2));
  // The one that goes had not applied the erasure, and got its key once more.
  rig.aead.held.add(testKeyId(1));
  gone.drop(owner, [{ keys: stays }]);
  expect(stays.sealer.refusal(true)).toBeNull();
  expect([...rig.aead.held]).toEqual([testKeyId(2)]);
  stays.drop(owner, []);
  expect(rig.aead.held.size).toBe(0);
});

test("replica keys: an erased key is wiped, and said to be", () => {
  const rig = new Rig();
  for (let n = 0; n < 2; n++) rig.aead.generate();
  const keys = rig.replica(1, rotate(1, [1]), rotate(2, [1]));
  expect(rig.erased).toEqual([]);
  keys.apply(entryOf(erase(2), 3));
  expect(rig.erased).toEqual([testKeyId(1)]);
  expect([...rig.aead.held]).toEqual([testKeyId(2)]);
});

test("replica keys: what does not fit is dropped and changes nothing", () => {
  const rig = new Rig();
  const keys = rig.replica(1, rotate(1, [1]));
  const { version } = keys;
  keys.apply(entryOf(rotate(3, [1]), 2));
  keys.apply({ ...entryOf(erase(1), 3), payload: Uint8Array.of(9) });
  expect(rig.marks.of("staleKeyEntryDropped")).toBe(2);
  expect(keys.version).toBe(version);
  expect(keys.keys.epoch).toBe(1);
});

test("replica keys: older keys are had from an admission that is not applied yet, of this node alone", () => {
  const rig = new Rig();
  const newcomer = rig.replica(1, rotate(1, [2]));
  expect(newcomer.mayOpen(owner, 1)).toBe(false);
  expect(rig.keyring.size).toBe(0);
  newcomer.foresee(owner, entryOf(admit(keysOf(1), 2), 7));
  expect(rig.keyring.size).toBe(0);
  newcomer.foresee(owner, entryOf(admit(keysOf(1), 1), 8));
  expect(rig.keyring.size).toBe(1);
});

test("replica keys: a snapshot opens where its key is, waits where it comes, and is refused without", () => {
  const rig = new Rig();
  rig.aead.generate();
  const at = { index: 9, term: 1 };
  const maker = rig.replica(1, rotate(1, [1, 2]));
  const state = Uint8Array.of(1, 2, 3);
  const bytes = maker.seal(owner, state, at)!;
  expect(maker.seal(owner, state, at)).not.toEqual(bytes);
  const receiver = rig.replica(2);
  expect(receiver.open(owner, bytes, at)).toEqual(state);
  expect(receiver.keys.keys).toEqual(applied(rotate(1, [1, 2])).keys);
  expect(rig.replica(3).open(owner, bytes, { ...at, index: 8 })).toBeNull();
  rig.aead.drop(testKeyId(1));
  expect(rig.replica(4).open(owner, bytes, at)).toBe("waits");
  expect(rig.keyring.size).toBe(1);
  expect(maker.seal(owner, state, at)).toBeNull();
  expect(rig.replica(5).open(owner, Uint8Array.of(1), at)).toBeNull();
});

test("replica keys: a snapshot of before this node was given the keys is of no use here", () => {
  const rig = new Rig();
  rig.aead.generate();
  const at = { index: 9, term: 1 };
  const bytes = rig.replica(1, rotate(1, [2])).seal(owner, Uint8Array.of(1), at)!;
  // Also while another replica of this node has them: the next start would not.
  expect(rig.replica(2).mayRestore(bytes)).toBe(false);
  expect(rig.replica(3).mayRestore(Uint8Array.of(1))).toBe(false);
  const given = rig.replica(1, rotate(1, [1])).seal(owner, Uint8Array.of(1), at)!;
  rig.aead.drop(testKeyId(1));
  expect(rig.replica(2).mayRestore(given)).toBe(true);
  expect(rig.replica(2).mayRestore(rig.replica(4).seal(owner, Uint8Array.of(1), at)!)).toBe(true);
});
