import { expect, test } from "vitest";
import { nodeId } from "../../../src/core/ids.js";
import { encodeClientAnswer } from "../../../src/core/store/client-protocol.js";
import { revoke, rotate } from "../keys/entries.js";
import { testKeyId } from "../keys/test-aead.js";
import {
  OfficeRig,
  againUs,
  cleared,
  guestUs,
  publicKeyOf,
  refused,
  told,
  undecodable,
} from "./office-rig.js";

/** A key for these nodes, as the rig's office makes it. */
function keyFor(rig: OfficeRig, epoch: number, nodes: readonly number[]): object {
  const id = testKeyId(epoch);
  const holders = nodes.map((node) => {
    const publicKey = publicKeyOf(node);
    return { node: nodeId(node), publicKey, blob: rig.aead.wrapFor(id, publicKey) };
  });
  return { kind: "rotate", epoch, id, holders };
}

test("key office: the first key is for all members, as soon as each has told its own", () => {
  const rig = new OfficeRig();
  rig.startHsm();
  rig.due();
  expect(rig.askedForKeks()).toEqual([2, 3]);
  rig.tellKeks(3);
  expect(rig.proposed).toEqual([]);
  rig.tellKeks(2);
  expect(rig.proposed).toMatchObject([keyFor(rig, 1, [1, 2, 3])]);
  rig.commit();
  rig.pass(2 * guestUs);
  expect(rig.proposed.length).toBe(1);
});

test("key office: a new key is wrapped for the recovery key besides, where there is one", () => {
  const recoveryKey = Uint8Array.of(77);
  const rig = OfficeRig.withKeys(1, [1, 2, 3], { recoveryKey });
  rig.office.rotate(rig.replica);
  rig.settle();
  const recovery = rig.aead.wrapFor(testKeyId(2), recoveryKey);
  expect(rig.proposed).toMatchObject([{ kind: "rotate", recovery }]);
});

test("key office: who does not answer is asked again after a while, and nobody sooner", () => {
  const rig = new OfficeRig();
  rig.startHsm();
  for (let n = 0; n < 3; n++) rig.due();
  expect(rig.askedForKeks()).toEqual([2, 3]);
  rig.pass(againUs - 1);
  expect(rig.askedForKeks()).toEqual([]);
  rig.pass(1);
  expect(rig.askedForKeks()).toEqual([2, 3]);
});

test.each([
  ["a refusal", refused],
  ["what cannot be decoded", undecodable],
  ["no bytes", cleared],
  ["what was read", encodeClientAnswer({ kind: "readResult", bytes: publicKeyOf(2) })],
])("key office: %s is nobody's public key: it is asked for again", (_name, bytes) => {
  const rig = new OfficeRig();
  rig.startHsm();
  rig.members([1, 1], [2, 2]);
  rig.due();
  expect(rig.answer(2, bytes)).toBe(true);
  rig.pass(againUs);
  expect(rig.askedForKeks()).toEqual([2, 2]);
  expect(rig.proposed).toEqual([]);
});

test("key office: what answers no question of its own, or one for the second time, is not taken", () => {
  const rig = new OfficeRig();
  rig.due();
  const [asked] = rig.newQuestions();
  expect(rig.office.answered(asked!.id, refused)).toBe(true);
  expect(rig.office.answered(asked!.id, told(publicKeyOf(2)))).toBe(false);
});

test("key office: a node that has started anew is asked for its key again", () => {
  const rig = new OfficeRig();
  rig.startHsm();
  rig.due();
  rig.tellKeks(2);
  rig.office.nodeCame(nodeId(2));
  rig.newQuestions();
  rig.tellKeks(3);
  expect(rig.askedForKeks()).toEqual([2]);
  const another = Uint8Array.of(2, 2);
  rig.answer(2, told(another));
  expect(rig.proposed).toMatchObject([{ holders: [{}, { publicKey: another }, {}] }]);
});

test("key office: without this node's own key, or with one that is no use, no new key leaves anyone out", () => {
  const rig = new OfficeRig();
  rig.due();
  rig.tellKeks(2, 3);
  expect(rig.proposed).toEqual([]);
  rig.startHsm();
  rig.pass(againUs);
  expect(rig.proposed).toMatchObject([keyFor(rig, 1, [1, 2, 3])]);

  const other = OfficeRig.withKeys(1);
  other.keys.keys.holders.set(nodeId(3), new Uint8Array(0));
  other.office.rotate(other.replica);
  other.settle();
  expect(other.proposed).toEqual([]);
});

test("key office: after so many entries under a key comes the next one", () => {
  const rig = OfficeRig.withKeys(1, [1, 2, 3], { rotateAfterEntries: 3 });
  for (let n = 0; n < 2; n++) rig.keys.keys.count(1);
  rig.due();
  expect(rig.proposed).toEqual([]);
  rig.keys.keys.count(1);
  rig.due();
  expect(rig.proposed).toMatchObject([keyFor(rig, 2, [1, 2, 3])]);
  rig.commit();
  expect(rig.proposed.length).toBe(1);
});

