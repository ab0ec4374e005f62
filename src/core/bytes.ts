/**
 * Little-endian fields in byte arrays. The reader never throws: what is not there sets `failed` and
 * reads as zero, so that a decoder checks once at the end, and before every allocation.
 */
import { assert } from "./assert.js";

export const emptyBytes: Uint8Array = new Uint8Array(0);

const high = 0x1_0000_0000;
const scratch = new DataView(new ArrayBuffer(8));

/** Grows as needed and can be used again after `reset`. */
export class ByteWriter {
  #buffer: Uint8Array;
  /** Bytes written since the last `reset`. */
  length = 0;

  constructor(capacityBytes = 256) {
    this.#buffer = new Uint8Array(capacityBytes);
  }

  reset(): void {
    this.length = 0;
  }

  u8(n: number): void {
    const at = this.#room(1);
    this.#buffer[at] = n;
  }

  u16(n: number): void {
    const at = this.#room(2);
    this.#buffer[at] = n;
    this.#buffer[at + 1] = n >>> 8;
  }

  u32(n: number): void {
    const at = this.#room(4);
    putU32(this.#buffer, at, n);
  }

  /** A number below 2^53, as a u64. */
  u53(n: number): void {
    const at = this.#room(8);
    putU53(this.#buffer, at, n);
  }

  /** IEEE 754; every NaN as the same quiet one. */
  f64(n: number): void {
    scratch.setFloat64(0, n, true);
    this.u32(Number.isNaN(n) ? 0 : scratch.getUint32(0, true));
    this.u32(Number.isNaN(n) ? 0x7ff8_0000 : scratch.getUint32(4, true));
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#buffer.set(bytes, at);
  }

  /** A u32 length, then the bytes. */
  varbytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.bytes(bytes);
  }

  /** Overwrites a u32 that was written before. */
  patchU32(at: number, n: number): void {
    assert(at + 4 <= this.length, "only written bytes are patched", { at });
    putU32(this.#buffer, at, n);
  }

  /** A view of what was written, until more is. */
  written(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    const copy = allocateBytes(this.length);
    copy.set(this.#buffer.subarray(0, this.length));
    return copy;
  }

  #room(count: number): number {
    const at = this.length;
    const needed = at + count;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, at));
      this.#buffer = grown;
    }
    this.length = needed;
    return at;
  }
}

/** Reads `bytes[from, to)`. Once `failed`, it stays so. */
export class ByteReader {
  failed = false;
  at: number;
  readonly #bytes: Uint8Array;
  readonly #to: number;

  constructor(bytes: Uint8Array, from = 0, to: number = bytes.length) {
    this.#bytes = bytes;
    this.at = from;
    this.#to = to;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#to - this.at;
  }

  /** True when nothing was missing and nothing is left. */
  get complete(): boolean {
    return !this.failed && this.at === this.#to;
  }

  u8(): number {
    return this.#take(1) ? this.#bytes[this.at++]! : 0;
  }

