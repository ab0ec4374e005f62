/** Against the vectors of the specification (c2sp.org/XAES-256-GCM). */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Xaes } from "../../../src/real/keys/xaes.js";

const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1");
const hex = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString("hex");
const nonce = ascii("ABCDEFGHIJKLMNOPQRSTUVWX");
const plaintext = ascii("XAES-256-GCM");

/** One with the first bit of the encrypted zero block clear, one with it set. */
const published = [
  {
    key: 0x01,
    associatedData: "",
    sealed: "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271",
  },
  {
    key: 0x03,
    associatedData: "c2sp.org/XAES-256-GCM",
    sealed: "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
  },
];

describe("XAES-256-GCM", () => {
  test.each(published)("the published vector of key $key", ({ key, associatedData, sealed }) => {
    const xaes = new Xaes(new Uint8Array(32).fill(key));
    expect(hex(xaes.seal(nonce, ascii(associatedData), plaintext))).toBe(sealed);
    expect(xaes.open(nonce, ascii(associatedData), Buffer.from(sealed, "hex"))).toEqual(
      new Uint8Array(plaintext),
    );
  });

  test("10,000 messages of the specification's own draws have its hash", () => {
    // The longest that so many draws can take.
    const drawn = createHash("shake128", { outputLength: 10_000 * (32 + 24 + 2 * 256) }).digest();
    let at = 0;
    const take = (count: number): Uint8Array => drawn.subarray(at, (at += count));
    const hash = createHash("shake128", { outputLength: 32 });
    for (let n = 0; n < 10_000; n++) {
      const xaes = new Xaes(take(32));
      const drawnNonce = take(24);
      const message = take(take(1)[0]!);
      const associatedData = take(take(1)[0]!);
      const sealed = xaes.seal(drawnNonce, associatedData, message);
      hash.update(sealed);
      if (n % 100 === 0)
        expect(hex(xaes.open(drawnNonce, associatedData, sealed))).toBe(hex(message));
    }
    expect(hash.digest("hex")).toBe(
      "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939",
    );
  });

  test("any changed bit of nonce, associated data, ciphertext or tag: null", () => {
    const xaes = new Xaes(new Uint8Array(32).fill(9));
    const associatedData = ascii("header");
    const sealed = xaes.seal(nonce, associatedData, plaintext);
    const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
      const copy = new Uint8Array(bytes);
      copy[at >> 3]! ^= 1 << (at & 7);
      return copy;
    };
    for (let at = 0; at < nonce.length * 8; at++) {
      expect(xaes.open(flipped(nonce, at), associatedData, sealed)).toBeNull();
    }
    for (let at = 0; at < associatedData.length * 8; at++) {
      expect(xaes.open(nonce, flipped(associatedData, at), sealed)).toBeNull();
    }
    for (let at = 0; at < sealed.length * 8; at++) {
      expect(xaes.open(nonce, associatedData, flipped(sealed, at))).toBeNull();
    }
    for (let cut = 0; cut < sealed.length; cut++) {
      expect(xaes.open(nonce, associatedData, sealed.subarray(0, cut))).toBeNull();
    }
    expect(xaes.open(nonce.subarray(1), associatedData, sealed)).toBeNull();
  });

  test("keys and nonces of other lengths are refused", () => {
    expect(() => new Xaes(new Uint8Array(16))).toThrow(RangeError);
    const xaes = new Xaes(new Uint8Array(32));
    expect(() => xaes.seal(new Uint8Array(12), plaintext, plaintext)).toThrow(RangeError);
  });
});
