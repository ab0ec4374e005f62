import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Blob, decodeBlob, encodeBlob, ivBytesOf } from "../../../src/core/hsm/blob.js";
import type { WrapMechanism } from "../../../src/core/hsm/keys.js";
import { hexOf } from "../../../src/core/hsm/hex.js";
import { runs } from "../../setup/soak.js";

const mechanisms: readonly WrapMechanism[] = [
  "aes-kwp",
  "aes-gcm",
  "rsa-oaep-sha256",
  "rsa-oaep-sha1",
  "aes-cbc-pad-hmac",
  "encrypt-aes-gcm",
];
const bytes = (count: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: count, maxLength: count });

const blob: fc.Arbitrary<Blob> = fc
  .record({
    mechanism: fc.constantFrom(...mechanisms),
    keyId: bytes(16).map(hexOf),
    label: fc.stringMatching(/^[A-Za-z0-9_-]{1,48}$/),
    version: fc.integer({ min: 1, max: 999_999_999 }),
    associated: bytes(32),
    body: fc.uint8Array({ maxLength: 100 }),
  })
  .chain((head) =>
    fc.record({
      ...Object.fromEntries(
        Object.entries(head).map(([name, value]) => [name, fc.constant(value)]),
      ),
      content:
        head.mechanism === "encrypt-aes-gcm"
          ? fc.constantFrom("data" as const, "secret" as const)
          : fc.constant("secret" as const),
      iv: bytes(ivBytesOf(head.mechanism)),
    }),
  ) as fc.Arbitrary<Blob>;

describe("blob", () => {
  test("comes back as it was", () => {
    fc.assert(
      fc.property(blob, (it) => {
        expect(decodeBlob(encodeBlob(it))).toEqual(it);
      }),
      { numRuns: runs(200) },
    );
  });

  test("of any bytes: none, or exactly what would be written", () => {
    fc.assert(
      fc.property(blob, fc.nat(), fc.integer({ min: 0, max: 255 }), (it, where, value) => {
        const written = encodeBlob(it);
        const at = where % written.length;
        const bent = written.with(at, value);
        const read = decodeBlob(bent);
        if (read !== null) expect(encodeBlob(read)).toEqual(bent);
        expect(decodeBlob(written.subarray(0, at))).toBeNull();
        expect(decodeBlob(Uint8Array.of(...written, value))).toBeNull();
      }),
      { numRuns: runs(500) },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (any) => {
        expect(decodeBlob(any)).toBeNull();
      }),
      { numRuns: runs(200) },
    );
  });

  test("its bytes are these", () => {
    const it: Blob = {
      mechanism: "aes-kwp",
      content: "secret",
      keyId: "00112233445566778899aabbccddeeff",
      label: "kek",
      version: 258,
      associated: new Uint8Array(32).fill(0xaa),
      iv: new Uint8Array(0),
      body: Uint8Array.of(1, 2, 3),
    };
    expect(hexOf(encodeBlob(it))).toBe(
      `514c4b42${"01"}${"00"}${"01"}00112233445566778899aabbccddeeff${"02010000"}${"03"}6b656b` +
        `${"aa".repeat(32)}${"00"}${"03000000"}010203`,
    );
  });
});
