/**
 * What a template may say, what an object holds that nobody said, what may be read and what may be
 * changed: PKCS#11 v2.40, sections 4.1 and 4.4 to 4.9, as SoftHSM 2.6.1 keeps it.
 */
import type { AttributeValue, Template } from "../../core/hsm/cryptoki/calls.js";
import { cka, ckk, cko, ckr } from "../../core/hsm/cryptoki/constants.js";
import {
  type ObjectAttributes,
  attributeBytes,
  attributesOf,
  isSet,
  numberOf,
  numbersIn,
} from "./attribute-bytes.js";

/** How an object comes to be. */
export type Origin = "create" | "generate" | "unwrap";

/** Nobody may say these: they tell what happened. */
const computed: readonly number[] = [
  cka.local,
  cka.alwaysSensitive,
  cka.neverExtractable,
  cka.keyGenMechanism,
];
const secretParts: readonly number[] = [
  cka.value,
  cka.privateExponent,
  cka.prime1,
  cka.prime2,
  cka.exponent1,
  cka.exponent2,
  cka.coefficient,
];
const notIn: Readonly<Record<Origin, readonly number[]>> = {
  create: [cka.valueLen, cka.modulusBits],
  generate: [...secretParts, cka.modulus, cka.ecPoint],
  unwrap: [...secretParts, cka.modulus],
};
const fixed: readonly number[] = [
  ...computed,
  ...secretParts,
  cka.class,
  cka.token,
  cka.private,
  cka.keyType,
  cka.modifiable,
  cka.destroyable,
  cka.modulus,
  cka.modulusBits,
  cka.publicExponent,
  cka.ecParams,
  cka.ecPoint,
  cka.valueLen,
  cka.alwaysAuthenticate,
  cka.allowedMechanisms,
  cka.trusted,
];

const empty: Uint8Array = new Uint8Array(0);
/** CK_UNAVAILABLE_INFORMATION. */
const unavailable: Uint8Array = new Uint8Array(8).fill(0xff);

const storageDefaults: Template = [
  { type: cka.token, value: false },
  { type: cka.private, value: true },
  { type: cka.modifiable, value: true },
  { type: cka.destroyable, value: true },
  { type: cka.label, value: empty },
];
const keyDefaults: Template = [
  ...storageDefaults,
  { type: cka.id, value: empty },
  { type: cka.startDate, value: empty },
  { type: cka.endDate, value: empty },
  { type: cka.derive, value: false },
  { type: cka.local, value: false },
  { type: cka.keyGenMechanism, value: unavailable },
  { type: cka.allowedMechanisms, value: [] },
];
const hiddenDefaults: Template = [
  { type: cka.sensitive, value: false },
  { type: cka.extractable, value: false },
  { type: cka.alwaysSensitive, value: false },
  { type: cka.neverExtractable, value: false },
  { type: cka.wrapWithTrusted, value: false },
];
const defaults: Readonly<Record<number, Template>> = {
  [cko.data]: [
    ...storageDefaults,
    { type: cka.application, value: empty },
    { type: cka.value, value: empty },
  ],
  [cko.secretKey]: [
    ...keyDefaults,
    ...hiddenDefaults,
    { type: cka.trusted, value: false },
    ...usable(cka.encrypt, cka.decrypt, cka.wrap, cka.unwrap, cka.sign, cka.verify),
  ],
  [cko.privateKey]: [
    ...keyDefaults,
    ...hiddenDefaults,
    { type: cka.alwaysAuthenticate, value: false },
    ...usable(cka.decrypt, cka.unwrap, cka.sign),
  ],
  [cko.publicKey]: [
    ...keyDefaults,
    { type: cka.private, value: false },
    { type: cka.trusted, value: false },
    ...usable(cka.encrypt, cka.wrap, cka.verify),
  ],
};

function usable(...types: readonly number[]): Template {
  return types.map((type) => ({ type, value: true }));
}

/** More that an object of its kind may be given. */
function material(objectClass: number, keyType: number | null): readonly number[] {
  if (objectClass === cko.secretKey) return [cka.value, cka.valueLen];
  const isPublic = objectClass === cko.publicKey;
  if (keyType !== ckk.rsa) return [cka.ecParams, isPublic ? cka.ecPoint : cka.value];
  const shared = [cka.modulus, cka.publicExponent];
  return isPublic ? [...shared, cka.modulusBits] : [...shared, ...secretParts];
}

