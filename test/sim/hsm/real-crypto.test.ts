/** The real cryptography of simulated tokens: the same again from the same seed, and others understand it. */
import {
  type KeyObject,
  constants,
  createPublicKey,
  publicEncrypt,
  verify as nodeVerify,
} from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Mechanism } from "../../../src/core/hsm/cryptoki/calls.js";
import { ckg, cka, ckk, ckm, ckr } from "../../../src/core/hsm/cryptoki/constants.js";
import { curveOfBits, ecPublicKeyInfo, rsaPublicKeyInfo } from "../../../src/core/hsm/der.js";
import { type ObjectAttributes, attributesOf } from "../../../src/sim/hsm/attribute-bytes.js";
import type { PairMaterial, Random } from "../../../src/sim/hsm/crypto.js";
import { realCrypto } from "../../../src/sim/hsm/real-crypto.js";
import { wrapForReal } from "../../../src/sim/hsm/real-rsa.js";
import { hashOf } from "../../../src/sim/hsm/real-rsa-padding.js";
import { newToken } from "./token-rig.js";

const none = new Uint8Array(0);
const message = new TextEncoder().encode("what is signed");
const pss: Mechanism = {
  type: ckm.rsaPkcsPss,
  parameter: { kind: "pss", hash: ckm.sha256, mgf: ckg.mgf1Sha256, saltBytes: 32 },
};
const oaep = (hash: number, mgf: number, label = none): Mechanism => ({
  type: ckm.rsaPkcsOaep,
  parameter: { kind: "oaep", hash, mgf, label },
});
const oaepSha256 = oaep(ckm.sha256, ckg.mgf1Sha256);

function randomOf(seed: number): Random {
  const token = newToken(seed);
  return (count) => token.random(count);
}

function typed(keyType: number, material: ObjectAttributes): ObjectAttributes {
  return new Map([...attributesOf([{ type: cka.keyType, value: keyType }]), ...material]);
}

function rsa(bits: number, random = randomOf(1)): PairMaterial {
  const { publicKey, privateKey } = realCrypto.rsaPair(bits, random)!;
  return { publicKey: typed(ckk.rsa, publicKey), privateKey: typed(ckk.rsa, privateKey) };
}

function ec(bits: number, random = randomOf(1)): PairMaterial {
  const pair = realCrypto.ecPair(curveOfBits(bits)!.parameters, random)!;
  return { publicKey: typed(ckk.ec, pair.publicKey), privateKey: typed(ckk.ec, pair.privateKey) };
}

function nodeKey({ publicKey }: PairMaterial, bits: number): KeyObject {
  const modulus = publicKey.get(cka.modulus);
  const info =
    modulus === undefined
      ? ecPublicKeyInfo(curveOfBits(bits)!, publicKey.get(cka.ecPoint)!)!
      : rsaPublicKeyInfo(modulus, publicKey.get(cka.publicExponent)!);
  return createPublicKey({ key: Buffer.from(info), format: "der", type: "spki" });
}

