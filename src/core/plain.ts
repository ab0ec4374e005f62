/**
 * Plain data: null, booleans, numbers, strings, arrays, objects, byte arrays, and Maps keyed by
 * numbers or strings. The state of every machine is made of it, so that one helper gives each its
 * digest and its packed form; a round trip keeps the digest.
 *
 * Keys of an object are taken in sorted order, those of a Map as they were inserted. -0 counts as 0.
 */
import { InvariantError, assert } from "./assert.js";
import { ByteReader, ByteWriter, bytesKey, keyBytes } from "./bytes.js";
import { RollingHash } from "./hash.js";

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type Plain =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Plain[]
  | ReadonlyMap<number, Plain>
  | ReadonlyMap<string, Plain>
  | { readonly [key: string]: Plain };

export type UnpackError = {
  /** `end`: too short or too long. `tag`, `key`, `depth`: the value at `offset` is not one of ours. */
  readonly code: "end" | "tag" | "key" | "depth";
  readonly offset: number;
};

export type Unpacked = { readonly ok: Plain } | { readonly error: UnpackError };

/** How deep arrays, objects and Maps may lie in each other. */
export const plainDepthMax = 64;

const tag = {
  null: 0,
  false: 1,
  true: 2,
  /** An i32. */
  int: 3,
  float: 4,
  /** Every unit below 256: u32 length, bytes. */
  latin: 5,
  /** u32 length, u16 units. */
  text: 6,
  bytes: 7,
  /** u32 count, then values. */
  array: 8,
  /** u32 count, then sorted keys (strings) and values. */
  object: 9,
  /** u32 count, then keys (numbers or strings) and values. */
  map: 10,
} as const;

/** Two 32-bit words, equal for equal data. Anything but plain data is a broken invariant. */
export function digestOf(plain: unknown): [number, number] {
  const hash = new RollingHash();
  fold(hash, plain, 0);
  return hash.digest();
}

/** The same data as bytes, canonical: equal data gives equal bytes. */
export function pack(plain: unknown): Uint8Array {
  const writer = new ByteWriter();
  write(writer, plain, 0);
  return writer.finish();
}

/** Any bytes give plain data or a typed error. Byte arrays inside are copies. */
export function unpack(bytes: Uint8Array): Unpacked {
  const reader = new ByteReader(bytes);
  const source: Source = { reader, error: null };
  const plain = read(source, 0);
  if (source.error !== null) return { error: source.error };
  if (!reader.complete) return { error: { code: "end", offset: reader.at } };
  return { ok: plain };
}

function fold(hash: RollingHash, value: unknown, depth: number): void {
  if (typeof value === "number") {
    foldNumber(hash, value);
  } else if (typeof value === "boolean") {
    hash.word(value ? tag.true : tag.false);
  } else if (value === null) {
    hash.word(tag.null);
  } else if (typeof value === "object") {
    foldObject(hash, value, depth + 1);
  } else if (typeof value === "string") {
    hash.word(tag.text);
    hash.text(value);
  } else {
    throw notPlain(typeof value);
  }
}

function foldObject(hash: RollingHash, value: object, depth: number): void {
  assert(depth <= plainDepthMax, "plain data is at most so deep", { depth });
  if (value instanceof Uint8Array) {
    hash.word(tag.bytes);
    hash.bytes(value);
  } else if (Array.isArray(value)) {
    hash.word(tag.array);
    hash.word(value.length);
    for (let at = 0; at < value.length; at++) fold(hash, value[at], depth);
  } else if (value instanceof Map) {
    hash.word(tag.map);
    hash.word(value.size);
    for (const [key, item] of value as ReadonlyMap<unknown, unknown>) {
      fold(hash, checkKey(key), depth);
      fold(hash, item, depth);
    }
  } else {
    const { order, digest } = shapeOf(value);
    hash.word(tag.object);
    hash.word(digest[0]);
    hash.word(digest[1]);
    // All values in one call: to look each up by its name costs more than to hash it.
    const values: readonly unknown[] = Object.values(value);
    for (let at = 0; at < order.length; at++) fold(hash, values[order[at]!], depth);
  }
}

const doubles = new DataView(new ArrayBuffer(8));

function foldNumber(hash: RollingHash, n: number): void {
  if ((n | 0) === n) {
    hash.word(tag.int);
    hash.word(n);
    return;
  }
  doubles.setFloat64(0, n, true);
  hash.word(tag.float);
  // Engines may keep any of many NaNs; they are one number.
  hash.word(Number.isNaN(n) ? 0 : doubles.getInt32(0, true));
  hash.word(Number.isNaN(n) ? 0x7ff8_0000 : doubles.getInt32(4, true));
}

function write(writer: ByteWriter, value: unknown, depth: number): void {
  switch (typeof value) {
    case "number":
      if ((value | 0) === value) {
        writer.u8(tag.int);
        writer.u32(value);
      } else {
        writer.u8(tag.float);
        writer.f64(value);
      }
      return;
    case "string":
      writeText(writer, value);
      return;
    case "boolean":
      writer.u8(value ? tag.true : tag.false);
      return;
    case "object":
      if (value === null) writer.u8(tag.null);
      else writeObject(writer, value, depth + 1);
      return;
    default:
      throw notPlain(typeof value);
  }
}

