import { createPublicKey, verify } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  type AttributeValue,
  noCall,
  type Handle,
  type Mechanism,
  type TokenCall,
} from "../../../../src/core/hsm/cryptoki/calls.js";
import { cka, ckg, ckk, ckm, cko, ckr } from "../../../../src/core/hsm/cryptoki/constants.js";
import { Driver, type Place, aesTemplate, makePlace } from "./driver.js";

const library = inject("softhsm");

describe.skipIf(library === null)("the process of a PKCS#11 library", () => {
  let place: Place;
  let driver: Driver;
  let session: Handle;
  const bytes = (text: string): Uint8Array => Buffer.from(text);
  const gcm = (iv: Uint8Array): Mechanism => ({
    type: ckm.aesGcm,
    parameter: { kind: "gcm", iv, associatedData: bytes("about"), tagBits: 128 },
  });

  beforeAll(async () => {
    place = await makePlace(library!);
    driver = new Driver(place.options);
    session = await driver.login(place.token.label);
  });
  afterAll(async () => {
    await driver.module.close();
    place.remove();
  });

  const generate = (more = aesTemplate()): Promise<Handle> =>
    driver.ask({ fn: "generateKey", session, mechanism: { type: ckm.aesKeyGen }, template: more });

  test("tells what tokens there are, and what they can do", async () => {
    const slots = await driver.ask({ fn: "slots" });
    const own = slots.find(({ label }) => label === place.token.label)!;
    expect(own).toMatchObject({ serial: place.token.serial, model: "SoftHSM v2" });
    const mechanisms = await driver.ask({ fn: "mechanisms", slot: own.slot });
    expect(mechanisms.find(({ type }) => type === ckm.aesKeyGen)).toMatchObject({
      minKeySize: 16,
      maxKeySize: 32,
    });
    expect(await driver.ask({ fn: "sessionInfo", session })).toEqual({ slot: own.slot, state: 3 });
  });

  test("encrypts and decrypts, nothing and much", async () => {
    const key = await generate();
    const mechanism = gcm(Buffer.alloc(12, 1));
    for (const data of [bytes(""), bytes("x"), Buffer.alloc(1 << 20, 7)]) {
      const encrypted = await driver.ask({ fn: "encrypt", session, mechanism, key, data });
      expect(encrypted.length).toBe(data.length + 16);
      const back = await driver.ask({ fn: "decrypt", session, mechanism, key, data: encrypted });
      expect(Buffer.compare(back, data)).toBe(0);
    }
  });

  test("answers in the order of the calls, and each with its own", async () => {
    const key = await generate();
    const before = driver.answered.length;
    const datas = Array.from({ length: 300 }, (_, n) => Buffer.alloc(n, n));
    const mechanism = gcm(Buffer.alloc(12, 2));
    const encrypted = await Promise.all(
      datas.map((data) => driver.ask({ fn: "encrypt", session, mechanism, key, data })),
    );
    expect(encrypted.map(({ length }) => length)).toEqual(datas.map(({ length }) => length + 16));
    const ids = driver.answered.slice(before);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });

  test("reads attributes as raw bytes, whole numbers in eight of them", async () => {
    const label = bytes("a label");
    const key = await generate(aesTemplate([{ type: cka.label, value: label }]));
    const types = [cka.label, cka.keyType, cka.sensitive];
    const values = await driver.ask({ fn: "attributes", session, object: key, types });
    expect(values.map((value) => Buffer.from(value).toString("hex"))).toEqual([
      Buffer.from(label).toString("hex"),
      "1f00000000000000",
      "00",
    ]);
    const template = [{ type: cka.label, value: bytes("another") }];
    await driver.ask({ fn: "setAttributes", session, object: key, template });
    expect(await driver.ask({ fn: "find", session, template, max: 9 })).toHaveLength(1);
    await driver.ask({ fn: "destroyObject", session, object: key });
    expect(await driver.ask({ fn: "find", session, template, max: 9 })).toEqual([]);
  });

  test("wraps by KWP and OAEP, and unwraps", async () => {
    const extractable = [{ type: cka.extractable, value: true }];
    const key = await generate(aesTemplate(extractable));
    const wrapping = await generate(
      aesTemplate([
        { type: cka.wrap, value: true },
        { type: cka.unwrap, value: true },
      ]),
    );
    const mechanism = { type: ckm.aesKeyWrapPad };
    const wrap: TokenCall & { fn: "wrapKey" } = {
      fn: "wrapKey",
      session,
      mechanism,
      wrappingKey: wrapping,
      key,
    };
    const wrapped = await driver.ask(wrap);
    expect(wrapped).toHaveLength(40);
    const template = aesTemplate(extractable).filter(({ type }) => type !== cka.valueLen);
    const unwrapped = await driver.ask({
      fn: "unwrapKey",
      session,
      mechanism,
      unwrappingKey: wrapping,
      wrapped,
      template,
    });
    expect(await driver.ask({ ...wrap, key: unwrapped })).toEqual(wrapped);

    const pair = await rsaPair(
      [{ type: cka.wrap, value: true }],
      [{ type: cka.unwrap, value: true }],
    );
    const oaep: Mechanism = {
      type: ckm.rsaPkcsOaep,
      parameter: { kind: "oaep", hash: ckm.sha1, mgf: ckg.mgf1Sha1, label: bytes("") },
    };
    const underRsa = await driver.ask({ ...wrap, mechanism: oaep, wrappingKey: pair.publicKey });
    const again = await driver.ask({
      fn: "unwrapKey",
      session,
      mechanism: oaep,
      unwrappingKey: pair.privateKey,
      wrapped: underRsa,
      template,
    });
    expect(await driver.ask({ ...wrap, key: again })).toEqual(wrapped);
  });

  test("signs with PSS what node:crypto verifies, and verifies", async () => {
    const pair = await rsaPair(
      [{ type: cka.verify, value: true }],
      [{ type: cka.sign, value: true }],
    );
    const mechanism: Mechanism = {
      type: ckm.sha256RsaPkcsPss,
      parameter: { kind: "pss", hash: ckm.sha256, mgf: ckg.mgf1Sha256, saltBytes: 32 },
    };
    const data = bytes("a message");
    const signature = await driver.ask({
      fn: "sign",
      session,
      mechanism,
      key: pair.privateKey,
      data,
    });
    const types = [cka.modulus, cka.publicExponent];
    const [n, e] = await driver.ask({ fn: "attributes", session, object: pair.publicKey, types });
    const jwk = { kty: "RSA", n: base64url(n!), e: base64url(e!) };
    const key = createPublicKey({ key: jwk, format: "jwk" });
    expect(verify("sha256", data, { key, padding: 6, saltLength: 32 }, signature)).toBe(true);
    const check: TokenCall = {
      fn: "verify",
      session,
      mechanism,
      key: pair.publicKey,
      data,
      signature,
    };
    expect(await driver.rv(check)).toBe(ckr.ok);
    signature[0]! ^= 1;
    const other = await driver.session(place.token.label);
    expect(await driver.rv({ ...check, session: other })).toBe(ckr.signatureInvalid);
  });

  test("classes errors by their number, also those that come as text only", async () => {
    const key = await generate();
    const object = key;
    const readOnly = [{ type: cka.keyType, value: ckk.rsa }];
    expect(await driver.rv({ fn: "setAttributes", session, object, template: readOnly })).toBe(
      ckr.attributeReadOnly,
    );
    const incomplete = [{ type: cka.class, value: cko.secretKey }];
    expect(await driver.rv({ fn: "createObject", session, template: incomplete })).toBeGreaterThan(
      0,
    );
    expect(await driver.rv({ fn: "initialize" })).toBe(ckr.cryptokiAlreadyInitialized);
    const undestroyable = await generate(aesTemplate([{ type: cka.destroyable, value: false }]));
    // The binding has no name for this number.
    expect(await driver.rv({ fn: "destroyObject", session, object: undestroyable })).toBe(
      ckr.actionProhibited,
    );
  });

  test("makes random bytes, of a bounded number", async () => {
    expect(await driver.ask({ fn: "generateRandom", session, lengthBytes: 32 })).toHaveLength(32);
    expect(await driver.rv({ fn: "generateRandom", session, lengthBytes: 2 ** 31 })).toBe(
      noCall.malformed,
    );
  });

  test("what is no call is answered as such, in its place, and harms nothing", async () => {
    const key = await generate();
    const data = bytes("x");
    const mechanism = gcm(Buffer.alloc(12, 3));
    const date = (value: AttributeValue): TokenCall => ({
      fn: "generateKey",
      session,
      mechanism: { type: ckm.aesKeyGen },
      template: aesTemplate([{ type: cka.startDate, value }]),
    });
    const calls: unknown[] = [
      { fn: "noSuchFunction" },
      { fn: "encrypt", session, mechanism, key, data: "text" },
      { fn: "encrypt", session, mechanism, key: session, data },
      { fn: "encrypt", session: key, mechanism, key, data },
      { fn: "encrypt", session, mechanism: { type: -1 }, key, data },
      {
        fn: "encrypt",
        session,
        mechanism: { type: ckm.aesGcm, parameter: { kind: "odd" } },
        key,
        data,
      },
      // Whoever makes no IV must not be asked to.
      { fn: "encrypt", session, mechanism: gcm(null as unknown as Uint8Array), key, data },
      { fn: "encrypt", session, mechanism, key, data: Buffer.alloc(3 << 20) },
      { fn: "closeSession", session: 7 },
      {
        fn: "closeSession",
        session: session.replace(/^./, (first) => (first === "0" ? "1" : "0")),
      },
      { fn: "attributes", session, object: key, types: [1.5] },
      { fn: "find", session, template: [{ type: cka.id, value: new Date() }], max: 1 },
      { fn: "find", session, template: [], max: 2 ** 31 },
      { fn: "mechanisms", slot: Number.NaN },
      date(bytes("1")),
      date(bytes("tomorrow")),
      date(true),
    ];
    const rvs = await Promise.all(calls.map((call) => driver.rv(call as TokenCall)));
    expect(rvs).toEqual(calls.map(() => noCall.malformed));
    expect(await driver.rv(date(bytes("20300101")))).toBe(ckr.ok);
    expect(await driver.rv({ fn: "encrypt", session, mechanism, key, data })).toBe(ckr.ok);
    expect(driver.losses).toEqual([]);
  });

  test("a handle of an earlier process names nothing in the next", async () => {
    const other = new Driver(place.options);
    const old = await other.login(place.token.label);
    await other.login(place.token.label);
    expect(await other.rv({ fn: "sessionInfo", session: old })).toBe(noCall.malformed);
    await other.module.close();
  });

  async function rsaPair(
    publicMore: { type: number; value: boolean }[],
    privateMore: { type: number; value: boolean }[],
  ): Promise<{ publicKey: Handle; privateKey: Handle }> {
    return await driver.ask({
      fn: "generateKeyPair",
      session,
      mechanism: { type: ckm.rsaPkcsKeyPairGen },
      publicTemplate: [
        { type: cka.token, value: false },
        { type: cka.modulusBits, value: 2048 },
        { type: cka.publicExponent, value: Buffer.from([1, 0, 1]) },
        ...publicMore,
      ],
      privateTemplate: [{ type: cka.token, value: false }, ...privateMore],
    });
  }
});

function base64url(value: Uint8Array): string {
  return Buffer.from(value).toString("base64url");
}
