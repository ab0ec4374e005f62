/** Random sequences for the differential test: mostly sound, with what is not in it. */
import fc from "fast-check";
import type { Attribute, Mechanism, Template } from "../../../src/core/hsm/cryptoki/calls.js";
import { cka, ckg, ckk, ckm, cko } from "../../../src/core/hsm/cryptoki/constants.js";
import type { Step } from "./differential-step.js";

const choice = fc.nat({ max: 5 });
const data = fc.oneof(
  fc.constantFrom(Buffer.alloc(16, 1), Buffer.alloc(32, 2), Buffer.alloc(0), Buffer.alloc(33, 3)),
  fc.uint8Array({ maxLength: 70 }).map((bytes) => Buffer.from(bytes)),
);
/** One in so many. */
const seldom = (times: number): fc.Arbitrary<boolean> =>
  fc.nat({ max: times - 1 }).map((n) => n === 0);

const flagTypes = [
  cka.token,
  cka.private,
  cka.sensitive,
  cka.extractable,
  cka.encrypt,
  cka.decrypt,
  cka.wrap,
  cka.unwrap,
  cka.sign,
  cka.verify,
  cka.derive,
  cka.modifiable,
  cka.wrapWithTrusted,
];
/** Mostly not given, and when given mostly true. */
const flags: fc.Arbitrary<Attribute[]> = fc
  .subarray(flagTypes, { maxLength: 7 })
  .chain((types) =>
    fc.tuple(
      ...types.map((type) => fc.nat({ max: 3 }).map((n): Attribute => ({ type, value: n > 0 }))),
    ),
  );
const label = fc
  .constantFrom("a", "b", "c")
  .map((text): Attribute => ({ type: cka.label, value: Buffer.from(text) }));

/** What does not belong in a template of a secret key, or not from outside. */
const odd: fc.Arbitrary<Attribute> = fc.constantFrom<Attribute>(
  { type: cka.local, value: true },
  { type: cka.neverExtractable, value: true },
  { type: cka.alwaysSensitive, value: true },
  { type: cka.keyGenMechanism, value: ckm.aesKeyGen },
  { type: cka.modulus, value: Buffer.from([1]) },
  { type: cka.trusted, value: true },
  { type: cka.keyType, value: ckk.rsa },
  { type: cka.class, value: cko.publicKey },
  { type: cka.valueLen, value: 15 },
  { type: cka.value, value: Buffer.alloc(5) },
  { type: cka.allowedMechanisms, value: [ckm.aesGcm] },
);
const oddOnes: fc.Arbitrary<Attribute[]> = fc
  .tuple(fc.nat({ max: 5 }), odd)
  .map(([n, one]) => (n === 5 ? [one] : []));

/** Later attributes win over earlier ones of their type, so that none is there twice. */
function merged(...parts: readonly (readonly Attribute[])[]): Template {
  return [...new Map(parts.flat().map((attribute) => [attribute.type, attribute])).values()];
}

const aesClass: Template = [
  { type: cka.class, value: cko.secretKey },
  { type: cka.keyType, value: ckk.aes },
];

const create: fc.Arbitrary<Step> = fc
  .record({ session: choice, flags, label, oddOnes, fill: fc.nat({ max: 3 }) })
  .map(({ session, flags: some, label: named, oddOnes: others, fill }) => ({
    do: "create",
    session,
    known: true,
    template: merged(
      aesClass,
      [{ type: cka.value, value: Buffer.alloc(32, fill) }, named],
      some,
      others,
    ),
  }));

const generate: fc.Arbitrary<Step> = fc
  .record({
    session: choice,
    flags,
    label,
    oddOnes,
    length: fc.constantFrom(16, 32, 32, 32, 33),
    type: fc.constantFrom<number>(
      ckm.aesKeyGen,
      ckm.aesKeyGen,
      ckm.aesKeyGen,
      ckm.genericSecretKeyGen,
      ckm.aesGcm,
    ),
    withClass: fc.boolean(),
  })
  .map(({ session, flags: some, label: named, oddOnes: others, length, type, withClass }) => ({
    do: "generate",
    session,
    mechanism: { type },
    template: merged(
      withClass && type === ckm.aesKeyGen ? aesClass : [],
      [{ type: cka.valueLen, value: length }, named],
      some,
      others,
    ),
  }));

const p256 = Buffer.from("06082a8648ce3d030107", "hex");
const p384 = Buffer.from("06052b81040022", "hex");

const pair: fc.Arbitrary<Step> = fc
  .record({
    session: choice,
    curve: fc.constantFrom(p256, p256, p384, Buffer.from("0603", "hex")),
    label,
    publicFlags: fc.subarray<number>([cka.token, cka.verify, cka.wrap, cka.encrypt]),
    privateFlags: fc.subarray<number>([
      cka.token,
      cka.sign,
      cka.private,
      cka.sensitive,
      cka.extractable,
      cka.unwrap,
    ]),
  })
  .map(({ session, curve, label: named, publicFlags, privateFlags }) => ({
    do: "pair",
    session,
    mechanism: { type: ckm.ecKeyPairGen },
    publicTemplate: merged(
      [{ type: cka.ecParams, value: curve }, named],
      publicFlags.map((type) => ({ type, value: true })),
    ),
    privateTemplate: merged(
      [named],
      privateFlags.map((type) => ({ type, value: true })),
    ),
  }));

