import zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32 } from "../../src/core/crc32.js";

/** From Node 20.15 on; its types do not know it yet. */
const reference = (
  zlib as unknown as { crc32(this: void, bytes: Uint8Array, seed?: number): number }
).crc32;

describe("crc32", () => {
  it("crc32: check value of the catalogue: cbf43926", () => {
    const digits = Uint8Array.from("123456789", (digit) => digit.charCodeAt(0));
    expect(crc32(digits)).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  it("crc32: any bytes: equal to zlib's", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(0xffff_ffff), (bytes, seed) => {
        expect(crc32(bytes)).toBe(reference(bytes));
        expect(crc32(bytes, 0, bytes.length, seed)).toBe(reference(bytes, seed));
      }),
    );
  });

  it("crc32: cut anywhere: the seed carries on", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), (bytes, cut) => {
        const at = cut % (bytes.length + 1);
        const first = crc32(bytes, 0, at);
        expect(crc32(bytes, at, bytes.length, first)).toBe(crc32(bytes));
      }),
    );
  });
});
