/** Who is to join has the group's keys first. */
import { expect, test } from "vitest";
import { nodeId } from "../../../src/core/ids.js";
import { erase, rotate } from "../keys/entries.js";
import { testKeyId } from "../keys/test-aead.js";
import { OfficeRig, againUs, guestUs, publicKeyOf, told } from "./office-rig.js";

const guest = nodeId(4);
const mayJoin = (rig: OfficeRig): boolean => {
  const may = rig.office.mayJoin(rig.replica, guest);
  rig.settle();
  return may;
};

/** A guest of members 1 to 3 that was given the one key, and has not joined yet. */
function admitted(): OfficeRig {
  const rig = OfficeRig.withKeys(1);
  mayJoin(rig);
  rig.tellKeks(4);
  rig.commit();
  return rig;
}

test("key office: a guest is asked for its key, is given every key that is not erased, and may join then", () => {
  const rig = OfficeRig.withKeys(3);
  rig.apply(erase(2));
  rig.newQuestions();
  expect(mayJoin(rig)).toBe(false);
  expect(rig.marks.of("joinedKeyless")).toBe(1);
  expect(rig.askedForKeks()).toEqual([4]);
  rig.tellKeks(4);
  const publicKey = publicKeyOf(4);
  const blobs = [2, 3].map((epoch) => {
    const id = testKeyId(epoch);
    return { epoch, id, blob: rig.aead.wrapFor(id, publicKey) };
  });
  expect(rig.proposed).toEqual([{ kind: "admit", node: guest, publicKey, blobs }]);
  expect(mayJoin(rig)).toBe(false);
  rig.commit();
  expect(mayJoin(rig)).toBe(true);
});

test("key office: who holds the keys may join at once, and nobody is asked", () => {
  const rig = OfficeRig.withKeys(1, [1, 2, 3, 4]);
  expect(mayJoin(rig)).toBe(true);
  expect(rig.marks.has("joinedKeyless")).toBe(false);
  expect(rig.newQuestions()).toEqual([]);
});

test("key office: a guest that starts anew before it has the keys is asked for its own again", () => {
  const rig = OfficeRig.withKeys(1);
  rig.aead.held.clear();
  mayJoin(rig);
  rig.tellKeks(4);
  rig.pass(againUs);
  rig.newQuestions();
  rig.office.nodeCame(guest);
  rig.pass(againUs);
  expect(rig.askedForKeks()).toEqual([4]);

  const other = admitted();
  other.newQuestions();
  other.office.nodeCame(guest);
  other.due();
  expect(other.newQuestions()).toEqual([]);
});

test("key office: with a rotation under way in the log nobody may join until it is applied, or cut off", () => {
  for (const isApplied of [true, false]) {
    const rig = OfficeRig.withKeys(1, [1, 2, 3, 4]);
    rig.append(rotate(2, [1, 2, 3, 4]));
    expect(mayJoin(rig)).toBe(false);
    if (isApplied) rig.apply(rotate(2, [1, 2, 3, 4]));
    else rig.view.last--;
    expect(mayJoin(rig)).toBe(true);
  }
});

test("key office: a leader that lacks a key gives nobody the others, until it has them all", () => {
  const rig = OfficeRig.withKeys(2);
  rig.aead.held.delete(testKeyId(1));
  mayJoin(rig);
  rig.tellKeks(4);
  expect(rig.proposed).toEqual([]);
  rig.aead.held.add(testKeyId(1));
  rig.pass(againUs);
  expect(rig.proposed).toMatchObject([{ kind: "admit", blobs: [{ epoch: 1 }, { epoch: 2 }] }]);
});

test("key office: a guest that never answers is asked until its time is out, and then no more", () => {
  const rig = OfficeRig.withKeys(1);
  mayJoin(rig);
  rig.pass(guestUs - 1);
  expect(rig.askedForKeks().length).toBe(guestUs / againUs);
  rig.pass(guestUs);
  expect(rig.askedForKeks()).toEqual([]);
  expect(rig.proposed).toEqual([]);
  expect(rig.wakes.size).toBe(0);
});

test("key office: a guest that asks again has more time", () => {
  const rig = OfficeRig.withKeys(1);
  mayJoin(rig);
  rig.pass(guestUs / 2);
  mayJoin(rig);
  rig.pass(guestUs / 2 + againUs);
  rig.newQuestions();
  rig.pass(againUs);
  expect(rig.askedForKeks()).toEqual([4]);
});

test("key office: a guest that comes again when its time is out is asked at once", () => {
  const rig = OfficeRig.withKeys(1);
  const comes = (node: number): void => {
    rig.office.mayJoin(rig.replica, nodeId(node));
    rig.settle();
  };
  comes(5);
  rig.pass(againUs);
  comes(4);
  rig.tellKeks(4);
  rig.commit();
  rig.pass(guestUs - againUs);
  rig.newQuestions();
  comes(5);
  expect(rig.askedForKeks()).toEqual([5]);
});

test("key office: a guest that was given the keys and did not join in time is shut out by a new key", () => {
  const rig = admitted();
  rig.pass(guestUs - 1);
  expect(rig.proposed.length).toBe(1);
  rig.pass(1);
  expect(rig.proposed.length).toBe(2);
  const { holders } = rig.proposed[1] as ReturnType<typeof rotate>;
  expect(holders.map(({ node }) => node)).toEqual([1, 2, 3]);
});