describe("real cryptography", () => {
  it.each([2048, 3072])("RSA of %i bits: others verify what it signs", (bits) => {
    const pair = rsa(bits);
    const key = nodeKey(pair, bits);
    const random = randomOf(2);
    const sign = (by: Mechanism, data: Uint8Array): Uint8Array =>
      realCrypto.sign(by, pair.privateKey, data, random) as Uint8Array;
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const bySalt = { key, padding, saltLength: 32 };
    expect(nodeVerify("sha256", message, bySalt, sign(pss, hashOf("sha256", message)))).toBe(true);
    const hashing: Mechanism = { ...pss, type: ckm.sha256RsaPkcsPss };
    expect(nodeVerify("sha256", message, bySalt, sign(hashing, message))).toBe(true);
    expect(nodeVerify("sha256", message, key, sign({ type: ckm.sha256RsaPkcs }, message))).toBe(
      true,
    );
  });

  it.each([
    [256, "sha256"],
    [384, "sha384"],
  ] as const)("ECDSA of %i bits: others verify it, and it is the same again", (bits, hash) => {
    const pair = ec(bits);
    const digest = hashOf(hash, message);
    const sign = (): Uint8Array =>
      realCrypto.sign({ type: ckm.ecdsa }, pair.privateKey, digest, randomOf(5)) as Uint8Array;
    const key = { key: nodeKey(pair, bits), dsaEncoding: "ieee-p1363" } as const;
    expect(nodeVerify(hash, message, key, sign())).toBe(true);
    expect(sign()).toEqual(sign());
    // As SoftHSM: whatever the length of the input is.
    for (const length of [0, 1, 20, 64]) {
      const data = new Uint8Array(length).fill(7);
      const signature = realCrypto.sign({ type: ckm.ecdsa }, pair.privateKey, data, randomOf(5));
      const by = { type: ckm.ecdsa };
      expect(realCrypto.verify(by, pair.publicKey, data, signature as Uint8Array)).toBe(ckr.ok);
    }
  });

  it("RFC 6979, appendix A.2.5: P-256, SHA-256, `sample`", () => {
    const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
    const secret = hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721");
    const key = attributesOf([
      { type: cka.ecParams, value: curveOfBits(256)!.parameters },
      { type: cka.value, value: secret },
    ]);
    const digest = hashOf("sha256", new TextEncoder().encode("sample"));
    expect(realCrypto.sign({ type: ckm.ecdsa }, key, digest, randomOf(1))).toEqual(
      hex(
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716" +
          "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
      ),
    );
  });

  it("OAEP: each opens what the other closed", () => {
    const pair = rsa(2048);
    const key = nodeKey(pair, 2048);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    for (const [by, oaepHash, oaepLabel] of [
      [oaepSha256, "sha256", none],
      [oaep(ckm.sha1, ckg.mgf1Sha1), "sha1", none],
      [oaep(ckm.sha256, ckg.mgf1Sha256, message), "sha256", message],
    ] as const) {
      const label = Buffer.from(oaepLabel);
      const theirs = publicEncrypt({ key, padding, oaepHash, oaepLabel: label }, message);
      expect(realCrypto.decrypt(by, pair.privateKey, new Uint8Array(theirs))).toEqual(message);
      const ours = realCrypto.encrypt(by, pair.publicKey, message, randomOf(3)) as Uint8Array;
      expect(realCrypto.decrypt(by, pair.privateKey, ours)).toEqual(message);
      expect(realCrypto.encrypt(by, pair.publicKey, message, randomOf(3))).toEqual(ours);
      expect(realCrypto.encrypt(by, pair.publicKey, message, randomOf(4))).not.toEqual(ours);
    }
    const most = (by: Mechanism, length: number): unknown =>
      realCrypto.encrypt(by, pair.publicKey, new Uint8Array(length), randomOf(1));
    expect(most(oaepSha256, 190)).toHaveLength(256);
    expect(most(oaepSha256, 191)).toBe(ckr.dataLenRange);
  });

  it("PKCS #1 v1.5 encryption goes there and back", () => {
    const pair = rsa(2048);
    const by = { type: ckm.rsaPkcs };
    const sealed = realCrypto.encrypt(by, pair.publicKey, message, randomOf(6)) as Uint8Array;
    expect(realCrypto.decrypt(by, pair.privateKey, sealed)).toEqual(message);
    sealed[9]! ^= 1;
    expect(realCrypto.decrypt(by, pair.privateKey, sealed)).not.toEqual(message);
  });

  it("private keys leave as PKCS #8 and come back whole", () => {
    for (const [keyType, { privateKey }] of [
      [ckk.rsa, rsa(2048)],
      [ckk.ec, ec(256)],
      [ckk.ec, ec(384)],
    ] as const) {
      const bytes = realCrypto.privateBytes(privateKey)!;
      expect(typed(keyType, realCrypto.privateKeyOf(keyType, bytes)!)).toEqual(privateKey);
      expect(realCrypto.privateKeyOf(keyType, bytes.slice(0, -1))).toBeNull();
      const other = keyType === ckk.rsa ? ckk.ec : ckk.rsa;
      expect(realCrypto.privateKeyOf(other, bytes)).toBeNull();
    }
  });

  it("pairs come from the generator, and there are no others", () => {
    expect(ec(256, randomOf(1))).toEqual(ec(256, randomOf(1)));
    expect(ec(256, randomOf(1))).not.toEqual(ec(256, randomOf(2)));
    const moduli = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) =>
      Buffer.from(rsa(2048, randomOf(seed)).publicKey.get(cka.modulus)!).toString("hex"),
    );
    expect(new Set(moduli).size).toBe(2);
    expect(realCrypto.rsaPair(4096, randomOf(1))).toBeNull();
  });

  it("KW takes lengths of RFC 3394 alone", () => {
    const key = attributesOf([{ type: cka.value, value: new Uint8Array(32) }]);
    const by = { type: ckm.aesKeyWrap };
    const wrapped = realCrypto.wrap(by, key, new Uint8Array(16), randomOf(1)) as Uint8Array;
    expect(wrapped).toHaveLength(24);
    expect(realCrypto.unwrap(by, key, wrapped)).toEqual(new Uint8Array(16));
    expect(realCrypto.wrap(by, key, new Uint8Array(8), randomOf(1))).toBe(ckr.keySizeRange);
    for (const length of [0, 8, 16, 23]) {
      expect(realCrypto.unwrap(by, key, new Uint8Array(length))).toBe(ckr.wrappedKeyLenRange);
    }
  });

  it("wraps by a public key alone what its owner opens", () => {
    const { publicKey, privateKey } = rsa(2048);
    const numbers = [cka.modulus, cka.publicExponent].map((type) => publicKey.get(type)!);
    const info = rsaPublicKeyInfo(numbers[0]!, numbers[1]!);
    const secret = new Uint8Array(32).fill(5);
    const random = randomOf(4);
    const byDefault = wrapForReal(info, secret, random)!;
    expect(realCrypto.decrypt(oaepSha256, privateKey, byDefault)).toEqual(secret);
    const bySha1 = wrapForReal(info, secret, random, "sha1")!;
    expect(realCrypto.decrypt(oaep(ckm.sha1, ckg.mgf1Sha1), privateKey, bySha1)).toEqual(secret);
    expect(realCrypto.decrypt(oaepSha256, privateKey, bySha1)).toBe(ckr.generalError);
    expect(wrapForReal(info, secret, randomOf(4))).toEqual(byDefault);
    expect(wrapForReal(info, new Uint8Array(191), random)).toBeNull();
    expect(wrapForReal(info.slice(1), secret, random)).toBeNull();
  });
});
