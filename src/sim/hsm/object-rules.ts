/** What becomes of an object's attributes as templates come, what may be read, and what is found. */
import { equalBytes } from "../../core/bytes.js";
import type { Template } from "../../core/hsm/cryptoki/calls.js";
import { cka, ckk, cko, ckr } from "../../core/hsm/cryptoki/constants.js";
import {
  type ObjectAttributes,
  attributeBytes,
  attributesOf,
  isSet,
  numberOf,
  numbersIn,
  ulongBytes,
} from "./attribute-bytes.js";
import {
  type AttributeRule,
  type AttributeRules,
  type Origin,
  rulesOf,
  secretParts,
} from "./attribute-rules.js";
import type { ModuleContext } from "./context.js";

/** CK_UNAVAILABLE_INFORMATION. */
const unavailable: Uint8Array = new Uint8Array(ulongBytes).fill(0xff);

/** Of an object of which nobody has said anything yet. */
export function firstAttributes(
  rules: AttributeRules,
  objectClass: number,
  keyType: number | null,
): Map<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>();
  for (const { type, shape, initially } of rules.values()) {
    const unknown = shape === "number" ? unavailable.slice() : new Uint8Array(0);
    attributes.set(type, initially === null ? unknown : attributeBytes(initially));
  }
  attributes.set(cka.class, attributeBytes(objectClass));
  if (attributes.has(cka.keyType)) attributes.set(cka.keyType, attributeBytes(keyType ?? 0));
  if (objectClass === cko.publicKey) attributes.set(cka.private, attributeBytes(false));
  return attributes;
}

/** One after the other, up to the first that is refused: 0, or why. */
export function applyTemplate(
  context: ModuleContext,
  attributes: Map<number, Uint8Array>,
  template: Template,
  origin: Origin,
): number {
  const rules = rulesOf(numberOf(attributes, cka.class), numberOf(attributes, cka.keyType))!;
  // It is compared with the value.
  const isLate = ({ type }: Template[number]): boolean => type === cka.checkValue;
  const ordered = [...template.filter((one) => !isLate(one)), ...template.filter(isLate)];
  for (const { type, value } of ordered) {
    const rule = rules.get(type);
    if (rule === undefined) return ckr.attributeTypeInvalid;
    const bytes = attributeBytes(value);
    const rv = fault(context, attributes, rule, bytes, origin);
    if (rv !== ckr.ok) return rv;
    attributes.set(type, rule.shape === "numbers" ? asSet(bytes) : bytes);
    follow(context, attributes, type, origin);
  }
  return ckr.ok;
}

function fault(
  context: ModuleContext,
  attributes: ObjectAttributes,
  rule: AttributeRule,
  bytes: Uint8Array,
  origin: Origin,
): number {
  if (!hasShape(rule, bytes, origin)) return ckr.attributeValueInvalid;
  if (!rule.from.includes(origin)) {
    // Many modules want to be told how long what they unwrap is.
    const isLength = rule.type === cka.valueLen && origin === "unwrap";
    const taken = isLength && context.profile.valueLenOnUnwrap !== "forbidden";
    if (!taken) return ckr.attributeReadOnly;
  }
  return specialFault(context, attributes, rule.type, bytes, origin);
}

function hasShape({ shape }: AttributeRule, bytes: Uint8Array, origin: Origin): boolean {
  switch (shape) {
    case "flag":
      return bytes.length === 1;
    case "number":
      return bytes.length === ulongBytes;
    case "numbers":
      return origin === "set" || (bytes.length > 0 && bytes.length % ulongBytes === 0);
    case "nothing":
      return origin === "set" || bytes.length === 0;
    default:
      return true;
  }
}

