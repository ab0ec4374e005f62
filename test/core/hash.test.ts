import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RollingHash, mix32 } from "../../src/core/hash.js";

const of = (fill: (hash: RollingHash) => void): string => {
  const hash = new RollingHash();
  fill(hash);
  return hash.hex();
};

describe("rolling hash", () => {
  it("hash: pinned values: a change of the mix is seen", () => {
    expect(of(() => {})).toBe("0000000000000000");
    expect(of((hash) => hash.word(1))).toMatchInlineSnapshot(`"3beb9043a777c0ea"`);
    expect(of((hash) => hash.bytes(Uint8Array.of(1, 2, 3, 4, 5)))).toMatchInlineSnapshot(
      `"e6dac5e178e69ca1"`,
    );
    expect(mix32(1)).toBe(0x514e28b7);
  });

  it("hash: order, length and kind of the input: all matter", () => {
    const all = [
      of((hash) => {
        hash.word(1);
        hash.word(2);
      }),
      of((hash) => {
        hash.word(2);
        hash.word(1);
      }),
      of((hash) => hash.number(1)),
      of((hash) => hash.number(0x1_0000_0001)),
      of((hash) => hash.bytes(new Uint8Array(0))),
      of((hash) => hash.bytes(new Uint8Array(1))),
      of((hash) => hash.bytes(new Uint8Array(4))),
      of((hash) => hash.bytes(new Uint8Array(5))),
      of((hash) => hash.text("ab")),
      of((hash) => hash.text("ba")),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it("hash: one flipped bit anywhere: another digest", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(), (bytes, flip) => {
        const at = flip % (bytes.length * 8);
        const other = bytes.slice();
        other[at >> 3]! ^= 1 << (at & 7);
        expect(of((hash) => hash.bytes(other))).not.toBe(of((hash) => hash.bytes(bytes)));
      }),
    );
  });

  it("hash: a hundred thousand small inputs: no collision and no biased bit", () => {
    const seen = new Set<string>();
    const ones = Array.from({ length: 64 }, () => 0);
    const inputs = 100_000;
    for (let n = 0; n < inputs; n++) {
      const hash = new RollingHash();
      hash.word(n);
      const [a, b] = hash.digest();
      for (let bit = 0; bit < 32; bit++) {
        ones[bit]! += (a >>> bit) & 1;
        ones[32 + bit]! += (b >>> bit) & 1;
      }
      seen.add(`${a} ${b}`);
    }
    expect(seen.size).toBe(inputs);
    for (const count of ones) expect(Math.abs(count - inputs / 2)).toBeLessThan(inputs / 100);
  });
});
