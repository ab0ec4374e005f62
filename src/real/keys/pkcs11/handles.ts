import { randomBytes } from "node:crypto";
import type { Handle } from "../../../core/hsm/cryptoki/calls.js";
import { MalformedCallError } from "./malformed.js";

export type HandleKind = "session" | "object";

const handleBytes = 8;
const tagBytes = 4;
const rememberedMax = 4096;
const letters = { session: "s", object: "o" } as const;

/**
 * Handles of a library as opaque strings: a tag of this process, what it is a handle of, and its
 * bytes. Libraries count from 1 in every process, so that a handle of an earlier one would name
 * something else: here it is malformed, and so is that of an object in the place of a session's.
 */
export class Handles {
  readonly #tag = randomBytes(tagBytes).toString("hex");
  /** Spares reading the same strings again and again. */
  readonly #remembered = new Map<Handle, Buffer>();

  toString(kind: HandleKind, native: Buffer): Handle {
    return `${this.#tag}${letters[kind]}${native.toString("hex")}`;
  }

  /** Throws `MalformedCallError`. */
  toNative(kind: HandleKind, handle: Handle): Buffer {
    const known = this.#remembered.get(handle);
    if (known !== undefined && handle[this.#tag.length] === letters[kind]) return known;
    const native = this.#parse(kind, handle);
    if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
    this.#remembered.set(handle, native);
    return native;
  }

  #parse(kind: HandleKind, handle: Handle): Buffer {
    const start = `${this.#tag}${letters[kind]}`;
    const hex =
      typeof handle === "string" && handle.startsWith(start) ? handle.slice(start.length) : "";
    if (!/^[0-9a-f]{16}$/.test(hex)) throw new MalformedCallError(`no ${kind} of this process`);
    const native = Buffer.from(hex, "hex");
    if (native.length !== handleBytes) throw new MalformedCallError("a handle has 8 bytes");
    return native;
  }
}
