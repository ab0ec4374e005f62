/** The cheap cryptography: repeatable, binding, and no window on what it hides. */
import { describe, expect, it } from "vitest";
import type { Mechanism } from "../../../src/core/hsm/cryptoki/calls.js";
import { ckg, cka, ckk, ckm, ckr } from "../../../src/core/hsm/cryptoki/constants.js";
import { curveOfBits, rsaPublicKeyInfo } from "../../../src/core/hsm/der.js";
import { type ObjectAttributes, attributesOf } from "../../../src/sim/hsm/attribute-bytes.js";
import { cheapCrypto } from "../../../src/sim/hsm/cheap-crypto.js";
import { wrapForCheap } from "../../../src/sim/hsm/cheap-oaep.js";
import { newToken } from "./token-rig.js";

const random = (count: number): Uint8Array => source.random(count);
let source = newToken(3);
const none = new Uint8Array(0);

const gcm = (iv: Uint8Array, associatedData = none, tagBits = 128): Mechanism => ({
  type: ckm.aesGcm,
  parameter: { kind: "gcm", iv, associatedData, tagBits },
});
const cbc = (type: number): Mechanism => ({
  type,
  parameter: { kind: "bytes", bytes: new Uint8Array(16).fill(9) },
});
const oaep = (hash: number, mgf: number, label = none): Mechanism => ({
  type: ckm.rsaPkcsOaep,
  parameter: { kind: "oaep", hash, mgf, label },
});
const oaepSha256 = oaep(ckm.sha256, ckg.mgf1Sha256);

function aesKey(): ObjectAttributes {
  return attributesOf([
    { type: cka.keyType, value: ckk.aes },
    { type: cka.value, value: random(32) },
  ]);
}

function rsaPair(): { publicKey: ObjectAttributes; privateKey: ObjectAttributes } {
  const { publicKey, privateKey } = cheapCrypto.rsaPair(2048, random)!;
  const typed = attributesOf([{ type: cka.keyType, value: ckk.rsa }]);
  return {
    publicKey: new Map([...typed, ...publicKey]),
    privateKey: new Map([...typed, ...privateKey]),
  };
}

/** Whether eight bytes in a row of `secret` stand anywhere in `shown`. */
function leaks(secret: Uint8Array, shown: Uint8Array): boolean {
  const hex = Buffer.from(shown).toString("hex");
  for (let at = 0; at + 8 <= secret.length; at++) {
    if (hex.includes(Buffer.from(secret.subarray(at, at + 8)).toString("hex"))) return true;
  }
  return false;
}