test("key office: a person who asks for a new key gets one, however often it is asked for meanwhile", () => {
  const rig = OfficeRig.withKeys(1);
  rig.due();
  expect(rig.proposed).toEqual([]);
  for (let n = 0; n < 3; n++) rig.office.rotate(rig.replica);
  rig.settle();
  expect(rig.proposed).toMatchObject([keyFor(rig, 2, [1, 2, 3])]);
  rig.commit();
  rig.pass(guestUs);
  expect(rig.proposed.length).toBe(1);
});

test("key office: what is to be done of newer keys again is done at once", () => {
  const rig = OfficeRig.withKeys(1, [1, 2, 3], { rotateAfterEntries: 0 });
  rig.commit();
  expect(rig.proposed).toMatchObject([{ epoch: 2 }, { epoch: 3 }]);
});

test("key office: when a member has left for certain, the next key is for the others", () => {
  const rig = OfficeRig.withKeys(1, [1, 2, 3, 4]);
  rig.configure([[1, 1], [2, 2], [3, 3]], [[1, 1], [2, 2], [3, 3], [4, 4]]); // prettier-ignore
  rig.due();
  rig.members([1, 1], [2, 2], [3, 3]);
  rig.view.configurationIndex = rig.view.commit + 1;
  rig.due();
  expect(rig.proposed).toEqual([]);
  rig.view.commit++;
  rig.due();
  expect(rig.proposed).toMatchObject([keyFor(rig, 2, [1, 2, 3])]);
});

test("key office: nothing is done before what earlier leaders appended is applied", () => {
  const rig = OfficeRig.withKeys(1);
  rig.state.termStart = rig.state.applied + 1;
  rig.office.rotate(rig.replica);
  rig.settle();
  expect(rig.proposed).toEqual([]);
  rig.state.applied++;
  rig.due();
  expect(rig.proposed.length).toBe(1);
});

test.each<[string, (rig: OfficeRig) => void]>([
  ["it does not lead", ({ replica }) => (replica.leads = false)],
  ["its replica is leaving", ({ replica }) => (replica.leaving = true)],
  ["keys are revoked", (rig) => rig.apply(revoke)],
])("key office: nothing is done, nor looked at again, where %s", (_name, change) => {
  const rig = OfficeRig.withKeys(2);
  change(rig);
  rig.newQuestions();
  rig.office.rotate(rig.replica);
  rig.due();
  rig.pass(againUs);
  expect(rig.newQuestions()).toEqual([]);
  expect(rig.proposed).toEqual([]);
  expect(rig.wakes.size).toBe(0);
});

test("key office: a proposal that came to nothing is made again with the same key", () => {
  const rig = OfficeRig.withKeys(1);
  rig.office.rotate(rig.replica);
  rig.settle();
  rig.pass(againUs);
  expect(rig.proposed.length).toBe(2);
  expect(rig.proposed[1]).toEqual(rig.proposed[0]);
  expect([...rig.aead.held]).toEqual([testKeyId(1), testKeyId(2)]);
});

const ofAnother = { ...rotate(2, [1, 2, 3]), id: testKeyId(99) };

test("key office: a key that another leader outran is dropped, and one in force is not", () => {
  for (const outran of [false, true]) {
    const rig = OfficeRig.withKeys(1);
    rig.office.rotate(rig.replica);
    rig.settle();
    rig.replica.leads = !outran;
    rig.apply(outran ? ofAnother : rig.proposed[0]!);
    rig.replica.leads = false;
    rig.due();
    expect([...rig.aead.held]).toEqual([testKeyId(1), ...(outran ? [] : [testKeyId(2)])]);
  }
});

test("key office: a key that was outrun is dropped also by who leads still and makes the next one", () => {
  const rig = OfficeRig.withKeys(1);
  rig.office.rotate(rig.replica);
  rig.settle();
  rig.apply(ofAnother);
  expect(rig.aead.held.has(testKeyId(2))).toBe(true);
  rig.office.rotate(rig.replica);
  rig.settle();
  expect([...rig.aead.held]).toEqual([testKeyId(1), testKeyId(3)]);
  expect(rig.proposed.at(-1)).toMatchObject({ epoch: 3, id: testKeyId(3) });
});

test("key office: a key that was made is dropped when another replica of the group takes its place", () => {
  const rig = OfficeRig.withKeys(1);
  rig.office.rotate(rig.replica);
  rig.settle();
  expect(rig.aead.held.has(testKeyId(2))).toBe(true);
  rig.office.due(Object.create(rig.replica) as typeof rig.replica);
  expect([...rig.aead.held]).toEqual([testKeyId(1)]);
});
