/** Attributes as a token holds them: bytes by type, numbers as a CK_ULONG of eight bytes. */
import type { Attribute, AttributeValue, Template } from "../../core/hsm/cryptoki/calls.js";

/** CKA_ by type. */
export type ObjectAttributes = ReadonlyMap<number, Uint8Array>;

export const ulongBytes = 8;

export function attributeBytes(value: AttributeValue): Uint8Array {
  if (typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  if (typeof value === "number") return ulong(value);
  if (value instanceof Uint8Array) return value.slice();
  const bytes = new Uint8Array(ulongBytes * value.length);
  for (const [at, number] of value.entries()) bytes.set(ulong(number), ulongBytes * at);
  return bytes;
}

/** The last of several of one type counts. */
export function attributesOf(template: Template): Map<number, Uint8Array> {
  return new Map(template.map(({ type, value }) => [type, attributeBytes(value)]));
}

export function valueIn(template: Template, type: number): Attribute["value"] | undefined {
  return template.find((attribute) => attribute.type === type)?.value;
}

/** The last that is said of `type` and has so many bytes. */
export function lastOf(template: Template, type: number, length: number): Uint8Array | undefined {
  const fits = template
    .filter((attribute) => attribute.type === type)
    .map(({ value }) => attributeBytes(value))
    .filter((bytes) => bytes.length === length);
  return fits.at(-1);
}

/** A CK_ULONG of a template. */
export function numberIn(template: Template, type: number): number | undefined {
  const bytes = lastOf(template, type, ulongBytes);
  return bytes === undefined ? undefined : numbersIn(bytes)[0];
}

export function isSet(attributes: ObjectAttributes, type: number): boolean {
  return attributes.get(type)?.[0] === 1;
}

/** -1: there is none, or it is no number. */
export function numberOf(attributes: ObjectAttributes, type: number): number {
  const bytes = attributes.get(type);
  return bytes === undefined ? -1 : (numbersIn(bytes)[0] ?? -1);
}

export function numbersIn(bytes: Uint8Array): number[] {
  const numbers: number[] = [];
  for (let at = 0; at + ulongBytes <= bytes.length; at += ulongBytes) {
    let number = 0;
    for (let byte = ulongBytes - 1; byte >= 0; byte--) number = number * 256 + bytes[at + byte]!;
    numbers.push(number);
  }
  return numbers;
}

function ulong(number: number): Uint8Array {
  const bytes = new Uint8Array(ulongBytes);
  let left = number;
  for (let at = 0; at < ulongBytes; at++) {
    bytes[at] = left % 256;
    left = Math.floor(left / 256);
  }
  return bytes;
}
