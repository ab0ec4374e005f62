/**
 * What plain data must look like before anybody works with it: bytes of a peer, a client or a file
 * are unpacked (plain.ts) and then held against a shape, which says yes or no and never throws.
 */
import { isId } from "./ids.js";

export type Shape<T> = (value: unknown) => value is T;

/** A whole number from `min` to `max`; branded ids are such numbers too. */
export function whole<T extends number = number>(
  min = 0,
  max: number = Number.MAX_SAFE_INTEGER,
): Shape<T> {
  return (value): value is T =>
    typeof value === "number" && isId(value) && value >= min && value <= max;
}

/** Printable ASCII, so that it may go into logs and on terminals as it is. */
export function ascii(charsMax: number): Shape<string> {
  return (value): value is string =>
    typeof value === "string" && value.length <= charsMax && /^[\x20-\x7e]*$/.test(value);
}

export function flag(value: unknown): value is boolean {
  return typeof value === "boolean";
}

export function oneOf<T extends string>(...names: readonly T[]): Shape<T> {
  return (value): value is T => names.some((name) => name === value);
}

export function list<T>(of: Shape<T>, lengthMax: number): Shape<readonly T[]> {
  return (value): value is readonly T[] =>
    Array.isArray(value) && value.length <= lengthMax && value.every((item) => of(item));
}

/** An object with exactly these fields. */
export function fields<T extends object>(of: {
  readonly [Key in keyof T]: Shape<T[Key]>;
}): Shape<T> {
  const names = Object.keys(of) as (keyof T & string)[];
  return (value): value is T => {
    if (!isRecord(value) || Object.keys(value).length !== names.length) return false;
    return names.every((name) => Object.hasOwn(value, name) && of[name](value[name]));
  };
}

/** One of several kinds of object, told apart by their field `kind`. */
export function kinds<T extends { readonly kind: string }>(of: {
  readonly [Kind in T["kind"]]: Shape<Omit<OfKind<T, Kind>, "kind">>;
}): Shape<T> {
  const shapes = of as Readonly<Record<string, Shape<unknown>>>;
  return (value): value is T => {
    if (!isRecord(value)) return false;
    const { kind, ...rest } = value;
    return typeof kind === "string" && Object.hasOwn(shapes, kind) && shapes[kind]!(rest);
  };
}

type OfKind<T, Kind> = T extends { readonly kind: infer Own }
  ? Kind extends Own
    ? T
    : never
  : never;

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return !(value instanceof Map) && !(value instanceof Uint8Array);
}