/** What an attribute demands beyond its table. */
function specialFault(
  context: ModuleContext,
  attributes: ObjectAttributes,
  type: number,
  bytes: Uint8Array,
  origin: Origin,
): number {
  const readOnly = (is: boolean): number => (is ? ckr.attributeReadOnly : ckr.ok);
  const isTrue = bytes[0] === 1;
  switch (type) {
    case cka.class:
    case cka.keyType: {
      const same = equalBytes(attributes.get(type)!, bytes);
      return same ? ckr.ok : ckr.templateInconsistent;
    }
    // Secrets only become more of one.
    case cka.sensitive:
      return readOnly(origin === "set" && isSet(attributes, type));
    case cka.extractable:
      return readOnly(origin === "set" && !isSet(attributes, type));
    // Only the security officer says so.
    case cka.trusted:
      return readOnly(isTrue);
    case cka.alwaysAuthenticate:
      return isTrue && !isSet(attributes, cka.private) ? ckr.templateInconsistent : ckr.ok;
    case cka.checkValue: {
      const same = bytes.length === 0 || equalBytes(bytes, checkValueOf(context, attributes));
      return same ? ckr.ok : ckr.attributeValueInvalid;
    }
    default:
      return ckr.ok;
  }
}

/** What changes with an attribute. */
function follow(
  context: ModuleContext,
  attributes: Map<number, Uint8Array>,
  type: number,
  origin: Origin,
): void {
  const is = isSet(attributes, type);
  if (type === cka.sensitive && (!is || origin === "generate")) {
    attributes.set(cka.alwaysSensitive, attributeBytes(is));
  }
  if (type === cka.extractable && is) attributes.set(cka.neverExtractable, attributeBytes(false));
  if (origin !== "create") return;
  if (type === cka.modulus && attributes.has(cka.modulusBits)) {
    attributes.set(cka.modulusBits, attributeBytes(bitsOf(attributes.get(type)!)));
  }
  if (type === cka.value && attributes.has(cka.valueLen)) setSecret(context, attributes);
}

/** Length and check value of the secret that is there. */
export function setSecret(context: ModuleContext, attributes: Map<number, Uint8Array>): void {
  attributes.set(cka.valueLen, attributeBytes(attributes.get(cka.value)!.length));
  attributes.set(cka.checkValue, checkValueOf(context, attributes));
}

function checkValueOf({ crypto }: ModuleContext, attributes: ObjectAttributes): Uint8Array {
  const isAes = numberOf(attributes, cka.keyType) === ckk.aes;
  return crypto.checkValue(isAes, attributes.get(cka.value) ?? new Uint8Array(0));
}

function bitsOf(number: Uint8Array): number {
  const at = number.findIndex((byte) => byte !== 0);
  return at < 0 ? 0 : 8 * (number.length - at) + 24 - Math.clz32(number[at]!);
}

function asSet(bytes: Uint8Array): Uint8Array {
  const sorted = [...new Set(numbersIn(bytes))].toSorted((a, b) => a - b);
  return attributeBytes(sorted);
}

/** It was made here, and shows by its attributes what it ever was. */
export function markGenerated(attributes: Map<number, Uint8Array>, mechanism: number): void {
  attributes.set(cka.local, attributeBytes(true));
  attributes.set(cka.keyGenMechanism, attributeBytes(mechanism));
  if (!attributes.has(cka.sensitive)) return;
  attributes.set(cka.alwaysSensitive, attributeBytes(isSet(attributes, cka.sensitive)));
  attributes.set(cka.neverExtractable, attributeBytes(!isSet(attributes, cka.extractable)));
}

/** Nobody knows where it was. */
export function markForeign(attributes: Map<number, Uint8Array>): void {
  for (const type of [cka.local, cka.alwaysSensitive, cka.neverExtractable]) {
    if (attributes.has(type)) attributes.set(type, attributeBytes(false));
  }
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
    if (found === undefined || isHidden(attributes, type) || !equalBytes(found, bytes))
      return false;
  }
  return true;
}

/** 0, or why nothing of `template` is set. */
export function changeAttributes(
  context: ModuleContext,
  attributes: Map<number, Uint8Array>,
  template: Template,
): number {
  if (!isSet(attributes, cka.modifiable)) return ckr.actionProhibited;
  const changed = new Map(attributes);
  const rv = applyTemplate(context, changed, template, "set");
  if (rv === ckr.ok) for (const [type, bytes] of changed) attributes.set(type, bytes);
  return rv;
}

/** The named attributes of a template, as a search wants them. */
export function namesIn(template: Template): readonly ObjectAttributes[] {
  const objectClass = template.filter(({ type }) => type === cka.class);
  return template
    .filter(({ type }) => type === cka.label || type === cka.id)
    .map((name) => attributesOf([...objectClass, name]));
}
