/** Keys of a simulated SoftHSM at work: cases as google/pkcs11test has them, answers of version 2.6.1. */
import { describe, expect, it } from "vitest";
import type { Mechanism, Template } from "../../../src/core/hsm/cryptoki/calls.js";
import { ckg, cka, ckk, ckm, cko, ckr } from "../../../src/core/hsm/cryptoki/constants.js";
import { curveOfBits } from "../../../src/core/hsm/der.js";
import { Client } from "./client.js";

const none = new Uint8Array(0);
const data = new Uint8Array(32).fill(0x41);
const gcm = (iv = new Uint8Array(12), tagBits = 128): Mechanism => ({
  type: ckm.aesGcm,
  parameter: { kind: "gcm", iv, associatedData: none, tagBits },
});
const kwp: Mechanism = { type: ckm.aesKeyWrapPad };
const set = (type: number, value: boolean): Template => [{ type, value }];

describe("keys", () => {
  it("do only what they are for", () => {
    const c = new Client();
    const uses = [cka.encrypt, cka.decrypt, cka.wrap, cka.unwrap];
    const off = uses.map((type) => ({ type, value: false }));
    const key = c.generate([...c.aesTemplate, ...off]);
    const { session } = c;
    const crypt = { session, mechanism: gcm(), key, data } as const;
    expect(c.rv({ fn: "encrypt", ...crypt })).toBe(ckr.keyFunctionNotPermitted);
    expect(c.rv({ fn: "decrypt", ...crypt })).toBe(ckr.keyFunctionNotPermitted);
    const wrap = { session, mechanism: kwp } as const;
    expect(c.rv({ fn: "wrapKey", ...wrap, wrappingKey: key, key })).toBe(
      ckr.keyFunctionNotPermitted,
    );
    const unwrap = { ...wrap, unwrappingKey: key, wrapped: data, template: [] };
    expect(c.rv({ fn: "unwrapKey", ...unwrap })).toBe(ckr.keyFunctionNotPermitted);
    const allowed = { type: cka.allowedMechanisms, value: [ckm.aesCbc] };
    const narrow = c.generate([...c.aesTemplate, allowed]);
    expect(c.rv({ fn: "encrypt", ...crypt, key: narrow })).toBe(ckr.mechanismInvalid);
  });

  it("leave only if they may", () => {
    const c = new Client();
    const { session } = c;
    const kek = c.generate();
    const wrap = (key: string): number =>
      c.rv({ fn: "wrapKey", session, mechanism: kwp, wrappingKey: kek, key });
    expect(wrap(c.generate())).toBe(ckr.keyUnextractable);
    const leaving = [...c.aesTemplate, ...set(cka.extractable, true)];
    expect(wrap(c.generate(leaving))).toBe(ckr.ok);
    const trusting = c.generate([...leaving, ...set(cka.wrapWithTrusted, true)]);
    expect(wrap(trusting)).toBe(ckr.keyNotWrappable);
    expect(wrap("999")).toBe(ckr.keyHandleInvalid);
    const by = (wrappingKey: string, mechanism = kwp): number =>
      c.rv({ fn: "wrapKey", session, mechanism, wrappingKey, key: kek });
    expect(by("999")).toBe(ckr.wrappingKeyHandleInvalid);
    for (const type of [ckm.aesKeyWrapKwp, ckm.aesCbcPad, ckm.aesGcm, ckm.rsaAesKeyWrap]) {
      expect(by(kek, { type })).toBe(ckr.mechanismInvalid);
    }
  });

  it("come back as keys from outside; KWP of 2.6.1 fills them up", () => {
    const c = new Client();
    const { session } = c;
    const kek = c.generate();
    const secret = data.slice(0, 31);
    const template: Template = [
      { type: cka.class, value: cko.secretKey },
      { type: cka.keyType, value: ckk.genericSecret },
      ...set(cka.extractable, true),
    ];
    const value = { type: cka.value, value: secret };
    const key = c.value({ fn: "createObject", session, template: [...template, value] });
    const by = { session, mechanism: kwp } as const;
    const wrapped = c.value({ fn: "wrapKey", ...by, wrappingKey: kek, key });
    const unwrap = { fn: "unwrapKey", ...by, unwrappingKey: kek, template } as const;
    const back = c.value({ ...unwrap, wrapped });
    expect(c.read(back, cka.value)).toEqual([Uint8Array.of(...secret, 0)]);
    const types = [cka.local, cka.alwaysSensitive, cka.neverExtractable];
    expect(c.read(back, ...types).map(([flag]) => flag)).toEqual([0, 0, 0]);
    expect(c.read(back, cka.valueLen)).toEqual([new Uint8Array(8)]);
    const length = { type: cka.valueLen, value: 32 };
    const refusals: readonly (readonly [Template, number])[] = [
      [[...template, length], ckr.attributeReadOnly],
      [template.slice(0, 1), ckr.templateIncomplete],
      [[{ type: cka.class, value: cko.data }, template[1]!], ckr.attributeValueInvalid],
    ];
    for (const [wrong, rv] of refusals) {
      expect(c.rv({ ...unwrap, wrapped, template: wrong })).toBe(rv);
    }
    const touched = wrapped.map((byte, at) => (at === 9 ? byte ^ 1 : byte));
    expect(c.rv({ ...unwrap, wrapped: touched })).toBe(ckr.generalError);
    expect(c.rv({ ...unwrap, wrapped: wrapped.slice(1) })).toBe(ckr.wrappedKeyLenRange);
    expect(c.rv({ ...unwrap, wrapped, unwrappingKey: "999" })).toBe(ckr.unwrappingKeyHandleInvalid);
    const fixed = c.generate();
    expect(c.rv({ ...unwrap, wrapped, unwrappingKey: fixed })).toBe(ckr.generalError);
  });

  it("take any IV and tag for GCM, and no parameter that is none", () => {
    const c = new Client();
    const { session } = c;
    const key = c.generate();
    const encrypt = { fn: "encrypt", session, key, data } as const;
    const twice = [1, 2].map(() => c.value({ ...encrypt, mechanism: gcm(none) }));
    expect(twice[0]).toEqual(twice[1]);
    expect(c.value({ ...encrypt, mechanism: gcm(none, 32) })).toHaveLength(36);
    expect(c.value({ ...encrypt, mechanism: gcm(none, 0) })).toHaveLength(32);
    for (const mechanism of [gcm(none, 136), gcm(none, 7), { type: ckm.aesGcm }]) {
      expect(c.rv({ ...encrypt, mechanism })).toBe(ckr.argumentsBad);
    }
    const cbc = (bytes: Uint8Array): Mechanism => ({
      type: ckm.aesCbcPad,
      parameter: { kind: "bytes", bytes },
    });
    expect(c.rv({ ...encrypt, mechanism: cbc(data) })).toBe(ckr.mechanismInvalid);
    expect(c.rv({ ...encrypt, mechanism: cbc(none) })).toBe(ckr.argumentsBad);
    expect(c.value({ ...encrypt, mechanism: cbc(data.slice(0, 16)) })).toHaveLength(48);
    const sealed = c.value({ ...encrypt, mechanism: gcm() });
    const decrypt = { fn: "decrypt", session, key, mechanism: gcm() } as const;
    expect(c.value({ ...decrypt, data: sealed })).toEqual(data);
    expect(c.rv({ ...decrypt, data: sealed.slice(1) })).toBe(ckr.generalError);
  });

  it("for HMAC are as long as the hash", () => {
    const c = new Client();
    const { session } = c;
    const mac = (bytes: number): number => {
      const template: Template = [{ type: cka.valueLen, value: bytes }];
      const mechanism = { type: ckm.genericSecretKeyGen };
      const key = c.value({ fn: "generateKey", session, mechanism, template });
      return c.rv({ fn: "sign", session, key, mechanism: { type: ckm.sha256Hmac }, data });
    };
    expect([mac(31), mac(32)]).toEqual([ckr.keySizeRange, ckr.ok]);
  });

  it("of pairs do their half", () => {
    const c = new Client();
    const { session } = c;
    const pair = (type: number, size: Template) =>
      c.value({
        fn: "generateKeyPair",
        session,
        mechanism: { type },
        publicTemplate: size,
        privateTemplate: [],
      });
    const rsa = pair(ckm.rsaPkcsKeyPairGen, [{ type: cka.modulusBits, value: 2048 }]);
    const curve = { type: cka.ecParams, value: curveOfBits(384)!.parameters };
    const ec = pair(ckm.ecKeyPairGen, [curve]);
    expect(c.read(rsa.publicKey, cka.modulus, cka.publicExponent).map((b) => b.length)).toEqual([
      256, 3,
    ]);
    const [point] = c.read(ec.publicKey, cka.ecPoint);
    expect([point!.length, ...point!.slice(0, 3)]).toEqual([99, 4, 97, 4]);
    expect(c.readRv(rsa.privateKey, cka.privateExponent)).toBe(ckr.attributeSensitive);
    const ecdsa = { session, mechanism: { type: ckm.ecdsa } } as const;
    // Whatever the length: it is on the caller to hash.
    for (const length of [0, 1, 32, 64]) {
      const message = data.slice(0, length);
      const signing = { ...ecdsa, data: message } as const;
      const signature = c.value({ fn: "sign", ...signing, key: ec.privateKey });
      expect(signature).toHaveLength(96);
      const verify = { fn: "verify", ...signing, key: ec.publicKey } as const;
      expect(c.rv({ ...verify, signature })).toBe(ckr.ok);
      expect(c.rv({ ...verify, signature: signature.slice(1) })).toBe(ckr.signatureLenRange);
      expect(c.rv({ ...verify, signature: signature.map((b) => b ^ 1) })).toBe(
        ckr.signatureInvalid,
      );
    }
    const sign = { fn: "sign", session, key: rsa.privateKey, data } as const;
    expect(c.rv({ ...sign, key: rsa.publicKey, mechanism: { type: ckm.rsaPkcs } })).toBe(
      ckr.keyFunctionNotPermitted,
    );
    const long = new Uint8Array(246);
    expect(c.rv({ ...sign, data: long, mechanism: { type: ckm.rsaPkcs } })).toBe(ckr.generalError);
    const pss = { kind: "pss", hash: ckm.sha256, mgf: ckg.mgf1Sha384, saltBytes: 32 } as const;
    const mismatched = { type: ckm.rsaPkcsPss, parameter: pss };
    expect(c.rv({ ...sign, mechanism: mismatched })).toBe(ckr.argumentsBad);
    expect(c.rv({ ...sign, mechanism: { type: ckm.ecdsaSha256 } })).toBe(ckr.mechanismInvalid);
    expect(c.rv({ ...sign, mechanism: { type: ckm.ecdsa } })).toBe(ckr.generalError);
    const oaep = (hash: number, mgf: number, label = none): Mechanism => ({
      type: ckm.rsaPkcsOaep,
      parameter: { kind: "oaep", hash, mgf, label },
    });
    // Public keys wrap, private ones unwrap.
    const sha1 = { session, mechanism: oaep(ckm.sha1, ckg.mgf1Sha1) } as const;
    const { publicKey, privateKey } = rsa;
    const wrapping = { fn: "wrapKey", ...sha1, key: publicKey } as const;
    expect(c.rv({ ...wrapping, wrappingKey: privateKey })).toBe(ckr.wrappingKeyTypeInconsistent);
    const unwrapping = { fn: "unwrapKey", ...sha1, wrapped: data, template: [] } as const;
    expect(c.rv({ ...unwrapping, unwrappingKey: publicKey })).toBe(
      ckr.unwrappingKeyTypeInconsistent,
    );
    const encrypt = (mechanism: Mechanism): number =>
      c.rv({ fn: "encrypt", session, key: rsa.publicKey, mechanism, data });
    expect(encrypt(oaep(ckm.sha1, ckg.mgf1Sha1))).toBe(ckr.ok);
    expect(encrypt(oaep(ckm.sha1, ckg.mgf1Sha1, data))).toBe(ckr.argumentsBad);
    expect(encrypt(oaep(ckm.sha256, ckg.mgf1Sha256))).toBe(ckr.argumentsBad);
  });
});
