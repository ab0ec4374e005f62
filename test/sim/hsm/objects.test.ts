/** Objects of a simulated SoftHSM: groups of cases as google/pkcs11test has them, answers of version 2.6.1. */
import { describe, expect, it } from "vitest";
import type { Template } from "../../../src/core/hsm/cryptoki/calls.js";
import { cka, ckk, ckm, cko, ckr } from "../../../src/core/hsm/cryptoki/constants.js";
import { vendorProfile } from "../../../src/core/hsm/profiles/index.js";
import { Client, aesGen, gcm, lasting, set } from "./client.js";
import { newToken } from "./token-rig.js";

const none = new Uint8Array(0);
const softhsm = vendorProfile("softhsm");
const data = new Uint8Array(32).fill(0x41);

describe("objects", () => {
  it("hold what nobody said, too", () => {
    const c = new Client();
    const key = c.generate(c.aesTemplate);
    const flag = (type: number): number => c.read(key, type)[0]![0]!;
    const off = [cka.sensitive, cka.extractable, cka.token, cka.derive, cka.trusted];
    expect(off.map(flag)).toEqual(off.map(() => 0));
    const on = [cka.private, cka.encrypt, cka.decrypt, cka.wrap, cka.unwrap, cka.sign, cka.verify];
    expect(on.map(flag)).toEqual(on.map(() => 1));
    expect([cka.modifiable, cka.destroyable, cka.local].map(flag)).toEqual([1, 1, 1]);
    expect([cka.alwaysSensitive, cka.neverExtractable].map(flag)).toEqual([0, 1]);
  });

  it("tell whether a key was always guarded", () => {
    const c = new Client();
    const key = c.generate([...c.aesTemplate, ...set(cka.sensitive, true)]);
    const types = [cka.alwaysSensitive, cka.neverExtractable, cka.local];
    expect(c.read(key, ...types).map(([flag]) => flag)).toEqual([1, 1, 1]);
    const value = { type: cka.value, value: data };
    const template = [...c.aesTemplate.slice(0, 2), value, ...set(cka.sensitive, true)];
    const imported = c.value({ fn: "createObject", session: c.session, template });
    expect(c.read(imported, ...types).map(([flag]) => flag)).toEqual([0, 0, 0]);
  });

  it("show no secret value, and then nothing of what was asked with it", () => {
    const c = new Client();
    const secret = c.generate([...c.aesTemplate, ...set(cka.sensitive, true)]);
    expect(c.readRv(secret, cka.value)).toBe(ckr.attributeSensitive);
    expect(c.readRv(secret, cka.label, cka.value)).toBe(ckr.attributeSensitive);
    // One that cannot leave is not shown either, sensitive or not.
    expect(c.readRv(c.generate(), cka.value)).toBe(ckr.attributeSensitive);
    const open = c.generate([...c.aesTemplate, ...set(cka.extractable, true)]);
    expect(c.read(open, cka.value)[0]).toHaveLength(32);
    expect(c.readRv(open, cka.modulus)).toBe(ckr.attributeTypeInvalid);
  });

  it("are refused with what nobody may say, or what they cannot be", () => {
    const c = new Client();
    const rv = (...more: Template): number => {
      const template = [...c.aesTemplate, ...more];
      return c.rv({ fn: "generateKey", session: c.session, mechanism: aesGen, template });
    };
    expect(rv(...set(cka.local, true))).toBe(ckr.attributeReadOnly);
    expect(rv(...set(cka.alwaysSensitive, true))).toBe(ckr.attributeReadOnly);
    expect(rv(...set(cka.trusted, true))).toBe(ckr.attributeReadOnly);
    expect(rv({ type: cka.value, value: data })).toBe(ckr.attributeReadOnly);
    expect(rv({ type: 0x7777, value: data })).toBe(ckr.attributeTypeInvalid);
    expect(rv({ type: cka.sign, value: 7 })).toBe(ckr.attributeValueInvalid);
    const made = (template: Template, mechanism = aesGen): number =>
      c.rv({ fn: "generateKey", session: c.session, mechanism, template });
    expect(made([])).toBe(ckr.templateIncomplete);
    expect(made([{ type: cka.valueLen, value: 20 }])).toBe(ckr.attributeValueInvalid);
    expect(made([{ type: cka.class, value: cko.publicKey }])).toBe(ckr.attributeValueInvalid);
    expect(made([{ type: cka.keyType, value: ckk.ec }])).toBe(ckr.templateInconsistent);
    expect(made([], { type: ckm.aesGcm })).toBe(ckr.mechanismInvalid);
    const create = (template: Template): number =>
      c.rv({ fn: "createObject", session: c.session, template });
    expect(create([])).toBe(ckr.templateIncomplete);
    expect(create(c.aesTemplate.slice(0, 2))).toBe(ckr.templateIncomplete);
    const value = { type: cka.value, value: data };
    expect(create([...c.aesTemplate, value])).toBe(ckr.attributeReadOnly);
  });

  it("are changed only to be more secret", () => {
    const c = new Client();
    const template = [...c.aesTemplate, ...set(cka.extractable, true)];
    const object = c.generate(template);
    const change = (...more: Template): number =>
      c.rv({ fn: "setAttributes", session: c.session, object, template: more });
    expect(change({ type: cka.label, value: data }, ...set(cka.sensitive, true))).toBe(ckr.ok);
    expect(change(...set(cka.sensitive, false))).toBe(ckr.attributeReadOnly);
    expect(change(...set(cka.extractable, false))).toBe(ckr.ok);
    expect(change(...set(cka.extractable, true))).toBe(ckr.attributeReadOnly);
    expect(change(...set(cka.token, true))).toBe(ckr.attributeReadOnly);
    expect(change(...set(cka.alwaysSensitive, true))).toBe(ckr.attributeReadOnly);
    // It was not always so.
    const types = [cka.label, cka.alwaysSensitive, cka.neverExtractable];
    expect(c.read(object, ...types)).toEqual([data, Uint8Array.of(0), Uint8Array.of(0)]);
    const fixed = c.generate([...c.aesTemplate, ...set(cka.modifiable, false)]);
    const call = { fn: "setAttributes", session: c.session, object: fixed } as const;
    expect(c.rv({ ...call, template: set(cka.sign, false) })).toBe(ckr.actionProhibited);
  });

  it("are destroyed, unless they are not to be", () => {
    const c = new Client();
    const object = c.generate();
    const destroy = { fn: "destroyObject", session: c.session } as const;
    c.value({ ...destroy, object });
    expect(c.rv({ ...destroy, object })).toBe(ckr.objectHandleInvalid);
    const kept = c.generate([...c.aesTemplate, ...set(cka.destroyable, false)]);
    expect(c.rv({ ...destroy, object: kept })).toBe(ckr.actionProhibited);
  });

  it("are found by all that is asked, as many as are wanted; doubles and all", () => {
    const c = new Client();
    const id = { type: cka.id, value: Uint8Array.of(7) };
    const twins = [1, 2].map(() => c.generate([...c.aesTemplate, ...lasting, id]));
    c.generate([...c.aesTemplate, { type: cka.id, value: Uint8Array.of(7, 0) }]);
    const find = { fn: "find", session: c.session, max: 9 } as const;
    expect(c.value({ ...find, template: [id] })).toEqual(twins);
    expect(c.value({ ...find, template: [id], max: 1 })).toEqual(twins.slice(0, 1));
    expect(c.value({ ...find, template: [id, ...set(cka.token, false)] })).toEqual([]);
    expect(c.value({ ...find, template: [] })).toHaveLength(3);
  });

  it("of the token are there for every process, at once, until anyone destroys them", () => {
    const token = newToken();
    const [one, two] = [new Client(softhsm, true, token), new Client(softhsm, true, token)];
    const key = one.generate([...one.aesTemplate, ...lasting]);
    const passing = one.generate();
    const found = two.value({ fn: "find", session: two.session, template: [], max: 9 });
    expect(found).toHaveLength(1);
    two.value({ fn: "destroyObject", session: two.session, object: found[0]! });
    const encrypt = { fn: "encrypt", session: one.session, mechanism: gcm(), data } as const;
    expect(one.rv({ ...encrypt, key })).toBe(ckr.objectHandleInvalid);
    expect(one.rv({ ...encrypt, key: passing })).toBe(ckr.ok);
  });

  it("need room", () => {
    const c = new Client(softhsm, true, newToken(1, 2));
    for (let count = 0; count < 2; count++) c.generate([...c.aesTemplate, ...lasting]);
    const template = [...c.aesTemplate, ...lasting];
    const call = { fn: "generateKey", session: c.session, mechanism: aesGen, template } as const;
    expect(c.rv(call)).toBe(ckr.functionFailed);
    c.generate();
  });

  it("are copied with their token, which goes its own way", () => {
    const c = new Client();
    const object = c.generate([...c.aesTemplate, ...lasting]);
    const copy = c.token.clone();
    const later = new Client(softhsm, true, copy);
    const label = { type: cka.label, value: data };
    c.value({ fn: "setAttributes", session: c.session, object, template: [label] });
    const [same] = later.value({ fn: "find", session: later.session, template: [], max: 2 });
    expect(later.read(same!, cka.label)).toEqual([none]);
    expect(copy.random(8)).toEqual(c.token.random(8));
  });
});