/** 0, or why the template is refused. `lengthIsGiven`: CKA_VALUE_LEN may be. */
export function templateFault(
  template: Template,
  kind: { readonly origin: Origin; readonly objectClass: number; readonly keyType: number | null },
  lengthIsGiven: boolean,
): number {
  const { origin, objectClass, keyType } = kind;
  const known = defaults[objectClass];
  if (known === undefined) return ckr.attributeValueInvalid;
  const others = [cka.class, cka.keyType, ...material(objectClass, keyType)];
  for (const { type, value } of template) {
    if (!others.includes(type) && !known.some((row) => row.type === type)) {
      return ckr.attributeTypeInvalid;
    }
    const isNotGiven = notIn[origin].includes(type) || (type === cka.valueLen && !lengthIsGiven);
    if (computed.includes(type) || isNotGiven) return ckr.attributeReadOnly;
    if (!hasShape(type, value)) return ckr.attributeValueInvalid;
    // Only the security officer says so.
    if (type === cka.trusted && value === true) return ckr.attributeReadOnly;
  }
  return ckr.ok;
}

/** Flags have one byte, numbers those of a CK_ULONG. */
function hasShape(type: number, value: AttributeValue): boolean {
  const { length } = attributeBytes(value);
  if (numeric.includes(type)) return length === 8;
  return !flags.includes(type) || length === 1;
}

const numeric: readonly number[] = [
  cka.class,
  cka.keyType,
  cka.valueLen,
  cka.modulusBits,
  cka.keyGenMechanism,
];
const flags: readonly number[] = [
  ...new Set(
    Object.values(defaults).flatMap((rows) =>
      rows.filter(({ value }) => typeof value === "boolean").map(({ type }) => type),
    ),
  ),
];

/** All that an object holds which began as `template` and got `material`. */
export function completed(
  template: Template,
  objectClass: number,
  material: ObjectAttributes,
  generatedBy: number | null,
): Map<number, Uint8Array> {
  const attributes = new Map([
    ...attributesOf(defaults[objectClass] ?? []),
    ...attributesOf(template),
    ...material,
  ]);
  attributes.set(cka.class, attributeBytes(objectClass));
  // Kept as a set.
  const allowed = new Set(numbersIn(attributes.get(cka.allowedMechanisms) ?? empty));
  if (allowed.size > 0) {
    const sorted = [...allowed].toSorted((a, b) => a - b);
    attributes.set(cka.allowedMechanisms, attributeBytes(sorted));
  }
  if (objectClass === cko.secretKey) {
    attributes.set(cka.valueLen, attributeBytes(attributes.get(cka.value)?.length ?? 0));
  }
  if (objectClass === cko.publicKey && numberOf(attributes, cka.keyType) === ckk.rsa) {
    attributes.set(cka.modulusBits, attributeBytes(8 * (attributes.get(cka.modulus)?.length ?? 0)));
  }
  if (generatedBy === null) return attributes;
  attributes.set(cka.local, attributeBytes(true));
  attributes.set(cka.keyGenMechanism, attributeBytes(generatedBy));
  if (!attributes.has(cka.sensitive)) return attributes;
  attributes.set(cka.alwaysSensitive, attributeBytes(isSet(attributes, cka.sensitive)));
  attributes.set(cka.neverExtractable, attributeBytes(!isSet(attributes, cka.extractable)));
  return attributes;
}

/** The value of one attribute, or why it is not shown. */
export function readAttribute(attributes: ObjectAttributes, type: number): Uint8Array | number {
  const value = attributes.get(type);
  if (value === undefined) return ckr.attributeTypeInvalid;
  return isHidden(attributes, type) ? ckr.attributeSensitive : value.slice();
}

function isHidden(attributes: ObjectAttributes, type: number): boolean {
  if (!secretParts.includes(type) || !attributes.has(cka.sensitive)) return false;
  return isSet(attributes, cka.sensitive) || !isSet(attributes, cka.extractable);
}

/** Of a search. What is not shown is not compared either. */
export function matches(attributes: ObjectAttributes, wanted: ObjectAttributes): boolean {
  for (const [type, bytes] of wanted) {
    const found = attributes.get(type);
    if (found === undefined || isHidden(attributes, type) || found.length !== bytes.length) {
      return false;
    }
    if (found.some((byte, at) => byte !== bytes[at])) return false;
  }
  return true;
}

/** 0, or why nothing of `template` is set. Secrets only become more of one. */
export function changeFault(attributes: ObjectAttributes, template: Template): number {
  if (!isSet(attributes, cka.modifiable)) return ckr.actionProhibited;
  for (const { type, value } of template) {
    if (!attributes.has(type)) return ckr.attributeTypeInvalid;
    if (!hasShape(type, value)) return ckr.attributeValueInvalid;
    const isData = numberOf(attributes, cka.class) === cko.data && type === cka.value;
    if (fixed.includes(type) && !isData) return ckr.attributeReadOnly;
    // Not even to what it is.
    const isFinal =
      type === cka.extractable
        ? !isSet(attributes, type)
        : (type === cka.sensitive || type === cka.wrapWithTrusted) && isSet(attributes, type);
    if (isFinal) return ckr.attributeReadOnly;
  }
  return ckr.ok;
}
