/** What is peculiar to SoftHSM 2.6.1: measured on one, and kept here where there is none. */
import { describe, expect, it } from "vitest";
import type { Template } from "../../../src/core/hsm/cryptoki/calls.js";
import { cka, ckk, ckm, cko, ckr } from "../../../src/core/hsm/cryptoki/constants.js";
import { Client } from "./client.js";

const secret = (bytes: number, ...more: Template): Template => [
  { type: cka.class, value: cko.secretKey },
  { type: cka.keyType, value: ckk.genericSecret },
  { type: cka.extractable, value: true },
  { type: cka.value, value: new Uint8Array(bytes).fill(7) },
  ...more,
];
const gcm = (iv: Uint8Array) =>
  ({
    type: ckm.aesGcm,
    parameter: { kind: "gcm", iv, associatedData: new Uint8Array(0), tagBits: 128 },
  }) as const;

describe("oddities of SoftHSM", () => {
  it("leaves what it failed to make: bare in the token, begun in a session", () => {
    const c = new Client();
    const make = (token: boolean): number =>
      c.rv({
        fn: "createObject",
        session: c.session,
        template: [
          ...secret(
            16,
            { type: cka.token, value: token },
            { type: cka.id, value: Uint8Array.of(9) },
          ),
          { type: cka.local, value: true },
        ],
      });
    expect([make(true), make(false)]).toEqual([ckr.attributeReadOnly, ckr.attributeReadOnly]);
    const all = { fn: "find", session: c.session, template: [], max: 9 } as const;
    const left = c.value(all);
    const read = left.map((object) => c.read(object, cka.id, cka.token, cka.extractable));
    expect(read.map(([id, token, out]) => [id!.length, token![0], out![0]])).toEqual([
      [0, 0, 0],
      [1, 0, 1],
    ]);
    // What is left in a session goes with the login, found or not.
    expect(make(false)).toBe(ckr.attributeReadOnly);
    c.value({ fn: "logout", session: c.session });
    c.value({ fn: "login", session: c.session });
    expect(c.value(all)).toHaveLength(1);
  });

  it("fills up with zeros before it wraps, and gives the zeros back", () => {
    const c = new Client();
    const { session } = c;
    const wrappingKey = c.generate();
    const key = c.value({ fn: "createObject", session, template: secret(21) });
    for (const type of [ckm.aesKeyWrap, ckm.aesKeyWrapPad]) {
      const mechanism = { type };
      const wrapped = c.value({ fn: "wrapKey", session, mechanism, wrappingKey, key });
      expect(wrapped).toHaveLength(32);
      const template = secret(0).filter((one) => one.type !== cka.value);
      const unwrap = { fn: "unwrapKey", session, mechanism, unwrappingKey: wrappingKey } as const;
      const object = c.value({ ...unwrap, wrapped, template });
      const [value, length, check] = c.read(object, cka.value, cka.valueLen, cka.checkValue);
      expect([...value!]).toEqual([...new Uint8Array(21).fill(7), 0, 0, 0]);
      expect([length![0], check!.length]).toEqual([0, 0]);
    }
    const iv = { kind: "bytes", bytes: new Uint8Array(16) } as const;
    const mechanism = { type: ckm.aesCbc, parameter: iv };
    expect(c.rv({ fn: "wrapKey", session, mechanism, wrappingKey, key })).toBe(ckr.generalError);
    const unwrapping = { fn: "unwrapKey", session, mechanism, unwrappingKey: wrappingKey } as const;
    const wrapped = new Uint8Array(32);
    expect(c.rv({ ...unwrapping, wrapped, template: [] })).toBe(ckr.mechanismInvalid);
  });

  it("takes no IV for zeros, and of one beyond 128 bytes the beginning", () => {
    const c = new Client();
    const key = c.generate();
    const seal = (iv: Uint8Array): Uint8Array =>
      c.value({
        fn: "encrypt",
        session: c.session,
        mechanism: gcm(iv),
        key,
        data: Uint8Array.of(1),
      });
    const long = Uint8Array.from({ length: 129 }, (_, at) => at);
    expect(seal(new Uint8Array(0))).toEqual(seal(new Uint8Array(16)));
    expect(seal(long)).toEqual(seal(long.slice(0, 12)));
    expect(seal(long.slice(0, 128))).not.toEqual(seal(long.slice(0, 12)));
  });

  it("finds out late that a key is of another kind", () => {
    const c = new Client();
    const key = c.generate();
    const at = { session: c.session, key, data: new Uint8Array(32) } as const;
    const ecdsa = { type: ckm.ecdsa };
    const signature = new Uint8Array(64);
    expect(c.rv({ fn: "sign", ...at, mechanism: ecdsa })).toBe(ckr.generalError);
    expect(c.rv({ fn: "verify", ...at, mechanism: ecdsa, signature })).toBe(ckr.signatureLenRange);
    expect(c.rv({ fn: "encrypt", ...at, mechanism: { type: ckm.rsaPkcs } })).toBe(
      ckr.keyTypeInconsistent,
    );
  });

  it("lets a public key encrypt by what it does not allow", () => {
    const c = new Client();
    const allowed = { type: cka.allowedMechanisms, value: [ckm.aesGcm] };
    const { publicKey, privateKey } = c.value({
      fn: "generateKeyPair",
      session: c.session,
      mechanism: { type: ckm.rsaPkcsKeyPairGen },
      publicTemplate: [{ type: cka.modulusBits, value: 2048 }, allowed],
      privateTemplate: [allowed],
    });
    const at = { session: c.session, mechanism: { type: ckm.rsaPkcs }, data: Uint8Array.of(1) };
    expect(c.rv({ fn: "encrypt", ...at, key: publicKey })).toBe(ckr.ok);
    expect(c.rv({ fn: "sign", ...at, key: privateKey })).toBe(ckr.mechanismInvalid);
  });

  it("says of what is asked what is secret before what is not there", () => {
    const c = new Client();
    const key = c.generate();
    expect(c.readRv(key, cka.modulus, cka.value)).toBe(ckr.attributeSensitive);
    expect(c.readRv(key, cka.value, cka.modulus)).toBe(ckr.attributeSensitive);
    expect(c.readRv(key, cka.modulus)).toBe(ckr.attributeTypeInvalid);
  });

  it("lists all that it has, and a slot that waits for its token", () => {
    const c = new Client();
    const slots = c.value({ fn: "slots" });
    expect(slots.map(({ label, model, flags }) => ({ label, model, flags }))).toEqual([
      { label: "t1", model: "SoftHSM v2", flags: 0x42d },
      { label: "", model: "SoftHSM v2", flags: 0xc0_0025 },
    ]);
    expect(c.rv({ fn: "openSession", slot: slots[1]!.slot })).toBe(ckr.tokenNotRecognized);
    const { slot } = slots[0]!;
    expect(c.value({ fn: "mechanisms", slot })).toHaveLength(70);
  });
});
