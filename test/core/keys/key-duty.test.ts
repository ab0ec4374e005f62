import { expect, test } from "vitest";
import { nodeId } from "../../../src/core/ids.js";
import { GroupKeys } from "../../../src/core/keys/group-keys.js";
import { type KeyCase, type KeyDuty, dutyOf } from "../../../src/core/keys/key-duty.js";
import { epochMax, liveEpochsMax } from "../../../src/core/keys/key-entry.js";
import { admit, applied, erase, keysOf, revoke, rotate } from "./entries.js";

const ids = (nodes: readonly number[]): KeyCase["members"] => nodes.map(nodeId);

/** Of a settled, stable group of nodes 1 to 3 in which all have told their public keys. */
function dutyIn(
  keys: GroupKeys,
  of: Partial<Omit<KeyCase, "keys">> & { readonly strangers?: readonly number[] } = {},
): KeyDuty | null {
  const strangers = new Set<number>(of.strangers);
  return dutyOf({
    keys,
    settled: true,
    stable: true,
    members: ids([1, 2, 3]),
    guests: [],
    knows: (node) => !strangers.has(node),
    changed: () => false,
    clean: new Set(),
    rotates: false,
    ...of,
  });
}

const none = new GroupKeys();
const one = applied(rotate(1, [1, 2, 3]));
const two = applied(rotate(1, [1, 2, 3]), rotate(2, [1, 2, 3]));
const left = applied(rotate(1, [1, 2, 3, 4]));
const all = ids([1, 2, 3]);

test.each<[string, KeyDuty | null, KeyDuty | null]>([
  ["no key yet: the first", dutyIn(none), { kind: "rotate", nodes: all }],
  [
    "no key yet, in the midst of a change of members: the first all the same",
    dutyIn(none, { stable: false }),
    { kind: "rotate", nodes: all },
  ],
  [
    "no key yet, and nobody asked the guest for its own: for the members",
    dutyIn(none, { guests: ids([4]), strangers: [4] }),
    { kind: "rotate", nodes: all },
  ],
  ["not settled: nothing yet", dutyIn(none, { settled: false }), { kind: "wait" }],
  [
    "members that nobody knows are asked first",
    dutyIn(none, { strangers: [2, 3] }),
    { kind: "ask", nodes: ids([2, 3]) },
  ],
  ["every member has the one key: nothing", dutyIn(one), null],
  [
    "a member without the key",
    dutyIn(one, { members: ids([1, 2, 3, 5]) }),
    { kind: "admit", node: nodeId(5) },
  ],
  [
    "a guest that told its own",
    dutyIn(one, { guests: ids([5]) }),
    { kind: "admit", node: nodeId(5) },
  ],
  ["a guest that did not yet: nothing", dutyIn(one, { guests: ids([5]), strangers: [5] }), null],
  [
    "a newcomer goes before a new key that is due",
    dutyIn(one, { guests: ids([5]), rotates: true }),
    { kind: "admit", node: nodeId(5) },
  ],
  ["it is time", dutyIn(one, { rotates: true }), { kind: "rotate", nodes: all }],
  [
    "it is time, and a guest has the keys already: for it too",
    dutyIn(left, { guests: ids([4]), rotates: true }),
    { kind: "rotate", nodes: ids([1, 2, 3, 4]) },
  ],
  ["a member has left", dutyIn(left), { kind: "rotate", nodes: all }],
  ["it has left, but not for certain", dutyIn(left, { stable: false }), null],
  [
    "who holds a key has not left as long as it is a guest",
    dutyIn(left, { guests: ids([4]) }),
    null,
  ],
  ["an older key: all have to clear", dutyIn(two), { kind: "clear", below: 2, nodes: all }],
  [
    "an older key, and one member has cleared",
    dutyIn(two, { clean: new Set(ids([2])) }),
    { kind: "clear", below: 2, nodes: ids([1, 3]) },
  ],
  ["all have cleared", dutyIn(two, { clean: new Set(all) }), { kind: "erase", below: 2 }],
  [
    "all have cleared but members change",
    dutyIn(two, { clean: new Set(all), stable: false }),
    { kind: "wait" },
  ],
  [
    "a clean node that is no member counts for nothing",
    dutyIn(two, { clean: new Set(ids([1, 2, 7])) }),
    { kind: "clear", below: 2, nodes: ids([3]) },
  ],
  [
    "a new key is due while an older one is there: first the new one",
    dutyIn(two, { rotates: true, clean: new Set(all) }),
    { kind: "rotate", nodes: all },
  ],
  ["erased: nothing", dutyIn(applied(rotate(1, [1, 2, 3]), rotate(2, [1, 2, 3]), erase(2))), null],
  ["revoked: nothing, ever", dutyIn(applied(rotate(1, [1]), revoke), { rotates: true }), null],
])("duty: %s", (_name, duty, expected) => {
  expect(duty).toEqual(expected);
});

test("duty: with as many keys as there may be, the older ones go first", () => {
  const full = keysOf(liveEpochsMax);
  const of = { members: ids([1]), rotates: true };
  expect(dutyIn(full, of)).toMatchObject({ kind: "clear", below: liveEpochsMax });
});

test("duty: the last epoch that a header has room for stays in force", () => {
  const last = applied(rotate(1, [1, 2, 3]));
  last.epoch = epochMax;
  expect(dutyIn(last, { rotates: true })).toBeNull();
});

test("duty: done again and again it ends, with one key that the members hold and nobody else", () => {
  const keys = new GroupKeys();
  const clean = new Set<ReturnType<typeof nodeId>>();
  const deeds: string[] = [];
  const members = ids([1, 2, 6]);
  for (const entry of [rotate(1, [1, 2, 3]), rotate(2, [1, 2, 3])]) keys.apply(entry, 1);
  for (let turn = 0; turn < 20; turn++) {
    const duty = dutyIn(keys, { members, clean });
    if (duty === null) break;
    deeds.push(duty.kind);
    if (duty.kind === "clear") for (const node of duty.nodes) clean.add(node);
    if (duty.kind === "admit") expect(keys.apply(admit(keys, duty.node), turn)).toBe(true);
    if (duty.kind === "erase") expect(keys.apply(erase(duty.below), turn)).toBe(true);
    if (duty.kind !== "rotate") continue;
    expect(keys.apply(rotate(keys.epoch + 1, duty.nodes), turn)).toBe(true);
    clean.clear();
  }
  expect(deeds).toEqual(["admit", "rotate", "clear", "erase"]);
  expect(new Set(keys.holders.keys())).toEqual(new Set(members));
  expect(keys.keys.map(({ epoch }) => epoch)).toEqual([3]);
});
