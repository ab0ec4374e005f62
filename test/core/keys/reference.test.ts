/** The page for people, docs/reference/sealing.md, says what the code does. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { entryType, entryTypeMax, type EntryType } from "../../../src/core/entry.js";
import { type Index, type Term, groupId, incarnation } from "../../../src/core/ids.js";
import {
  encodeKeyEntry,
  holdersMax,
  keyBytesMax,
  liveEpochsMax,
} from "../../../src/core/keys/key-entry.js";
import { chunkBytes } from "../../../src/core/keys/sealed-state.js";
import { GroupSealer } from "../../../src/core/keys/sealing.js";
import { isSealed } from "../../../src/core/raft/log-writes.js";
import { admit, applied, erase, keysOf, revoke, rotate } from "./entries.js";
import { TestAead } from "./test-aead.js";

const page = readFileSync("docs/reference/sealing.md", "utf8");

function section(title: string): string {
  return page.split(/^## /m).find((each) => each.startsWith(title))!;
}

/** The widths of the fields in a section's table. */
function widths(title: string): readonly number[] {
  return [...section(title).matchAll(/^\| (\d+) \| /gm)].map(([, bytes]) => Number(bytes));
}

/** Fields that `bound` falls into, as numbers; ids are of three. */
function fields(bound: Uint8Array, title: string): readonly number[] {
  const found: number[] = [];
  let at = 0;
  for (const width of widths(title)) {
    const field = [...bound.subarray(at, at + width)];
    found.push(field.reduce((sum, byte, n) => sum + byte * 256 ** (n % 8), 0));
    at += width;
  }
  expect(at).toBe(bound.length);
  return found;
}

test("sealing: what is bound is what the page says", () => {
  let bound: Uint8Array = new Uint8Array(0);
  const aead = new TestAead();
  const id = aead.generate();
  aead.seal = (_key, associated) => (bound = associated);
  const sealer = new GroupSealer(applied(rotate(1, [1])), aead, groupId(5), incarnation(6));
  expect(sealer.keys.newest?.id).toBe(id);
  const header = { term: 7 as Term, index: 8 as Index, type: entryType.session, keyEpoch: 1 };
  sealer.seal(header, new Uint8Array(9));
  expect(fields(bound, "Bound to the seal of an entry")).toEqual([1, 5, 6, 7, 8, 3, 1, 9]);
  sealer.sealChunk(
    { term: 7, index: 8, keyEpoch: 1, id: [100, 20, 3], number: 4, last: true },
    new Uint8Array(9),
  );
  expect(fields(bound, "Bound to the seal of a chunk")).toEqual([2, 5, 6, 7, 8, 1, 123, 4, 1]);
});

test("sealing: records have the numbers and names of the page", () => {
  const rows = [...section("Key entries").matchAll(/^\| (\d+) \| `(\w+)` \|/gm)];
  const entries = [rotate(1, [1]), admit(keysOf(1), 2), erase(2), revoke];
  expect(rows.map(([, n, name]) => [Number(n), name])).toEqual(
    entries.map((entry) => [encodeKeyEntry(entry)[1], entry.kind]),
  );
});

test("sealing: limits, and the types that are sealed, are those of the page", () => {
  const count = (n: number): string => n.toLocaleString("en-US");
  expect(page).toContain(`${count(keyBytesMax)} bytes`);
  expect(page).toContain(`${holdersMax} holders and ${liveEpochsMax} keys`);
  expect(page).toContain(`${count(chunkBytes)} bytes`);
  const names = Object.entries(entryType).flatMap(([name, type]) => (isSealed(type) ? name : []));
  expect(page).toContain(`types ${names.slice(0, -1).join(", ")} and ${names.at(-1)} are sealed`);
  const clear = [];
  for (let type = 0; type <= entryTypeMax; type++)
    if (!isSealed(type as EntryType)) clear.push(type);
  expect(clear).toEqual([entryType.blank, entryType.configuration, entryType.key]);
});
