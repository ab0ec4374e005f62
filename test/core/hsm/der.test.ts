import { createPublicKey, createSign, createVerify, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  curveOfBits,
  ecPublicKeyInfo,
  ecdsaFromDer,
  ecdsaToDer,
  rsaPublicKeyInfo,
  sha256DigestInfo,
} from "../../../src/core/hsm/der.js";
import { runs } from "../../setup/soak.js";

const raw = (count: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: count, maxLength: count });

describe("ECDSA signatures", () => {
  test.each([32, 48])("of numbers of %i bytes: both shapes", (numberBytes) => {
    fc.assert(
      fc.property(raw(2 * numberBytes), (signature) => {
        expect(ecdsaFromDer(ecdsaToDer(signature), numberBytes)).toEqual(signature);
      }),
      { numRuns: runs(300) },
    );
  });

  test("of any bytes: none, or exactly what would be written", () => {
    const bent = fc.tuple(raw(64), fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(bent, ([signature, where, value]) => {
        const der = ecdsaToDer(signature);
        const other = der.with(where % der.length, value);
        const read = ecdsaFromDer(other, 32);
        if (read !== null) expect(ecdsaToDer(read)).toEqual(other);
        expect(ecdsaFromDer(der.subarray(0, where % der.length), 32)).toBeNull();
        expect(ecdsaFromDer(Uint8Array.of(...der, value), 32)).toBeNull();
      }),
      { numRuns: runs(1000) },
    );
  });

  test.each([
    ["a negative number", "3006020181020101"],
    ["a number with a needless zero", "300702020001020101"],
    ["a number of no bytes", "30050200020101"],
    ["a long form that is not needed", "308106020101020101"],
    ["an indefinite length", "30800201010201010000"],
    ["three numbers", "3009020101020101020101"],
    ["one number", "3003020101"],
    ["another type", "3106020101020101"],
    ["nothing", ""],
  ])("%s is none", (_, hex) => {
    expect(ecdsaFromDer(new Uint8Array(Buffer.from(hex, "hex")), 32)).toBeNull();
  });

  test("OpenSSL understands them", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const sign = createSign("sha384").update("m");
    const signature = sign.sign({ key: privateKey, dsaEncoding: "ieee-p1363" });
    const der = ecdsaToDer(new Uint8Array(signature));
    expect(createVerify("sha384").update("m").verify(publicKey, der)).toBe(true);
  });
});

describe("public keys", () => {
  test("of RSA are what OpenSSL writes", () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { n, e } = publicKey.export({ format: "jwk" });
    const part = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64url"));
    const info = rsaPublicKeyInfo(part(n!), part(e!));
    expect(Buffer.from(info)).toEqual(publicKey.export({ format: "der", type: "spki" }));
  });

  test.each([
    [256, "P-256"],
    [384, "P-384"],
  ] as const)("of a curve of %i bits, however the point is given", (bits, namedCurve) => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve });
    const written = publicKey.export({ format: "der", type: "spki" });
    const bare = new Uint8Array(written.subarray(written.length - 1 - bits / 4));
    const curve = curveOfBits(bits)!;
    const wrapped = Uint8Array.of(4, bare.length, ...bare);
    for (const point of [bare, wrapped]) {
      const info = ecPublicKeyInfo(curve, point)!;
      expect(Buffer.from(info)).toEqual(written);
      expect(
        createPublicKey({ key: Buffer.from(info), format: "der", type: "spki" }),
      ).toBeDefined();
    }
    expect(ecPublicKeyInfo(curve, bare.with(0, 2))).toBeNull();
    expect(ecPublicKeyInfo(curve, bare.subarray(1))).toBeNull();
  });

  test("DigestInfo of SHA-256", () => {
    expect(Buffer.from(sha256DigestInfo(new Uint8Array(32))).toString("hex")).toBe(
      `3031300d060960864801650304020105000420${"00".repeat(32)}`,
    );
  });
});
