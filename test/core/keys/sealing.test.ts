import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EntryHeader } from "../../../src/core/consensus.js";
import { entryType } from "../../../src/core/entry.js";
import { type Index, type Term, groupId, incarnation } from "../../../src/core/ids.js";
import { GroupKeys } from "../../../src/core/keys/group-keys.js";
import { type ChunkHeader, GroupSealer, identitySealer } from "../../../src/core/keys/sealing.js";
import type { DataKeyId } from "../../../src/core/ports/aead.js";
import { admit, applied, erase, revoke, rotate } from "./entries.js";
import { TestAead } from "./test-aead.js";

const payload = Uint8Array.of(1, 2, 3, 4);
const header: EntryHeader = {
  term: 3 as Term,
  index: 12 as Index,
  type: entryType.data,
  keyEpoch: 2,
};

/** A group of two epochs on a node that holds both keys. */
function sealerOf(aead: TestAead, group = 5, life = 1): GroupSealer {
  const keys = applied(rotate(1, [1]), rotate(2, [1]));
  return new GroupSealer(keys, aead, groupId(group), incarnation(life));
}

function twoKeys(): TestAead {
  const aead = new TestAead();
  aead.generate();
  aead.generate();
  return aead;
}

describe("seals of entries", () => {
  test("any payload opens under its own header, and is not to be seen before", () => {
    const sealer = sealerOf(twoKeys());
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const sealed = sealer.seal(header, bytes);
        expect(sealed.length).toBe(bytes.length + 16);
        expect(sealer.open(header, sealed)).toEqual(bytes);
      }),
    );
  });

  test.each<[string, Partial<Record<keyof EntryHeader, number>>]>([
    ["term", { term: 4 }],
    ["index", { index: 13 }],
    ["type", { type: entryType.session }],
    ["epoch", { keyEpoch: 1 }],
  ])("under another %s it does not open", (_name, other) => {
    const sealer = sealerOf(twoKeys());
    const sealed = sealer.seal(header, payload);
    expect(sealer.open({ ...header, ...other } as EntryHeader, sealed)).toBeNull();
  });

  test("with the same key for two epochs the epoch alone tells them apart", () => {
    const aead = twoKeys();
    const again = { ...rotate(2, [1]), id: rotate(1, [1]).id };
    const keys = applied(rotate(1, [1]), again);
    const sealer = new GroupSealer(keys, aead, groupId(5), incarnation(1));
    const sealed = sealer.seal(header, payload);
    expect(sealer.open({ ...header, keyEpoch: 1 }, sealed)).toBeNull();
  });

  test("in another group, or another life of it, it does not open, with the same keys", () => {
    const aead = twoKeys();
    const sealed = sealerOf(aead).seal(header, payload);
    expect(sealerOf(aead).open(header, sealed)).toEqual(payload);
    expect(sealerOf(aead, 6).open(header, sealed)).toBeNull();
    expect(sealerOf(aead, 5, 2).open(header, sealed)).toBeNull();
  });

  test("with any bit changed, cut or lengthened, it does not open", () => {
    const sealer = sealerOf(twoKeys());
    const sealed = sealer.seal(header, payload);
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const at = bit >> 3;
      const changed = sealed.with(at, sealed[at]! ^ (1 << (bit & 7)));
      expect(sealer.open(header, changed)).toBeNull();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(sealer.open(header, sealed.subarray(0, length))).toBeNull();
    }
    expect(sealer.open(header, Uint8Array.from([...sealed, 0]))).toBeNull();
  });

  test("what is bound of an entry and of a chunk is never the same bytes", () => {
    const bound: string[] = [];
    const spy = new TestAead();
    spy.generate();
    spy.generate();
    const seal = spy.seal.bind(spy);
    spy.seal = (key: DataKeyId, associated: Uint8Array, plaintext: Uint8Array) => {
      bound.push(associated.join());
      return seal(key, associated, plaintext);
    };
    const sealer = sealerOf(spy);
    for (const bytes of [payload, payload.subarray(1)]) sealer.seal(header, bytes);
    sealer.seal({ ...header, index: 13 as Index }, payload);
    for (const other of [chunk, { ...chunk, number: 2 }, { ...chunk, last: true }]) {
      sealer.sealChunk(other, payload);
    }
    expect(new Set(bound).size).toBe(bound.length);
  });
});

