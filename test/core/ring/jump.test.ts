import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jumpBucket } from "../../../src/core/ring/jump.js";
import { runs } from "../../setup/soak.js";

/** The function of the paper, with its 64-bit words as big integers. */
function published(key: number, buckets: number): number {
  let state = BigInt(key);
  let bucket = -1;
  let next = 0;
  while (next < buckets) {
    bucket = next;
    state = BigInt.asUintN(64, state * 2862933555777941757n + 1n);
    next = Math.floor((bucket + 1) * (2 ** 31 / Number((state >> 33n) + 1n)));
  }
  return bucket;
}

describe("jump", () => {
  it("jump: any key and count: what the paper's function says", () => {
    const counts = fc.oneof(
      fc.integer({ min: 1, max: 2_000 }),
      fc.integer({ min: 1, max: 2 ** 31 }),
    );
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), counts, (key, buckets) => {
        expect(jumpBucket(key, buckets)).toBe(published(key, buckets));
      }),
      { numRuns: runs(5_000) },
    );
  });

  it("jump: values that other implementations test against", () => {
    // From go-jump-consistent-hash.
    expect(jumpBucket(1, 1)).toBe(0);
    expect(jumpBucket(42, 57)).toBe(43);
    expect(jumpBucket(0xdead10cc, 666)).toBe(361);
    expect(jumpBucket(256, 1_024)).toBe(520);
  });

  it("jump: a carry out of the lower half: kept", () => {
    // The first state has 0 in its lower half: key * factor + 1 = 0 modulo 2^32.
    const key = 0x666313ab;
    expect(Math.imul(key, 0x87b0b0fd) + 1).toBe(0);
    for (const buckets of [2, 1_000, 2 ** 31]) {
      expect(jumpBucket(key, buckets)).toBe(published(key, buckets));
    }
  });
});