function writeObject(writer: ByteWriter, value: object, depth: number): void {
  assert(depth <= plainDepthMax, "plain data is at most so deep", { depth });
  if (value instanceof Uint8Array) {
    writer.u8(tag.bytes);
    writer.varbytes(value);
  } else if (Array.isArray(value)) {
    writer.u8(tag.array);
    writer.u32(value.length);
    for (const item of value as readonly unknown[]) write(writer, item, depth);
  } else if (value instanceof Map) {
    writer.u8(tag.map);
    writer.u32(value.size);
    for (const [key, item] of value as ReadonlyMap<unknown, unknown>) {
      write(writer, checkKey(key), depth);
      write(writer, item, depth);
    }
  } else {
    const { sorted } = shapeOf(value);
    writer.u8(tag.object);
    writer.u32(sorted.length);
    for (const key of sorted) {
      writeText(writer, key);
      write(writer, (value as Record<string, unknown>)[key], depth);
    }
  }
}

function writeText(writer: ByteWriter, text: string): void {
  let wide = 0;
  for (let at = 0; at < text.length; at++) wide |= text.charCodeAt(at);
  if (wide < 256) {
    writer.u8(tag.latin);
    writer.varbytes(keyBytes(text));
    return;
  }
  writer.u8(tag.text);
  writer.u32(text.length);
  for (let at = 0; at < text.length; at++) writer.u16(text.charCodeAt(at));
}

interface Source {
  readonly reader: ByteReader;
  error: UnpackError | null;
}

function read(source: Source, depth: number): Plain {
  const { reader } = source;
  const offset = reader.at;
  const kind = reader.u8();
  if (reader.failed) return refuse(source, "end", offset);
  switch (kind) {
    case tag.null:
      return null;
    case tag.false:
      return false;
    case tag.true:
      return true;
    case tag.int:
      return reader.u32() | 0;
    case tag.float:
      return reader.f64();
    case tag.latin:
      return bytesKey(reader.varbytes());
    case tag.text:
      return readText(reader);
    case tag.bytes:
      return reader.varbytes().slice();
    case tag.array:
    case tag.object:
    case tag.map:
      if (depth >= plainDepthMax) return refuse(source, "depth", offset);
      if (kind === tag.array) return readArray(source, depth + 1);
      return kind === tag.map ? readMap(source, depth + 1) : readObject(source, depth + 1);
    default:
      return refuse(source, "tag", offset);
  }
}

function readText(reader: ByteReader): string {
  const count = reader.u32();
  if (count * 2 > reader.left) {
    reader.failed = true;
    return "";
  }
  const units: string[] = [];
  for (let n = 0; n < count; n++) units.push(String.fromCharCode(reader.u16()));
  return units.join("");
}

function readArray(source: Source, depth: number): Plain {
  const count = source.reader.u32();
  const items: Plain[] = [];
  for (let n = 0; n < count && going(source); n++) items.push(read(source, depth));
  return items;
}

function readMap(source: Source, depth: number): Plain {
  const count = source.reader.u32();
  const map = new Map<number | string, Plain>();
  for (let n = 0; n < count && going(source); n++) {
    const offset = source.reader.at;
    const key = read(source, depth);
    if ((typeof key !== "number" && typeof key !== "string") || map.has(key)) {
      return refuse(source, "key", offset);
    }
    map.set(key, read(source, depth));
  }
  return map as ReadonlyMap<string, Plain>;
}

function readObject(source: Source, depth: number): Plain {
  const count = source.reader.u32();
  const object: Record<string, Plain> = {};
  let before: string | null = null;
  for (let n = 0; n < count && going(source); n++) {
    const offset = source.reader.at;
    const key = read(source, depth);
    // A setter of Object.prototype must not be reached by bytes from elsewhere.
    const sound =
      typeof key === "string" && key !== "__proto__" && (before === null || key > before);
    if (!sound) return refuse(source, "key", offset);
    object[key] = read(source, depth);
    before = key;
  }
  return object;
}

/** False once anything is wrong: a count alone must not keep a loop running. */
function going(source: Source): boolean {
  if (source.reader.failed) refuse(source, "end", source.reader.at);
  return source.error === null;
}

/** The first error counts, and what is cut short is nothing worse than short. */
function refuse(source: Source, code: UnpackError["code"], offset: number): null {
  source.error ??= { code: source.reader.failed ? "end" : code, offset };
  return null;
}

/** The keys of an object: as they are found in it, sorted, and a digest of the sorted ones. */
interface Shape {
  readonly found: readonly string[];
  readonly sorted: readonly string[];
  /** Where each of the sorted keys stands among those found. */
  readonly order: readonly number[];
  readonly digest: readonly [number, number];
}

/** States are made of few shapes: to sort and hash their keys anew costs more than all the rest. */
const shapes: Shape[][] = [];
/** So many are remembered for each number of keys, and so many such numbers. */
const shapesMax = 64;
const keysMax = 256;

function shapeOf(value: object): Shape {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw notPlain("class");
  const found = Object.keys(value);
  if (found.length >= keysMax) return newShape(found);
  const known = (shapes[found.length] ??= []);
  for (let at = 0; at < known.length; at++) {
    if (sameKeys(known[at]!.found, found)) return known[at]!;
  }
  const shape = newShape(found);
  if (known.length < shapesMax) known.push(shape);
  return shape;
}

function newShape(found: readonly string[]): Shape {
  // By units, as an unadorned `sort` does.
  const order = found.map((_, at) => at).sort((a, b) => (found[a]! < found[b]! ? -1 : 1));
  const sorted = order.map((at) => found[at]!);
  const hash = new RollingHash();
  hash.word(sorted.length);
  for (const key of sorted) hash.text(key);
  return { found, sorted, order, digest: hash.digest() };
}

/** Of equal length. */
function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

function checkKey(key: unknown): number | string {
  if (typeof key === "number" || typeof key === "string") return key;
  throw notPlain(`key: ${typeof key}`);
}

function notPlain(type: string): InvariantError {
  return new InvariantError("state is plain data", { type });
}