describe("cheap cryptography", () => {
  const key = aesKey();
  const { publicKey, privateKey } = rsaPair();
  const ways: readonly [string, Mechanism, ObjectAttributes, ObjectAttributes][] = [
    ["gcm", gcm(new Uint8Array(12).fill(7), Uint8Array.of(1)), key, key],
    ["kwp", { type: ckm.aesKeyWrapPad }, key, key],
    ["kw", { type: ckm.aesKeyWrap }, key, key],
    ["oaep", oaepSha256, publicKey, privateKey],
  ];

  it.each(ways)("%s gives back what it took, and nothing that was touched", (_, by, to, from) => {
    const secret = random(40);
    const sealed = cheapCrypto.wrap(by, to, secret, random) as Uint8Array;
    expect(cheapCrypto.unwrap(by, from, sealed)).toEqual(secret);
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const touched = sealed.slice();
      touched[bit >> 3]! ^= 1 << (bit & 7);
      expect(cheapCrypto.unwrap(by, from, touched), `bit ${bit}`).toBe(ckr.generalError);
    }
    const other = by === oaepSha256 ? rsaPair().privateKey : aesKey();
    expect(cheapCrypto.unwrap(by, other, sealed)).toBe(ckr.generalError);
  });

  it("gives lengths as the real mechanisms do", () => {
    const length = (by: Mechanism, to: ObjectAttributes, bytes: number): unknown => {
      const made = cheapCrypto.wrap(by, to, random(bytes), random);
      return typeof made === "number" ? made : made.length;
    };
    expect(length(gcm(new Uint8Array(12)), key, 31)).toBe(47);
    expect(length({ type: ckm.aesKeyWrapPad }, key, 31)).toBe(40);
    expect(length({ type: ckm.aesKeyWrap }, key, 32)).toBe(40);
    expect(length({ type: ckm.aesKeyWrap }, key, 31)).toBe(ckr.keySizeRange);
    expect(length(cbc(ckm.aesCbcPad), key, 32)).toBe(48);
    expect(length(cbc(ckm.aesCbc), key, 31)).toBe(ckr.dataLenRange);
    expect(length(oaepSha256, publicKey, 190)).toBe(256);
    expect(length(oaepSha256, publicKey, 191)).toBe(ckr.dataLenRange);
  });

  it("binds the IV, what is associated, the mechanism, hash and label", () => {
    const secret = random(32);
    const iv = new Uint8Array(12).fill(7);
    const sealed = cheapCrypto.encrypt(gcm(iv), key, secret, random) as Uint8Array;
    expect(cheapCrypto.decrypt(gcm(iv), key, sealed)).toEqual(secret);
    for (const other of [gcm(iv, Uint8Array.of(0)), gcm(new Uint8Array(12)), gcm(iv.slice(1))]) {
      expect(cheapCrypto.decrypt(other, key, sealed)).toBe(ckr.generalError);
    }
    const kw = cheapCrypto.wrap({ type: ckm.aesKeyWrap }, key, secret, random) as Uint8Array;
    expect(cheapCrypto.unwrap({ type: ckm.aesKeyWrapPad }, key, kw)).toBe(ckr.generalError);
    const block = cheapCrypto.encrypt(oaepSha256, publicKey, secret, random) as Uint8Array;
    const wrong = [
      oaep(ckm.sha1, ckg.mgf1Sha1),
      oaep(ckm.sha256, ckg.mgf1Sha256, Uint8Array.of(1)),
    ];
    for (const other of wrong) {
      expect(cheapCrypto.decrypt(other, privateKey, block)).toBe(ckr.generalError);
    }
  });

  it("shows no eight bytes of a key or plaintext", () => {
    const secret = Uint8Array.from({ length: 64 }, (_, at) => at);
    const parameters = curveOfBits(256)!.parameters;
    const ec = cheapCrypto.ecPair(parameters, random)!;
    const keys = [
      key.get(cka.value)!,
      privateKey.get(cka.privateExponent)!,
      ec.privateKey.get(cka.value)!,
    ];
    const shown: Uint8Array[] = [publicKey.get(cka.modulus)!, ec.publicKey.get(cka.ecPoint)!];
    const made = [
      cheapCrypto.encrypt(gcm(new Uint8Array(12)), key, secret, random),
      cheapCrypto.encrypt(gcm(none), key, new Uint8Array(64), random),
      cheapCrypto.wrap({ type: ckm.aesKeyWrapPad }, key, secret, random),
      cheapCrypto.encrypt(cbc(ckm.aesCbcPad), key, secret, random),
      cheapCrypto.encrypt({ type: ckm.aesEcb }, key, secret, random),
      cheapCrypto.encrypt(oaepSha256, publicKey, secret, random),
      cheapCrypto.sign({ type: ckm.sha256Hmac }, key, secret, random),
      cheapCrypto.sign({ type: ckm.rsaPkcs }, privateKey, secret.slice(0, 51), random),
      cheapCrypto.sign({ type: ckm.ecdsa }, ec.privateKey, secret.slice(0, 32), random),
    ];
    for (const bytes of made) shown.push(bytes as Uint8Array);
    for (const output of shown) {
      expect(leaks(secret, output)).toBe(false);
      for (const own of keys) expect(leaks(own, output)).toBe(false);
    }
    // The check itself can see.
    expect(leaks(secret, secret.slice(3, 11))).toBe(true);
  });

  it("is the same for the same generator", () => {
    const run = (seed: number): unknown => {
      source = newToken(seed);
      const pair = rsaPair();
      return [pair.publicKey, cheapCrypto.encrypt(oaepSha256, pair.publicKey, none, random)];
    };
    expect(run(8)).toEqual(run(8));
    expect(run(8)).not.toEqual(run(9));
  });

  it("wraps for a public key, as others see it", () => {
    const info = rsaPublicKeyInfo(publicKey.get(cka.modulus)!, publicKey.get(cka.publicExponent)!);
    const secret = random(32);
    const block = wrapForCheap(info, secret, random)!;
    expect(cheapCrypto.decrypt(oaepSha256, privateKey, block)).toEqual(secret);
    expect(wrapForCheap(info, new Uint8Array(191), random)).toBeNull();
    expect(wrapForCheap(info.slice(1), secret, random)).toBeNull();
    expect(wrapForCheap(info.slice(0, -1), secret, random)).toBeNull();
    expect(wrapForCheap(none, secret, random)).toBeNull();
  });
});
