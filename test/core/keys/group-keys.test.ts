import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../src/core/bytes.js";
import { RollingHash } from "../../../src/core/hash.js";
import { nodeId } from "../../../src/core/ids.js";
import { GroupKeys } from "../../../src/core/keys/group-keys.js";
import { epochMax, holdersMax, liveEpochsMax } from "../../../src/core/keys/key-entry.js";
import { admit, applied, erase, keysOf, revoke, rotate } from "./entries.js";
import { testKeyId } from "./test-aead.js";

function bytesOf(keys: GroupKeys): Uint8Array {
  const writer = new ByteWriter();
  keys.write(writer);
  return writer.finish();
}

function digestOf(keys: GroupKeys): string {
  const hash = new RollingHash();
  keys.fold(hash);
  return hash.hex();
}

/** Epochs and who holds each: `1:12 2:1` for two keys, of which node 2 lacks the newer. */
function shown(keys: GroupKeys): string {
  return keys.keys.map(({ epoch, blobs }) => `${epoch}:${[...blobs.keys()].join("")}`).join(" ");
}

describe("keys of a group", () => {
  test("the first rotation brings the first key, the next one another beside it", () => {
    const keys = applied(rotate(1, [1, 2, 3]));
    expect(keys.epoch).toBe(1);
    expect(keys.newest).toMatchObject({ epoch: 1, since: 1, id: testKeyId(1), entries: 0 });
    expect([...keys.holders.keys()]).toEqual([1, 2, 3]);
    expect(keys.apply(rotate(2, [1, 2, 3]), 9)).toBe(true);
    expect(keys.newest).toMatchObject({ epoch: 2, since: 9 });
    expect(shown(keys)).toBe("1:123 2:123");
    expect(keys.at(1)?.id).toBe(testKeyId(1));
    expect(keys.at(3)).toBeNull();
  });

  test("who holds no new key loses its blobs of the older ones", () => {
    const keys = applied(rotate(1, [1, 2, 3]), rotate(2, [1, 3]));
    expect(shown(keys)).toBe("1:13 2:13");
    expect([...keys.holders.keys()]).toEqual([1, 3]);
  });

  test("who is admitted gets every key that is not erased", () => {
    const keys = applied(rotate(1, [1]), rotate(2, [1]), erase(2), rotate(3, [1]));
    expect(keys.apply(admit(keys, 4), 5)).toBe(true);
    expect(shown(keys)).toBe("2:14 3:14");
    expect(keys.holders.has(nodeId(4))).toBe(true);
  });

  test("an admission fits only the keys that are there", () => {
    const before = applied(rotate(1, [1]), rotate(2, [1]));
    const whole = admit(before, 4);
    const { blobs } = whole;
    const misfits = [
      { ...whole, blobs: blobs.slice(1) },
      { ...whole, blobs: [] },
      { ...whole, blobs: blobs.toReversed() },
      { ...whole, blobs: [blobs[0]!, { ...blobs[1]!, id: testKeyId(9) }] },
      { ...whole, blobs: [...blobs, { ...blobs[1]!, epoch: 3 }] },
    ];
    for (const misfit of misfits) expectUnchanged(before, () => before.apply(misfit, 7));
    // It was proposed before a rotation, or an erasure, came in between.
    for (const between of [rotate(3, [1]), erase(2)]) {
      const keys = applied(rotate(1, [1]), rotate(2, [1]), between);
      expectUnchanged(keys, () => keys.apply(whole, 7));
    }
  });

  test("none is admitted where there is no key yet", () => {
    const keys = new GroupKeys();
    expectUnchanged(keys, () => keys.apply(admit(keys, 1), 1));
  });

  test("a node that is admitted again has its newer key; at the limit too, where no other comes in", () => {
    const all = Array.from({ length: holdersMax }, (_, at) => at + 1);
    const keys = applied(rotate(1, all));
    expectUnchanged(keys, () => keys.apply(admit(keys, holdersMax + 1), 2));
    const again = { ...admit(keys, 5), publicKey: Uint8Array.of(99) };
    expect(keys.apply(again, 2)).toBe(true);
    expect(keys.holders.size).toBe(holdersMax);
    expect(keys.holders.get(nodeId(5))).toEqual(Uint8Array.of(99));
  });

  test("a rotation that is no next one changes nothing", () => {
    const keys = applied(rotate(1, [1, 2]), rotate(2, [1, 2]));
    for (const epoch of [0, 1, 2, 4, epochMax]) {
      expectUnchanged(keys, () => keys.apply(rotate(epoch, [1]), 7));
    }
  });

  test("with as many keys as there may be a rotation waits for an erasure", () => {
    const keys = keysOf(liveEpochsMax);
    const next = rotate(liveEpochsMax + 1, [1]);
    expectUnchanged(keys, () => keys.apply(next, 99));
    expect(keys.apply(erase(2), 99)).toBe(true);
    expect(keys.apply(next, 100)).toBe(true);
    expect(keys.keys.length).toBe(liveEpochsMax);
  });

  test("an erasure takes all that is older, and never the key in force", () => {
    const keys = keysOf(4);
    expectUnchanged(keys, () => keys.apply(erase(5), 9));
    expectUnchanged(keys, () => keys.apply(erase(1), 9));
    expect(keys.apply(erase(4), 9)).toBe(true);
    expect(shown(keys)).toBe("4:1");
    expectUnchanged(keys, () => keys.apply(erase(4), 10));
    expect(keys.epoch).toBe(4);
  });

  test("after a revocation nothing is changed any more", () => {
    const keys = applied(rotate(1, [1]), rotate(2, [1]), revoke);
    expect(keys.revoked).toBe(true);
    for (const entry of [rotate(3, [1]), admit(keys, 2), erase(2), revoke]) {
      expectUnchanged(keys, () => keys.apply(entry, 9));
    }
  });

  test("entries are counted under their own key, and those under none that is there are not", () => {
    const keys = keysOf(2);
    for (const epoch of [1, 2, 2, 3, 0]) keys.count(epoch);
    expect(keys.keys.map(({ entries }) => entries)).toEqual([1, 2]);
  });

  test("nothing of it is a view of the entry's bytes", () => {
    const entry = rotate(1, [1]);
    const keys = applied(entry);
    const before = bytesOf(keys);
    for (const { publicKey, blob } of entry.holders)
      for (const each of [publicKey, blob]) each.fill(0);
    entry.recovery.fill(0);
    expect(bytesOf(keys)).toEqual(before);
  });
});

