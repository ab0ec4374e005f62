/** Objects of the fake token, and how their attributes are read. */
import type { Template, TokenAnswer } from "../../../src/core/hsm/cryptoki/calls.js";
import { cka, cko, ckr } from "../../../src/core/hsm/cryptoki/constants.js";

export interface FakeObject {
  readonly attributes: Map<number, Uint8Array>;
  /** What the key really is: 32 bytes, shared by both halves of a pair. */
  readonly secret: Uint8Array;
  /** Null: of the token. Else the session that it goes with. */
  readonly session: string | null;
  readonly serial: number;
}

export const madeHere: Template = [
  { type: cka.local, value: true },
  { type: cka.alwaysSensitive, value: true },
  { type: cka.neverExtractable, value: true },
];
export const cameIn: Template = [
  { type: cka.local, value: false },
  { type: cka.alwaysSensitive, value: false },
  { type: cka.neverExtractable, value: false },
];

export function readOf(object: FakeObject, types: readonly number[]): TokenAnswer {
  const values: Uint8Array[] = [];
  const hidden = object.attributes.get(cka.sensitive)?.[0] === 1;
  for (const type of types) {
    if (type === cka.value && numberOf(object, cka.class) !== cko.data) {
      if (hidden) return refused(ckr.attributeSensitive);
      values.push(object.secret);
      continue;
    }
    const value = object.attributes.get(type);
    if (value === undefined) return refused(ckr.attributeTypeInvalid);
    values.push(value);
  }
  return ok(values);
}

export function numberOf(object: FakeObject, type: number): number {
  return object.attributes.get(type)?.[0] ?? -1;
}

export function raw(value: Template[number]["value"]): Uint8Array {
  if (typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  if (typeof value === "number") {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    return bytes;
  }
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}

export function ok(value: unknown): TokenAnswer {
  return { rv: 0, value: value as never };
}

export function refused(rv: number): TokenAnswer {
  return { rv, value: null };
}