const gcm: fc.Arbitrary<Mechanism> = fc
  .record({
    iv: fc.constantFrom(Buffer.alloc(12, 1), Buffer.alloc(12, 1), Buffer.alloc(12, 2)),
    associatedData: fc.constantFrom(Buffer.alloc(0), Buffer.from("about")),
    tagBits: fc.constantFrom(128, 128, 128, 96),
  })
  .map((parameter) => ({ type: ckm.aesGcm, parameter: { kind: "gcm", ...parameter } }));
const cbc = (type: number): Mechanism => ({
  type,
  parameter: { kind: "bytes", bytes: Buffer.alloc(16, 9) },
});
const ciphers: fc.Arbitrary<Mechanism> = fc.oneof(
  { weight: 5, arbitrary: gcm },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Mechanism>(
      cbc(ckm.aesCbc),
      cbc(ckm.aesCbcPad),
      { type: ckm.aesEcb },
      { type: ckm.ecdsa },
      { type: ckm.aesKeyWrapPad },
    ),
  },
);
const signers = fc.constantFrom<Mechanism>(
  { type: ckm.ecdsa },
  { type: ckm.ecdsa },
  { type: ckm.sha256Hmac },
  { type: ckm.ecdsaSha256 },
  { type: ckm.sha256RsaPkcs },
  {
    type: ckm.sha256RsaPkcsPss,
    parameter: { kind: "pss", hash: ckm.sha256, mgf: ckg.mgf1Sha256, saltBytes: 32 },
  },
);
const wrappers = fc.constantFrom<Mechanism>(
  { type: ckm.aesKeyWrapPad },
  { type: ckm.aesKeyWrapPad },
  { type: ckm.aesKeyWrap },
  { type: ckm.aesKeyWrapKwp },
  cbc(ckm.aesCbc),
  cbc(ckm.aesCbcPad),
  {
    type: ckm.rsaPkcsOaep,
    parameter: { kind: "oaep", hash: ckm.sha1, mgf: ckg.mgf1Sha1, label: Buffer.alloc(0) },
  },
);

export const readTypes: readonly number[] = [
  ...flagTypes,
  cka.class,
  cka.label,
  cka.id,
  cka.keyType,
  cka.value,
  cka.valueLen,
  cka.local,
  cka.neverExtractable,
  cka.alwaysSensitive,
  cka.keyGenMechanism,
  cka.destroyable,
  cka.trusted,
  cka.modulus,
  cka.ecParams,
  cka.ecPoint,
  cka.allowedMechanisms,
];

const set: fc.Arbitrary<Template> = fc.oneof(
  label.map((one) => [one]),
  fc
    .constantFrom<Attribute>(
      { type: cka.id, value: Buffer.from([7]) },
      { type: cka.sensitive, value: true },
      { type: cka.sensitive, value: false },
      { type: cka.extractable, value: false },
      { type: cka.extractable, value: true },
      { type: cka.encrypt, value: true },
      { type: cka.wrap, value: false },
      { type: cka.token, value: true },
      { type: cka.keyType, value: ckk.aes },
      { type: cka.local, value: true },
      { type: cka.modulus, value: Buffer.from([1]) },
    )
    .map((one) => [one]),
);

const unwrapTemplate = fc
  .record({ flags, label, oddOnes, withType: fc.nat({ max: 4 }).map((n) => n > 0) })
  .map(({ flags: some, label: named, oddOnes: others, withType }) =>
    merged(withType ? aesClass : aesClass.slice(0, 1), [named], some, others),
  );

const plain: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom("close" as const, "info" as const, "logout" as const),
    session: choice,
  }),
  fc.record({ do: fc.constantFrom("slots" as const, "mechanisms" as const) }),
  fc.record({
    do: fc.constantFrom("random" as const),
    session: choice,
    lengthBytes: fc.nat({ max: 40 }),
  }),
);
const library: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("initialize" as const, "finalize" as const),
});
const open: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("open" as const),
  badSlot: seldom(8),
});
const login: fc.Arbitrary<Step> = fc.record({ do: fc.constant("login" as const), session: choice });
const keyed = { session: choice, object: choice };

const any: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: open },
  { weight: 3, arbitrary: login },
  { weight: 3, arbitrary: plain },
  { weight: 1, arbitrary: library },
  { weight: 6, arbitrary: create },
  { weight: 5, arbitrary: generate },
  { weight: 2, arbitrary: pair },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("find" as const),
      session: choice,
      template: fc.oneof(
        label.map((one) => [one]),
        fc.constant(aesClass),
        fc.constant([]),
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("attributes" as const),
      ...keyed,
      types: fc.subarray([...readTypes], { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("set" as const), ...keyed, template: set }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("destroy" as const), ...keyed }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("encrypt" as const),
      ...keyed,
      mechanism: ciphers,
      data,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("decrypt" as const),
      ...keyed,
      mechanism: ciphers,
      of: choice,
      spoilt: seldom(3),
      data,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("sign" as const), ...keyed, mechanism: signers, data }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("verify" as const),
      ...keyed,
      mechanism: signers,
      of: choice,
      spoilt: seldom(3),
      data,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("wrap" as const),
      ...keyed,
      mechanism: wrappers,
      wrapped: choice,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("unwrap" as const),
      ...keyed,
      mechanism: wrappers,
      of: choice,
      spoilt: seldom(4),
      template: unwrapTemplate,
    }),
  },
);

/** Most begin with somebody logged in. */
export const sequences: fc.Arbitrary<readonly Step[]> = fc
  .tuple(seldom(5), fc.array(any, { minLength: 5, maxLength: 40, size: "max" }))
  .map(([fromNothing, steps]) => [
    { do: "open", badSlot: false } as const,
    ...(fromNothing ? [] : [{ do: "login", session: 0 } as const]),
    ...steps,
  ]);
