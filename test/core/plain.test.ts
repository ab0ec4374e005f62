import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantError } from "../../src/core/assert.js";
import {
  type Plain,
  type Unpacked,
  digestOf,
  pack,
  plainDepthMax,
  unpack,
} from "../../src/core/plain.js";

const key = fc.string({ unit: "binary", maxLength: 5 }).filter((text) => text !== "__proto__");
const { plain } = fc.letrec<{ plain: Plain }>((tie) => ({
  plain: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constantFrom<Plain>(null, true, false, Infinity, -Infinity, NaN, -1, 0, 2 ** 31, 2 ** 53),
    fc.double().map((n) => (n === 0 ? 0 : n)),
    fc.integer(),
    fc.string({ unit: "binary", maxLength: 5 }),
    fc.constant("\ud800 alone"),
    fc.uint8Array({ maxLength: 9 }),
    fc.array(tie("plain"), { maxLength: 4 }),
    fc.dictionary(key, tie("plain"), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(fc.oneof(fc.integer(), key), tie("plain")), { maxLength: 4 }).map(mapOf),
  ),
}));

function mapOf(pairs: readonly (readonly [number | string, Plain])[]): Plain {
  return new Map(pairs) as ReadonlyMap<string, Plain>;
}

function unwrap(unpacked: Unpacked): Plain {
  if ("error" in unpacked) throw new Error(unpacked.error.code);
  return unpacked.ok;
}

describe("plain data", () => {
  it("plain: any value: a round trip keeps the value, the digest and the bytes", () => {
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = pack(value);
        const back = unwrap(unpack(bytes));
        expect(back).toEqual(value);
        expect(digestOf(back)).toEqual(digestOf(value));
        expect(pack(back)).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it("plain: two values: equal digests only for equal bytes", () => {
    fc.assert(
      fc.property(plain, plain, (a, b) => {
        const same = Buffer.compare(pack(a), pack(b)) === 0;
        expect(digestOf(a).join() === digestOf(b).join()).toBe(same);
      }),
      { numRuns: 500 },
    );
  });

  it("plain: order: of an object's keys no matter, of a Map's it does", () => {
    expect(digestOf({ a: 1, b: 2 })).toEqual(digestOf({ b: 2, a: 1 }));
    const map = (...keys: string[]): Plain => mapOf(keys.map((k) => [k, 0]));
    expect(digestOf(map("a", "b"))).not.toEqual(digestOf(map("b", "a")));
    expect([...(unwrap(unpack(pack(map("b", "a")))) as ReadonlyMap<string, Plain>).keys()]).toEqual(
      ["b", "a"],
    );
    expect(digestOf(-0)).toEqual(digestOf(0));
  });

  it("plain: byte arrays that come out: copies of the packed ones", () => {
    const bytes = pack(Uint8Array.of(1, 2));
    const out = unwrap(unpack(bytes)) as Uint8Array;
    bytes.fill(0);
    expect(out).toEqual(Uint8Array.of(1, 2));
  });

  it("plain: cut, flipped and random bytes: a value or a typed error, never a throw", () => {
    fc.assert(
      fc.property(plain, fc.nat(), fc.uint8Array({ maxLength: 30 }), (value, at, noise) => {
        const bytes = pack(value);
        const cut = unpack(bytes.subarray(0, at % bytes.length));
        expect(cut).toMatchObject({ error: { code: "end" } });
        expect(unpack(Uint8Array.of(...bytes, 0))).toMatchObject({ error: { code: "end" } });
        bytes[at % bytes.length]! ^= 1 << (at & 7);
        for (const garbled of [bytes, noise]) {
          const result = unpack(garbled);
          if ("ok" in result) expect(unwrap(unpack(pack(result.ok)))).toEqual(result.ok);
          else expect(result.error.code).toMatch(/^(end|tag|key|depth)$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["tag", [99]],
    ["end", []],
    ["end", [8, 255, 255, 255, 255]],
    ["end", [10, 255, 255, 255, 255]],
    ["end", [5, 255, 255, 255, 255, 1]],
    ["end", [6, 255, 255, 255, 255, 1]],
    ["key", [10, 1, 0, 0, 0, 0, 0]],
    ["key", [9, 2, 0, 0, 0, 5, 1, 0, 0, 0, 98, 0, 5, 1, 0, 0, 0, 97, 0]],
    ["key", [9, 1, 0, 0, 0, 5, 9, 0, 0, 0, 95, 95, 112, 114, 111, 116, 111, 95, 95, 0]],
    ["key", [10, 2, 0, 0, 0, 3, 1, 0, 0, 0, 0, 3, 1, 0, 0, 0, 0]],
  ])("plain: malformed: %s of %j", (code, bytes) => {
    expect(unpack(Uint8Array.from(bytes))).toMatchObject({ error: { code } });
  });

  it("plain: depth: bounded both ways", () => {
    let deep: Plain = [];
    for (let depth = 1; depth < plainDepthMax; depth++) deep = [deep];
    expect(unwrap(unpack(pack(deep)))).toEqual(deep);
    const deeper = [deep];
    expect(() => pack(deeper)).toThrow(InvariantError);
    expect(() => digestOf(deeper)).toThrow(InvariantError);
    const bytes = Uint8Array.of(8, 1, 0, 0, 0, ...pack(deep));
    expect(unpack(bytes)).toMatchObject({ error: { code: "depth" } });
    const endless = new Uint8Array(500_000).map((_, at) =>
      at % 5 === 0 ? 8 : at % 5 === 1 ? 1 : 0,
    );
    expect(unpack(endless)).toMatchObject({ error: { code: "depth" } });
  });

  it.each([[() => 0], [undefined], [1n], [Symbol("x")], [new Set()], [[undefined]], [/x/]])(
    "plain: what is not plain: a broken invariant (%#)",
    (value) => {
      expect(() => pack(value)).toThrow(InvariantError);
      expect(() => digestOf(value)).toThrow(InvariantError);
    },
  );
});
