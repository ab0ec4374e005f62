/** What is asked of a key when it is made. Everything is said: defaults of tokens are not to be trusted. */
import type { Attribute, Mechanism, Template } from "./cryptoki/calls.js";
import { cka, ckk, ckm, cko, vendorAttribute } from "./cryptoki/constants.js";
import { curveOfBits } from "./der.js";
import type { KeySpec } from "./keys.js";
import type { HsmCore } from "./state.js";

export interface KeyPlan {
  readonly spec: KeySpec;
  readonly label: Uint8Array;
  readonly id: Uint8Array;
  /** False: a key of the session. */
  readonly token: boolean;
  /** A key that wraps does so by C_Encrypt: then it may do that alone (policy P11). */
  readonly wrapsByEncrypting: boolean;
  /** A key of a trial, whose value is compared. */
  readonly readable?: true;
}

export interface KeyTemplates {
  readonly mechanism: Mechanism;
  /** Of the secret or private key. */
  readonly key: Template;
  /** Null for a secret key. */
  readonly publicKey: Template | null;
}

export function keyTemplates(core: HsmCore, plan: KeyPlan): KeyTemplates {
  const { algorithm, bits } = plan.spec;
  if (algorithm === "aes") {
    const size: Attribute = { type: cka.valueLen, value: bits / 8 };
    const key = allowed(core, plan, [...secretKeyTemplate(plan), size]);
    return { mechanism: { type: ckm.aesKeyGen }, key, publicKey: null };
  }
  const rsa = algorithm === "rsa";
  const keyType = rsa ? ckk.rsa : ckk.ec;
  const wraps = plan.spec.purpose === "wrap";
  const size: Template = rsa
    ? [
        { type: cka.modulusBits, value: bits },
        { type: cka.publicExponent, value: Uint8Array.of(1, 0, 1) },
      ]
    : [{ type: cka.ecParams, value: curveOfBits(bits)!.parameters }];
  const publicKey: Template = [
    ...named(plan, cko.publicKey, keyType),
    { type: cka.private, value: false },
    { type: cka.encrypt, value: false },
    { type: cka.wrap, value: wraps },
    { type: cka.verify, value: !wraps },
    ...size,
  ];
  const key: Template = [
    ...named(plan, cko.privateKey, keyType),
    ...guarded(plan),
    { type: cka.decrypt, value: false },
    { type: cka.unwrap, value: wraps },
    { type: cka.sign, value: !wraps },
  ];
  return {
    mechanism: { type: rsa ? ckm.rsaPkcsKeyPairGen : ckm.ecKeyPairGen },
    key: allowed(core, plan, key),
    publicKey: allowed(core, plan, publicKey),
  };
}

/** Without its size, which C_GenerateKey wants and C_UnwrapKey may refuse. */
export function secretKeyTemplate(plan: KeyPlan): Template {
  const { purpose } = plan.spec;
  const encrypts = purpose === "encrypt" || (purpose === "wrap" && plan.wrapsByEncrypting);
  const wraps = purpose === "wrap" && !plan.wrapsByEncrypting;
  return [
    ...named(plan, cko.secretKey, ckk.aes),
    ...guarded(plan),
    { type: cka.encrypt, value: encrypts },
    { type: cka.decrypt, value: encrypts },
    { type: cka.wrap, value: wraps },
    { type: cka.unwrap, value: wraps },
    { type: cka.sign, value: false },
    { type: cka.verify, value: false },
  ];
}

/** Bytes as an object of the session, only to be wrapped or read at once. */
export function passingKeyTemplate(bytes: Uint8Array | null): Template {
  const template: Attribute[] = [
    { type: cka.class, value: cko.secretKey },
    { type: cka.keyType, value: ckk.genericSecret },
    { type: cka.token, value: false },
    { type: cka.private, value: true },
    { type: cka.sensitive, value: false },
    { type: cka.extractable, value: true },
  ];
  if (bytes !== null) template.push({ type: cka.value, value: bytes });
  return template;
}

function named(plan: KeyPlan, objectClass: number, keyType: number): Template {
  return [
    { type: cka.class, value: objectClass },
    { type: cka.keyType, value: keyType },
    { type: cka.token, value: plan.token },
    { type: cka.label, value: plan.label },
    { type: cka.id, value: plan.id },
  ];
}

function guarded({ spec, readable }: KeyPlan): Template {
  return [
    { type: cka.private, value: true },
    // What may leave does so wrapped.
    { type: cka.sensitive, value: readable !== true },
    { type: cka.extractable, value: spec.exportable },
  ];
}

/** Some modules take a few attributes alone, and one that says all the rest by a number. */
function allowed(core: HsmCore, { spec }: KeyPlan, template: Template): Template {
  const types = core.profile.generateAttributes;
  if (types === null) return template;
  const kept = template.filter(({ type }) => types.includes(type));
  if (!types.includes(vendorAttribute.cloudkmsAlgorithm)) return kept;
  return [...kept, { type: vendorAttribute.cloudkmsAlgorithm, value: cloudkmsAlgorithm(spec) }];
}

/** Numbers of kmsp11.h. Signing RSA keys are for PKCS #1 v1.5, wrapping ones for OAEP with SHA-256. */
function cloudkmsAlgorithm({ algorithm, bits, purpose }: KeySpec): number {
  if (algorithm === "aes") return 19;
  if (algorithm === "ec") return bits === 256 ? 12 : 13;
  const size = bits === 2048 ? 0 : bits === 3072 ? 1 : 2;
  return (purpose === "wrap" ? 8 : 5) + size;
}
