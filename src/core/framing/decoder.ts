/** Cuts a stream of bytes, arriving in any pieces, into whole frames. */
import { assert } from "../assert.js";
import { getU32 } from "../bytes.js";
import { type Checksum, crc32 } from "../crc32.js";
import {
  type FrameRole,
  earlyFrameBytesMax,
  frameBytesLargest,
  frameBytesMaxDefault,
  frameType,
} from "./frame-types.js";
import {
  type Malformed,
  checkFrame,
  frameOverheadBytes,
  frameVersion,
  malformed,
} from "./frame.js";

export interface FrameDecoderOptions {
  /** What the other end's certificate makes of it. */
  readonly role: FrameRole;
  /** Of a whole frame, after the greeting; 4 MiB unless given, at most 100 MB. */
  readonly bytesMax?: number;
  readonly checksum?: Checksum;
}

/** Length, version, type: enough to refuse a frame before there is any room for it. */
const prefixBytes = 6;
const roomBytesLeast = 4096;

/**
 * `push` a piece, then call `next` until it gives null. A malformed frame ends the stream: where the
 * next one would begin can't be known, so every later `next` gives the same error.
 *
 * Between calls it holds at most one unfinished frame, and room for no more than twice the bytes of
 * it that have arrived.
 */
export class FrameDecoder {
  readonly #role: FrameRole;
  readonly #checksum: Checksum;
  readonly #bytesMaxLater: number;
  #greeted = false;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** The beginning of a frame whose end is not there yet. */
  #partial: Uint8Array = new Uint8Array(0);
  #held = 0;
  #broken: Malformed | null = null;

  constructor(options: FrameDecoderOptions) {
    this.#role = options.role;
    this.#checksum = options.checksum ?? crc32;
    this.#bytesMaxLater = options.bytesMax ?? frameBytesMaxDefault;
    assert(this.#bytesMaxLater <= frameBytesLargest, "no link allows more than the largest frame");
  }

  /** From now on the link's own limit holds, and all types may come. */
  greeted(): void {
    this.#greeted = true;
  }

  /** Bytes that wait for the rest of their frame. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Bytes of the buffer they wait in. */
  get roomBytes(): number {
    return this.#partial.length;
  }

  /** The piece belongs to the decoder; frames may be views of it. */
  push(piece: Uint8Array): void {
    assert(this.#at === this.#piece.length, "all frames of a piece are taken before the next");
    if (this.#broken !== null) return;
    this.#piece = piece;
    this.#at = 0;
  }

  /** The next whole frame, sound but for its body; null when more bytes are needed. */
  next(): Uint8Array | Malformed | null {
    if (this.#broken !== null) return this.#broken;
    const taken = this.#held === 0 ? this.#whole() : this.#assembled();
    if (taken instanceof Uint8Array) {
      const broken = checkFrame(taken, this.#checksum, this.#bytesMaxLater);
      return broken === null ? taken : this.#fail(broken);
    }
    return taken === null ? null : this.#fail(taken);
  }

  /** A frame that lies in the piece as a whole is not copied. */
  #whole(): Uint8Array | Malformed | null {
    const left = this.#piece.length - this.#at;
    if (left >= prefixBytes) {
      const sizeBytes = this.#admit(this.#piece, this.#at);
      if (typeof sizeBytes !== "number") return sizeBytes;
      if (sizeBytes <= left) {
        this.#at += sizeBytes;
        return this.#piece.subarray(this.#at - sizeBytes, this.#at);
      }
    }
    return left === 0 ? null : this.#assembled();
  }

  #assembled(): Uint8Array | Malformed | null {
    if (this.#held < prefixBytes) this.#take(prefixBytes);
    if (this.#held < prefixBytes) return null;
    const sizeBytes = this.#admit(this.#partial, 0);
    if (typeof sizeBytes !== "number") return sizeBytes;
    this.#take(sizeBytes);
    if (this.#held < sizeBytes) return null;
    const whole =
      this.#partial.length === sizeBytes ? this.#partial : this.#partial.slice(0, sizeBytes);
    this.#partial = new Uint8Array(0);
    this.#held = 0;
    return whole;
  }

  /** Moves bytes over until `goal` are held or the piece is used up. */
  #take(goal: number): void {
    const count = Math.min(goal - this.#held, this.#piece.length - this.#at);
    const needed = this.#held + count;
    if (needed > this.#partial.length) {
      const roomBytes = Math.max(Math.min(goal, needed * 2), Math.min(goal, roomBytesLeast));
      const grown = new Uint8Array(roomBytes);
      grown.set(this.#partial.subarray(0, this.#held));
      this.#partial = grown;
    }
    this.#partial.set(this.#piece.subarray(this.#at, this.#at + count), this.#held);
    this.#held = needed;
    this.#at += count;
  }

  /** The size of the frame that begins here, when such a frame may come now. */
  #admit(bytes: Uint8Array, at: number): number | Malformed {
    const sizeBytes = getU32(bytes, at) + 4;
    if (sizeBytes < frameOverheadBytes) return malformed("short", 0);
    const linkBytesMax = this.#greeted ? this.#bytesMaxLater : earlyFrameBytesMax;
    if (sizeBytes > linkBytesMax) return malformed("tooLarge", 0);
    if (bytes[at + 4] !== frameVersion) return malformed("version", 4);
    const known = frameType(bytes[at + 5]!);
    if (known === null) return malformed("type", 5);
    if (!known.early && !this.#greeted) return malformed("early", 5);
    if (!known.roles.includes(this.#role)) return malformed("role", 5);
    if (known.bytesMax !== null && sizeBytes > known.bytesMax) return malformed("tooLarge", 0);
    return sizeBytes;
  }

  #fail(broken: Malformed): Malformed {
    this.#broken = broken;
    this.#piece = new Uint8Array(0);
    this.#at = 0;
    this.#partial = new Uint8Array(0);
    this.#held = 0;
    return broken;
  }
}