  u16(): number {
    if (!this.#take(2)) return 0;
    const at = this.at;
    this.at = at + 2;
    return this.#bytes[at]! | (this.#bytes[at + 1]! << 8);
  }

  u32(): number {
    if (!this.#take(4)) return 0;
    const at = this.at;
    this.at = at + 4;
    return getU32(this.#bytes, at);
  }

  /** A u64 that is below 2^53; any other fails. */
  u53(): number {
    if (!this.#take(8)) return 0;
    const n = getU53(this.#bytes, this.at);
    if (n < 0) {
      this.failed = true;
      return 0;
    }
    this.at += 8;
    return n;
  }

  /** A u64 that is below 2^32; any other fails. */
  wide32(): number {
    const n = this.u53();
    if (n > 0xffff_ffff) this.failed = true;
    return n;
  }

  /** One byte, 0 or 1; any other fails. */
  flag(): boolean {
    const n = this.u8();
    if (n > 1) this.failed = true;
    return n === 1;
  }

  f64(): number {
    const low = this.u32();
    const top = this.u32();
    scratch.setUint32(0, low, true);
    scratch.setUint32(4, top, true);
    return scratch.getFloat64(0, true);
  }

  /** A view of the next `count` bytes, not a copy. */
  bytes(count: number): Uint8Array {
    if (!this.#take(count)) return emptyBytes;
    const from = this.at;
    this.at = from + count;
    return this.#bytes.subarray(from, this.at);
  }

  /** A u32 length of at most `bytesMax`, then a view of so many bytes. */
  varbytes(bytesMax = 0xffff_ffff): Uint8Array {
    const count = this.u32();
    if (count > bytesMax) this.failed = true;
    return this.bytes(count);
  }

  #take(count: number): boolean {
    if (this.failed || count > this.#to - this.at) {
      this.failed = true;
      return false;
    }
    return true;
  }
}

/**
 * Small arrays are views of a shared slab, which costs a tenth of an array of its own. One that is
 * kept keeps its slab: so what is passed on and what is kept have slabs apart.
 */
class Slab {
  readonly #slabBytes: number;
  #bytes: Uint8Array;
  #used = 0;

  constructor(slabBytes: number) {
    this.#slabBytes = slabBytes;
    this.#bytes = new Uint8Array(slabBytes);
  }

  take(count: number): Uint8Array {
    // Above this an array of its own costs less than what it would waste.
    if (count > this.#slabBytes / 8) return new Uint8Array(count);
    if (this.#used + count > this.#slabBytes) {
      this.#bytes = new Uint8Array(this.#slabBytes);
      this.#used = 0;
    }
    const bytes = new Uint8Array(this.#bytes.buffer, this.#used, count);
    this.#used += (count + 7) & ~7;
    return bytes;
  }
}

const passing = new Slab(65_536);
const keeping = new Slab(4096);

/** Zeros, for what lives no longer than a message or a write; what may live longer is copied. */
export function allocateBytes(count: number): Uint8Array {
  return passing.take(count);
}

/** A copy to keep, of what may be a view of much more. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  const copy = keeping.take(bytes.length);
  copy.set(bytes);
  return copy;
}

export function putU32(bytes: Uint8Array, at: number, n: number): void {
  bytes[at] = n;
  bytes[at + 1] = n >>> 8;
  bytes[at + 2] = n >>> 16;
  bytes[at + 3] = n >>> 24;
}

export function getU32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

/** `n` is a whole number from 0 to 2^53 - 1; eight bytes. */
export function putU53(bytes: Uint8Array, at: number, n: number): void {
  putU32(bytes, at, n | 0);
  putU32(bytes, at + 4, n < high ? 0 : (n / high) | 0);
}

/** The u64 at `at`, or -1 when it is 2^53 or more. */
export function getU53(bytes: Uint8Array, at: number): number {
  const top = getU32(bytes, at + 4);
  // Most are small, and then never a float.
  if (top === 0) return getU32(bytes, at);
  return top > 0x1f_ffff ? -1 : top * high + getU32(bytes, at);
}

/** Byte by byte, a shorter one before its extensions: negative, 0 or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = a[at]! - b[at]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** A string of one character (0 to 255) per byte: a Map key that is ordered as the bytes are. */
export function bytesKey(bytes: Uint8Array): string {
  let key = "";
  if (bytes.length <= 24) {
    for (let at = 0; at < bytes.length; at++) key += String.fromCharCode(bytes[at]!);
    return key;
  }
  for (let from = 0; from < bytes.length; from += charsPerCall) {
    key += fromCharCodes(bytes.subarray(from, from + charsPerCall));
  }
  return key;
}

/** The inverse of `bytesKey`. */
export function keyBytes(key: string): Uint8Array {
  const bytes = new Uint8Array(key.length);
  for (let at = 0; at < key.length; at++) bytes[at] = key.charCodeAt(at);
  return bytes;
}

/** A call takes its arguments on the stack, so long strings are made in pieces. */
const charsPerCall = 4096;

function fromCharCodes(units: ArrayLike<number>): string {
  return String.fromCharCode.apply(null, units as number[]);
}

/** UTF-8; a lone surrogate becomes U+FFFD. */
export function utf8Encode(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  let to = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.codePointAt(at)!;
    if (code < 0x80) {
      bytes[to++] = code;
    } else if (code < 0x800) {
      bytes[to++] = 0xc0 | (code >> 6);
      bytes[to++] = 0x80 | (code & 0x3f);
    } else if (code < 0x1_0000) {
      const unit = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
      bytes[to++] = 0xe0 | (unit >> 12);
      bytes[to++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[to++] = 0x80 | (unit & 0x3f);
    } else {
      at++;
      bytes[to++] = 0xf0 | (code >> 18);
      bytes[to++] = 0x80 | ((code >> 12) & 0x3f);
      bytes[to++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[to++] = 0x80 | (code & 0x3f);
    }
  }
  return bytes.slice(0, to);
}

/** Null when the bytes are not UTF-8 (RFC 3629: no overlong forms, no surrogates). */
export function utf8Decode(bytes: Uint8Array): string | null {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at++]!;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      continue;
    }
    const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    if (more === 0 || first > 0xf4 || at + more > bytes.length) return null;
    let code = first & (0x3f >> more);
    for (let n = 0; n < more; n++) {
      const next = bytes[at++]!;
      if ((next & 0xc0) !== 0x80) return null;
      code = (code << 6) | (next & 0x3f);
    }
    if (code < utf8Least[more]! || code > 0x10_ffff || (code >= 0xd800 && code <= 0xdfff)) {
      return null;
    }
    text += String.fromCodePoint(code);
  }
  return text;
}

/** The least code point that needs so many further bytes. */
const utf8Least = [0, 0x80, 0x800, 0x1_0000] as const;