const chunk: ChunkHeader = {
  index: 12,
  term: 3,
  keyEpoch: 2,
  id: [1, 2, 3],
  number: 0,
  last: false,
};

describe("seals of chunks", () => {
  test("under its own header it opens, and as no entry", () => {
    const sealer = sealerOf(twoKeys());
    const sealed = sealer.sealChunk(chunk, payload);
    expect(sealer.openChunk(chunk, sealed)).toEqual(payload);
    expect(sealer.open(header, sealed)).toBeNull();
    expect(sealer.openChunk(chunk, sealer.seal(header, payload))).toBeNull();
  });

  test.each<[string, Partial<ChunkHeader>]>([
    ["index", { index: 11 }],
    ["term", { term: 4 }],
    ["epoch", { keyEpoch: 1 }],
    ["maker", { id: [2, 2, 3] }],
    ["boot", { id: [1, 1, 3] }],
    ["count", { id: [1, 2, 4] }],
    ["number", { number: 1 }],
    ["end", { last: true }],
  ])("under another %s it does not open", (_name, other) => {
    const sealer = sealerOf(twoKeys());
    const sealed = sealer.sealChunk(chunk, payload);
    expect(sealer.openChunk({ ...chunk, ...other }, sealed)).toBeNull();
  });
});

describe("whether there may be a seal", () => {
  test("of a group without a key, with one that is not here, and with one that is", () => {
    const aead = new TestAead();
    const sealer = new GroupSealer(new GroupKeys(), aead, groupId(5), incarnation(1));
    expect(sealer.keyEpoch).toBe(0);
    expect(sealer.refusal(true)).toBe("keysUnavailable");
    sealer.keys = applied(rotate(1, [1]));
    expect(sealer.keyEpoch).toBe(1);
    expect(sealer.refusal(true)).toBe("keysUnavailable");
    aead.generate();
    expect(sealer.refusal(true)).toBeNull();
  });

  test("an older key that is here is not enough", () => {
    const aead = new TestAead();
    aead.generate();
    const sealer = sealerOf(aead);
    expect(sealer.holds(1)).toBe(true);
    expect(sealer.holds(2)).toBe(false);
    expect(sealer.holds(3)).toBe(false);
    expect(sealer.refusal(true)).toBe("keysUnavailable");
  });

  test("as long as an earlier leader's entries are not applied it waits", () => {
    expect(sealerOf(twoKeys()).refusal(false)).toBe("notReady");
    expect(sealerOf(new TestAead()).refusal(false)).toBe("notReady");
  });

  test("once revoked it is over, settled or not", () => {
    const aead = twoKeys();
    const keys = applied(rotate(1, [1]), revoke);
    const sealer = new GroupSealer(keys, aead, groupId(5), incarnation(1));
    expect(sealer.refusal(true)).toBe("keyRevoked");
    expect(sealer.refusal(false)).toBe("keyRevoked");
  });

  test("an erased key opens nothing: to try is a broken invariant", () => {
    const sealer = sealerOf(twoKeys());
    const old = { ...header, keyEpoch: 1 };
    const sealed = sealer.seal(old, payload);
    expect(sealer.open(old, sealed)).toEqual(payload);
    sealer.keys.apply(erase(2), 3);
    expect(sealer.holds(1)).toBe(false);
    expect(() => sealer.open(old, sealed)).toThrow("a key that is not there");
  });

  test("who is admitted changes nothing of what is sealed", () => {
    const sealer = sealerOf(twoKeys());
    const sealed = sealer.seal(header, payload);
    sealer.keys.apply(admit(sealer.keys, 2), 3);
    expect(sealer.open(header, sealed)).toEqual(payload);
  });

  test("a group without keys leaves everything in clear", () => {
    expect(identitySealer.refusal(false)).toBeNull();
    expect(identitySealer.open(header, identitySealer.seal(header, payload))).toBe(payload);
  });
});