/** Entries in any order, most of which fit nothing. */
const nodes = fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
const deed = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant("next" as const), nodes }) },
  fc.record({ op: fc.constant("rotate" as const), epoch: fc.integer({ min: 0, max: 9 }), nodes }),
  fc.record({ op: fc.constant("admit" as const), node: fc.integer({ min: 1, max: 7 }) }),
  fc.record({ op: fc.constant("erase" as const), below: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ op: fc.constant("count" as const), epoch: fc.integer({ min: 0, max: 9 }) }),
);

function history(deeds: readonly (typeof deed extends fc.Arbitrary<infer D> ? D : never)[]): {
  readonly keys: GroupKeys;
  readonly unchanged: boolean;
} {
  const keys = new GroupKeys();
  let unchanged = true;
  for (const [index, each] of deeds.entries()) {
    const before = bytesOf(keys);
    let fits = true;
    if (each.op === "next") fits = keys.apply(rotate(keys.epoch + 1, each.nodes), index);
    if (each.op === "rotate") fits = keys.apply(rotate(each.epoch, each.nodes), index);
    if (each.op === "admit") fits = keys.apply(admit(keys, each.node), index);
    if (each.op === "erase") fits = keys.apply(erase(each.below), index);
    if (each.op === "count") keys.count(each.epoch);
    if (!fits && !equal(before, bytesOf(keys))) unchanged = false;
  }
  return { keys, unchanged };
}

