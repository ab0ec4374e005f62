/**
 * Byte strings of any length in rows of one size, in a few large arrays: what is kept so costs the
 * collector nothing. A string that is too long for a row goes on in further ones.
 *
 * A row is u32 next (0: none) · payload; the first row of a string begins with its u32 length.
 */
import { getU32, putU32 } from "../bytes.js";

export class Slab {
  readonly #rowBytes: number;
  readonly #rowsPerArray: number;
  readonly #arrays: Uint8Array[] = [];
  /** Row 0 is nobody's, so that 0 can mean none. */
  #used = 1;
  /** Rows given back, each linked to the next. */
  #free = 0;

  constructor(rowBytes: number, rowsPerArray = 512) {
    this.#rowBytes = rowBytes;
    this.#rowsPerArray = rowsPerArray;
  }

  /** Rows that are in use or were. */
  get rows(): number {
    return this.#used - 1;
  }

  /** The row under which the bytes are kept. */
  put(bytes: Uint8Array): number {
    const first = this.#take();
    let room = this.#rowBytes - firstHeadBytes;
    this.#write(first, 4, bytes.length);
    this.#fill(first, firstHeadBytes, bytes.subarray(0, room));
    let row = first;
    for (let at = room; at < bytes.length; at += room) {
      room = this.#rowBytes - headBytes;
      const next = this.#take();
      this.#write(row, 0, next);
      this.#fill(next, headBytes, bytes.subarray(at, at + room));
      row = next;
    }
    this.#write(row, 0, 0);
    return first;
  }

  /** A copy of what is kept under `first`. */
  get(first: number): Uint8Array {
    const bytes = new Uint8Array(this.#read(first, 4));
    let from = firstHeadBytes;
    let row = first;
    for (let at = 0; at < bytes.length; row = this.#read(row, 0)) {
      const count = Math.min(this.#rowBytes - from, bytes.length - at);
      const start = this.#at(row) + from;
      bytes.set(this.#array(row).subarray(start, start + count), at);
      at += count;
      from = headBytes;
    }
    return bytes;
  }

  remove(first: number): void {
    for (let row = first; row !== 0;) {
      const next = this.#read(row, 0);
      this.#write(row, 0, this.#free);
      this.#free = row;
      row = next;
    }
  }

  #take(): number {
    if (this.#free !== 0) {
      const row = this.#free;
      this.#free = this.#read(row, 0);
      return row;
    }
    if (Math.floor(this.#used / this.#rowsPerArray) === this.#arrays.length) {
      this.#arrays.push(new Uint8Array(this.#rowsPerArray * this.#rowBytes));
    }
    return this.#used++;
  }

  #fill(row: number, from: number, bytes: Uint8Array): void {
    this.#array(row).set(bytes, this.#at(row) + from);
  }

  #read(row: number, from: number): number {
    return getU32(this.#array(row), this.#at(row) + from);
  }

  #write(row: number, from: number, value: number): void {
    putU32(this.#array(row), this.#at(row) + from, value);
  }

  #array(row: number): Uint8Array {
    return this.#arrays[Math.floor(row / this.#rowsPerArray)]!;
  }

  #at(row: number): number {
    return (row % this.#rowsPerArray) * this.#rowBytes;
  }
}

const headBytes = 4;
const firstHeadBytes = 8;
