import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NodeId, nodeId } from "../../../src/core/ids.js";
import { dataKeyId } from "../../../src/core/keys/data-key-id.js";
import {
  type KeyEntry,
  type KeyHolder,
  decodeKeyEntry,
  encodeKeyEntry,
  epochMax,
  holdersMax,
  keyBytesMax,
  liveEpochsMax,
} from "../../../src/core/keys/key-entry.js";
import { testKeyId } from "./test-aead.js";

const node: fc.Arbitrary<NodeId> = fc.integer({ min: 1, max: 2 ** 40 }).map(nodeId);
const epoch = fc.integer({ min: 0, max: epochMax });
const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(dataKeyId);
const keyBytes = fc.uint8Array({ maxLength: 300 });
const anyEntry: fc.Arbitrary<KeyEntry> = fc.oneof(
  fc.record({
    kind: fc.constant("rotate" as const),
    epoch,
    id,
    holders: fc.uniqueArray(fc.record({ node, publicKey: keyBytes, blob: keyBytes }), {
      selector: (holder) => holder.node,
      maxLength: 6,
    }),
    recovery: keyBytes,
  }),
  fc.record({
    kind: fc.constant("admit" as const),
    node,
    publicKey: keyBytes,
    blobs: fc.array(fc.record({ epoch, id, blob: keyBytes }), { maxLength: liveEpochsMax }),
  }),
  fc.record({ kind: fc.constant("erase" as const), below: epoch }),
  fc.constant({ kind: "revoke" as const }),
);

function rotation(holders: readonly KeyHolder[]): Uint8Array {
  const recovery = new Uint8Array(3);
  return encodeKeyEntry({ kind: "rotate", epoch: 1, id: testKeyId(1), holders, recovery });
}

function holder(n: number, bytes = 2): KeyHolder {
  return { node: nodeId(n), publicKey: new Uint8Array(bytes), blob: new Uint8Array(bytes) };
}

function holders(count: number): KeyHolder[] {
  return Array.from({ length: count }, (_, n) => holder(n + 1));
}

function admission(count: number): Uint8Array {
  const blobs = Array.from({ length: count }, (_, n) => {
    return { epoch: n, id: testKeyId(n), blob: new Uint8Array(1) };
  });
  return encodeKeyEntry({ kind: "admit", node: nodeId(1), publicKey: new Uint8Array(1), blobs });
}

describe("key entries", () => {
  test("any comes back as it was", () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        expect(decodeKeyEntry(encodeKeyEntry(entry))).toEqual(entry);
      }),
    );
  });

  test("cut anywhere, or with a byte more, it is refused", () => {
    fc.assert(
      fc.property(anyEntry, fc.nat(), (entry, cut) => {
        const bytes = encodeKeyEntry(entry);
        const short = bytes.subarray(0, cut % bytes.length);
        expect(decodeKeyEntry(short).kind).toBe("undecodable");
        const long = Uint8Array.from([...bytes, 0]);
        expect(decodeKeyEntry(long).kind).toBe("undecodable");
      }),
    );
  });

  test("whatever bytes there are, what is taken for an entry is written as those bytes", () => {
    const changed = fc
      .tuple(anyEntry, fc.nat(), fc.integer({ min: 0, max: 255 }))
      .map(([entry, at, byte]) => {
        const bytes = encodeKeyEntry(entry);
        return bytes.with(at % bytes.length, byte);
      });
    const head = fc
      .tuple(fc.integer({ min: 0, max: 5 }), fc.uint8Array({ maxLength: 80 }))
      .map(([kind, rest]) => Uint8Array.from([1, kind, ...rest]));
    fc.assert(
      fc.property(fc.oneof(changed, head, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const entry = decodeKeyEntry(bytes);
        if (entry.kind !== "undecodable") expect(encodeKeyEntry(entry)).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test("another version, and a kind that is not known, are refused by name", () => {
    const bytes = encodeKeyEntry({ kind: "revoke" });
    expect(decodeKeyEntry(bytes.with(0, 2))).toMatchObject({ code: "version" });
    expect(decodeKeyEntry(bytes.with(1, 9))).toMatchObject({ code: "kind" });
    expect(decodeKeyEntry(new Uint8Array(0))).toMatchObject({ code: "end" });
  });

  test("as many holders and keys as there may be, and not one more", () => {
    expect(decodeKeyEntry(rotation(holders(holdersMax))).kind).toBe("rotate");
    expect(decodeKeyEntry(rotation(holders(holdersMax + 1)))).toMatchObject({ code: "field" });
    expect(decodeKeyEntry(admission(liveEpochsMax)).kind).toBe("admit");
    expect(decodeKeyEntry(admission(liveEpochsMax + 1))).toMatchObject({ code: "field" });
  });

  test("keys and blobs have a size that they may have, and not one byte more", () => {
    expect(decodeKeyEntry(rotation([holder(1, keyBytesMax)])).kind).toBe("rotate");
    expect(decodeKeyEntry(rotation([holder(1, keyBytesMax + 1)])).kind).toBe("undecodable");
  });

  test("no node holds a key twice", () => {
    expect(decodeKeyEntry(rotation([holder(1), holder(1)]))).toMatchObject({ code: "field" });
  });
});