describe("keys of a group, whatever comes in whatever order", () => {
  test("what does not fit changes nothing, and each holder holds the newest key", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 40 }), (deeds) => {
        const { keys, unchanged } = history(deeds);
        expect(unchanged).toBe(true);
        const epochs = keys.keys.map(({ epoch }) => epoch);
        expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
        expect(epochs.at(-1) ?? 0).toBe(keys.epoch);
        expect(new Set(keys.newest?.blobs.keys())).toEqual(new Set(keys.holders.keys()));
        for (const { blobs } of keys.keys) {
          expect([...blobs.keys()].every((node) => keys.holders.has(node))).toBe(true);
        }
      }),
    );
  });

  test("written and read it is the same", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 40 }), (deeds) => {
        const { keys } = history(deeds);
        const bytes = bytesOf(keys);
        const read = keysOf(3);
        const reader = new ByteReader(bytes);
        expect(read.read(reader)).toBe(true);
        expect(reader.complete).toBe(true);
        expect(bytesOf(read)).toEqual(bytes);
        expect(digestOf(read)).toBe(digestOf(keys));
        expect(read.keys).toEqual(keys.keys);
        expect(read.holders).toEqual(keys.holders);
      }),
    );
  });

  test("what cannot be read changes nothing, and what can is written as it was", () => {
    const changed = fc
      .tuple(fc.array(deed, { maxLength: 12 }), fc.nat(), fc.integer({ min: 0, max: 255 }))
      .map(([deeds, at, byte]) => {
        const bytes = bytesOf(history(deeds).keys);
        return bytes.with(at % bytes.length, byte);
      });
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 120 })), (bytes) => {
        const keys = keysOf(2);
        const before = bytesOf(keys);
        const reader = new ByteReader(bytes);
        if (keys.read(reader)) expect(bytesOf(keys)).toEqual(bytes.slice(0, reader.at));
        else expect(bytesOf(keys)).toEqual(before);
      }),
      { numRuns: 1_000 },
    );
  });

  test("cut short it cannot be read", () => {
    const bytes = bytesOf(keysOf(3));
    for (let length = 0; length < bytes.length; length++) {
      const keys = new GroupKeys();
      expect(keys.read(new ByteReader(bytes.subarray(0, length)))).toBe(false);
      expect(keys.epoch).toBe(0);
    }
  });

  test("more keys than there may be, twice the same epoch, or none in force, is no state", () => {
    for (const epochs of [[2, 1], [1, 1], [3], [1]]) {
      const writer = new ByteWriter();
      writeState(writer, 2, epochs);
      expect(new GroupKeys().read(new ByteReader(writer.finish()))).toBe(false);
    }
    for (const count of [liveEpochsMax, liveEpochsMax + 1]) {
      const writer = new ByteWriter();
      writeState(
        writer,
        count,
        Array.from({ length: count }, (_, at) => at + 1),
      );
      const fits = new GroupKeys().read(new ByteReader(writer.finish()));
      expect(fits).toBe(count === liveEpochsMax);
    }
  });
});

/** A state without holders, with keys of these epochs. */
function writeState(writer: ByteWriter, epoch: number, epochs: readonly number[]): void {
  writer.u16(epoch);
  writer.u8(0);
  writer.u16(0);
  writer.u8(epochs.length);
  for (const of of epochs) {
    writer.u16(of);
    writer.u53(1);
    writer.bytes(new Uint8Array(16));
    writer.u53(0);
    writer.varbytes(new Uint8Array(0));
    writer.u16(0);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function expectUnchanged(keys: GroupKeys, deed: () => boolean): void {
  const before = bytesOf(keys);
  expect(deed()).toBe(false);
  expect(bytesOf(keys)).toEqual(before);
}
