/**
 * Which attributes objects have, what stands in them at first, and whose template may hold them:
 * PKCS#11 v2.40, sections 4.1 and 4.4 to 4.9, as SoftHSM 2.6.1 was measured to keep it, attribute by
 * attribute.
 */
import { cka, ckk, cko } from "../../core/hsm/cryptoki/constants.js";

/** By what call a template comes. */
export type Origin = "create" | "generate" | "unwrap" | "set";

export interface AttributeRule {
  readonly type: number;
  readonly shape: "flag" | "number" | "numbers" | "bytes" | "nothing";
  readonly from: readonly Origin[];
  /** Null: no bytes; a number that nobody knows is CK_UNAVAILABLE_INFORMATION. */
  readonly initially: boolean | number | null;
}

export type AttributeRules = ReadonlyMap<number, AttributeRule>;

type Row = readonly [
  type: number,
  shape: AttributeRule["shape"],
  from: readonly Origin[],
  initially?: boolean | number,
];

const making: readonly Origin[] = ["create", "generate", "unwrap"];
const always: readonly Origin[] = [...making, "set"];
const imported: readonly Origin[] = ["create"];
const never: readonly Origin[] = [];

const ofObjects: readonly Row[] = [
  [cka.class, "number", making, 0],
  [cka.token, "flag", making, false],
  [cka.private, "flag", making, true],
  [cka.label, "bytes", always],
  [cka.modifiable, "flag", making, true],
  [cka.copyable, "flag", making, true],
  [cka.destroyable, "flag", making, true],
];
const ofData: readonly Row[] = [
  ...ofObjects,
  [cka.application, "bytes", making],
  [cka.objectId, "bytes", making],
  [cka.value, "bytes", making],
];
const ofKeys: readonly Row[] = [
  ...ofObjects,
  [cka.keyType, "number", making, 0],
  [cka.id, "bytes", always],
  [cka.startDate, "bytes", making],
  [cka.endDate, "bytes", making],
  [cka.derive, "flag", always, false],
  [cka.local, "flag", never, false],
  [cka.keyGenMechanism, "number", never],
  [cka.allowedMechanisms, "numbers", making],
];
/** Keys that hide something. */
const ofHiders: readonly Row[] = [
  ...ofKeys,
  [cka.sensitive, "flag", always, false],
  [cka.decrypt, "flag", always, true],
  [cka.sign, "flag", always, true],
  [cka.unwrap, "flag", always, true],
  [cka.extractable, "flag", always, false],
  [cka.alwaysSensitive, "flag", never, false],
  [cka.neverExtractable, "flag", never, true],
  [cka.wrapWithTrusted, "flag", making, false],
  [cka.unwrapTemplate, "nothing", making],
];
const ofSecretKeys: readonly Row[] = [
  ...ofHiders,
  [cka.encrypt, "flag", always, true],
  [cka.verify, "flag", always, true],
  [cka.wrap, "flag", always, true],
  [cka.checkValue, "bytes", always],
  [cka.trusted, "flag", making, false],
  [cka.wrapTemplate, "nothing", making],
  [cka.value, "bytes", imported],
  [cka.valueLen, "number", ["generate"], 0],
];
const ofPublicKeys: readonly Row[] = [
  ...ofKeys,
  [cka.subject, "bytes", always],
  [cka.encrypt, "flag", always, true],
  [cka.verify, "flag", always, true],
  [cka.verifyRecover, "flag", always, true],
  [cka.wrap, "flag", always, true],
  [cka.trusted, "flag", making, false],
  [cka.wrapTemplate, "nothing", making],
  [cka.publicKeyInfo, "bytes", making],
];
const ofPrivateKeys: readonly Row[] = [
  ...ofHiders,
  [cka.subject, "bytes", always],
  [cka.signRecover, "flag", always, true],
  [cka.alwaysAuthenticate, "flag", making, false],
  [cka.publicKeyInfo, "bytes", always],
];
const ofRsaPublicKeys: readonly Row[] = [
  ...ofPublicKeys,
  [cka.modulus, "bytes", imported],
  [cka.modulusBits, "number", ["generate"], 0],
  [cka.publicExponent, "bytes", making],
];
const ofEcPublicKeys: readonly Row[] = [
  ...ofPublicKeys,
  [cka.ecParams, "bytes", making],
  [cka.ecPoint, "bytes", imported],
];
const ofRsaPrivateKeys: readonly Row[] = [
  ...ofPrivateKeys,
  [cka.modulus, "bytes", imported],
  [cka.publicExponent, "bytes", imported],
  [cka.privateExponent, "bytes", imported],
  [cka.prime1, "bytes", imported],
  [cka.prime2, "bytes", imported],
  [cka.exponent1, "bytes", imported],
  [cka.exponent2, "bytes", imported],
  [cka.coefficient, "bytes", imported],
];
const ofEcPrivateKeys: readonly Row[] = [
  ...ofPrivateKeys,
  [cka.ecParams, "bytes", imported],
  [cka.value, "bytes", imported],
];

function rules(rows: readonly Row[]): AttributeRules {
  return new Map(
    rows.map(([type, shape, from, initially = null]) => [type, { type, shape, from, initially }]),
  );
}

const data = rules(ofData);
const secretKeys = rules(ofSecretKeys);
const pairs: Readonly<Record<number, Readonly<Record<number, AttributeRules>>>> = {
  [cko.publicKey]: { [ckk.rsa]: rules(ofRsaPublicKeys), [ckk.ec]: rules(ofEcPublicKeys) },
  [cko.privateKey]: { [ckk.rsa]: rules(ofRsaPrivateKeys), [ckk.ec]: rules(ofEcPrivateKeys) },
};

/** Null: there are no such objects here. */
export function rulesOf(objectClass: number, keyType: number): AttributeRules | null {
  if (objectClass === cko.data) return data;
  if (objectClass !== cko.secretKey) return pairs[objectClass]?.[keyType] ?? null;
  return keyType === ckk.aes || keyType === ckk.genericSecret ? secretKeys : null;
}

/** What C_CreateObject must be told (footnote 1). */
export function neededToCreate(objectClass: number, keyType: number): readonly number[] {
  const isRsa = keyType === ckk.rsa;
  switch (objectClass) {
    case cko.secretKey:
      return [cka.value];
    case cko.publicKey:
      return isRsa ? [cka.modulus, cka.publicExponent] : [cka.ecParams, cka.ecPoint];
    case cko.privateKey:
      return isRsa ? [cka.modulus, cka.privateExponent] : [cka.ecParams, cka.value];
    default:
      return [];
  }
}

/** Not shown of a sensitive or unextractable key (footnote 7). */
export const secretParts: readonly number[] = [
  cka.value,
  cka.privateExponent,
  cka.prime1,
  cka.prime2,
  cka.exponent1,
  cka.exponent2,
  cka.coefficient,
];