test("key office: a guest that has joined is none: nothing comes of its time", () => {
  const rig = admitted();
  rig.members([1, 1], [2, 2], [3, 3], [4, 4]);
  rig.pass(2 * guestUs);
  expect(rig.proposed.length).toBe(1);
  expect(rig.wakes.size).toBe(0);
});

test("key office: a new key that is made while a guest has still to join is for the guest, too", () => {
  const rig = admitted();
  rig.office.rotate(rig.replica);
  rig.settle();
  const { holders } = rig.proposed[1] as ReturnType<typeof rotate>;
  expect(holders.map(({ node }) => node)).toEqual([1, 2, 3, 4]);
});

/** Asks once in a while for so many nodes to join, of which none answers. */
function crowd(rig: OfficeRig, guests: number, rounds: number): void {
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < guests; n++) rig.office.mayJoin(rig.replica, nodeId(10 + n));
    rig.settle();
    rig.pass(againUs);
  }
}

test("key office: of too many nodes that are to join the later ones wait for their turn", () => {
  const rig = OfficeRig.withKeys(1);
  crowd(rig, 100, 1);
  expect(new Set(rig.askedForKeks()).size).toBe(64);
  expect(rig.office.mayJoin(rig.replica, nodeId(109))).toBe(false);
});

test("key office: of too many questions the oldest are waited for no more", () => {
  const rig = OfficeRig.withKeys(1);
  crowd(rig, 64, 17);
  expect(rig.office.bounds[0]).toMatchObject({ size: 1_024, limit: 1_024 });
  const forgotten = rig.asked.length - 1_024;
  expect(forgotten).toBeGreaterThan(0);
  expect(rig.answerTo(rig.asked[forgotten - 1]!, told(publicKeyOf(15)))).toBe(false);
  expect(rig.answerTo(rig.asked[forgotten]!, told(publicKeyOf(16)))).toBe(true);
});

test("key office: of too many public keys the oldest are forgotten", () => {
  const rig = OfficeRig.withKeys(1);
  for (let n = 0; n < 1_100; n++) {
    rig.office.mayJoin(rig.replica, nodeId(10 + n));
    rig.settle();
    rig.tellKeks(10 + n);
    rig.pass(guestUs);
  }
  expect(rig.office.bounds[1]).toMatchObject({ size: 1_024, limit: 1_024 });
});

test("key office: what is too long for a public key is none", () => {
  const rig = OfficeRig.withKeys(1);
  mayJoin(rig);
  expect(rig.answer(4, told(new Uint8Array(2_049)))).toBe(true);
  expect(rig.proposed).toEqual([]);
  rig.pass(againUs);
  rig.answer(4, told(new Uint8Array(2_048).fill(4)));
  expect(rig.proposed.length).toBe(1);
});

test("key office: a guest whose public key is of no use holds up nothing", () => {
  const rig = OfficeRig.withKeys(1);
  const { aead } = rig;
  const wrapFor = aead.wrapFor.bind(aead);
  aead.wrapFor = (id, key) => (key[0] === guest ? null : wrapFor(id, key));
  mayJoin(rig);
  rig.tellKeks(4);
  expect(rig.proposed).toEqual([]);
  rig.office.rotate(rig.replica);
  rig.settle();
  expect(rig.proposed.map(({ kind }) => kind)).toEqual(["rotate"]);
});

const newKey = publicKeyOf(30);

test("key office: a member whose HSM was replaced is given every key again, for its new one", () => {
  const rig = OfficeRig.withKeys(2);
  rig.office.claim(rig.replica, nodeId(3), newKey);
  rig.settle();
  const blobs = [1, 2].map((epoch) => {
    const id = testKeyId(epoch);
    return { epoch, id, blob: rig.aead.wrapFor(id, newKey) };
  });
  expect(rig.proposed).toEqual([{ kind: "admit", node: nodeId(3), publicKey: newKey, blobs }]);
  rig.commit();
  rig.pass(2 * againUs);
  expect(rig.proposed.length).toBe(1);
  expect(rig.keys.keys.holders.get(nodeId(3))).toEqual(newKey);
});

test("key office: who claims what it was given already is kept from it by an old snapshot: there is a new one", () => {
  const rig = OfficeRig.withKeys(1);
  rig.office.claim(rig.replica, nodeId(3), publicKeyOf(3));
  rig.settle();
  expect(rig.steps).toEqual(["compactNow"]);
  expect(rig.proposed).toEqual([]);
});

test("key office: nobody claims what it was never given, nor with what is no public key", () => {
  const rig = OfficeRig.withKeys(1);
  rig.office.claim(rig.replica, guest, newKey);
  rig.office.claim(rig.replica, nodeId(3), new Uint8Array(2_049));
  rig.office.claim(rig.replica, nodeId(3), new Uint8Array(0));
  rig.settle();
  expect(rig.proposed).toEqual([]);
});

test("key office: a leader whose own HSM was replaced sees to itself", () => {
  const rig = OfficeRig.withKeys(1);
  rig.replaceHsm(newKey);
  rig.due();
  expect(rig.proposed).toMatchObject([{ kind: "admit", node: nodeId(1), publicKey: newKey }]);
});
