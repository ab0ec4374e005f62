/**
 * What goes between a node and the process of its PKCS#11 library: frames of `u32 length · u32 number ·
 * u8 kind · body`, little-endian, many in one write. Kinds below 128 are calls, numbered in the order in
 * which they are made and answered; the others are control.
 */
import { type ByteReader, type ByteWriter, bytesKey, getU32 } from "../../../core/bytes.js";
import type { TokenFunction } from "../../../core/hsm/cryptoki/calls.js";
import { MalformedCallError } from "./malformed.js";

/** Far above any call or answer within the limits of the executor. */
export const frameBytesMax: number = 4 << 20;
export const lengthBytes: number = 4;
const textBytesMax = 1 << 16;

/** Positions are the kinds on the wire. */
export const functions: readonly TokenFunction[] = [
  "initialize",
  "finalize",
  "slots",
  "mechanisms",
  "openSession",
  "closeSession",
  "sessionInfo",
  "login",
  "logout",
  "find",
  "attributes",
  "setAttributes",
  "createObject",
  "destroyObject",
  "generateKey",
  "generateKeyPair",
  "encrypt",
  "decrypt",
  "sign",
  "verify",
  "wrapKey",
  "unwrapKey",
  "generateRandom",
];

export const control = {
  /** A call that could not be written; its answer is `noCall.malformed`. */
  malformed: 128,
  /** To the child, first of all: `ChildSetup` as JSON. */
  setup: 129,
  /** From the child: the library is loaded. */
  ready: 130,
  /** From the child, its last: `StartFailure` as JSON. */
  failed: 131,
  /** From the child, for people: text. */
  notice: 132,
} as const;

/** Writes one frame. */
export function writeFrame(
  to: ByteWriter,
  number: number,
  kind: number,
  body: (to: ByteWriter) => void,
): void {
  const start = to.length;
  to.u32(0);
  to.u32(number);
  to.u8(kind);
  body(to);
  const length = to.length - start - lengthBytes;
  if (length > frameBytesMax) throw new MalformedCallError(`more than ${frameBytesMax} bytes`);
  to.patchU32(start, length);
}

export function writeText(to: ByteWriter, text: string): void {
  if (typeof text !== "string") throw new MalformedCallError("a text is expected");
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length > textBytesMax) throw new MalformedCallError("a long text");
  to.varbytes(bytes);
}

export function readText(from: ByteReader): string {
  return Buffer.from(from.varbytes(textBytesMax)).toString("utf8");
}

/** Handles are short and ASCII. */
export function writeHandle(to: ByteWriter, handle: string): void {
  if (typeof handle !== "string" || handle.length > 255) {
    throw new MalformedCallError("a handle is expected");
  }
  to.u8(handle.length);
  for (let at = 0; at < handle.length; at++) {
    const code = handle.charCodeAt(at);
    if (code > 127) throw new MalformedCallError("a handle is expected");
    to.u8(code);
  }
}

export function readHandle(from: ByteReader): string {
  return bytesKey(from.bytes(from.u8()));
}

export function writeBytes(to: ByteWriter, bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) throw new MalformedCallError("bytes are expected");
  if (bytes.length > frameBytesMax) throw new MalformedCallError("too many bytes");
  to.varbytes(bytes);
}

/** A copy, as what is read from is wiped and used again (`slice` of a Buffer would be none). */
export function readBytes(from: ByteReader): Uint8Array {
  return new Uint8Array(from.varbytes(frameBytesMax));
}

/** At least `least` bytes each, so that a count cannot ask for more than is there. */
export function readCount(from: ByteReader, least: number): number {
  const count = from.u32();
  if (count * least <= from.left) return count;
  from.failed = true;
  return 0;
}

/**
 * Cuts a stream of bytes into frames. Gives false when it is no stream of frames: nothing after that
 * is to be believed. `each` must take what it needs before it returns.
 */
export class FrameCutter {
  #kept: Buffer = Buffer.alloc(0);

  cut(chunk: Buffer, each: (frame: Buffer) => void): boolean {
    const bytes = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    let at = 0;
    while (bytes.length - at >= lengthBytes) {
      const length = getU32(bytes, at);
      if (length > frameBytesMax) return false;
      const end = at + lengthBytes + length;
      if (end > bytes.length) break;
      each(bytes.subarray(at + lengthBytes, end));
      at = end;
    }
    // A copy of the rest: the chunk may be used again by whoever gave it.
    this.#kept = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
    return true;
  }
}
