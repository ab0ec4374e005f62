import type { OracleSpec } from "../oracle.js";

/** So many bytes in a row of something secret are no chance. */
const windowBytes = 8;

/** Values shorter than this are no secrets: keys of the run's own making are looked for besides. */
const secretCharsMin = 24;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Nothing that users write and no key stands in clear on a disk or in what nodes send each other. */
export const noPlaintext: OracleSpec = {
  id: "no-plaintext",
  about:
    "where data is sealed, no 8 bytes of a key or of a client's value stand raw, in hex or in base64 on a disk, in an append or in a snapshot",
  judges: "step",
  make(report) {
    const needles = new Needles();
    // Where nothing is sealed no key ever comes, and nothing is secret.
    let on = false;
    const values: string[] = [];
    return {
      keyHeld(_node, _id, key) {
        on = true;
        needles.add(String.fromCharCode(...key), key);
        for (const value of values.splice(0)) needles.add(value, latin1(value));
      },
      invoked({ planned: { value } }) {
        if (value.length < secretCharsMin) return;
        if (on) needles.add(value, latin1(value));
        else values.push(value);
      },
      wrote(node, file, bytes) {
        if (!on || !needles.in(bytes)) return;
        report({
          message: `node ${node} wrote a secret in clear to ${file}`,
          shape: "a secret is written in clear",
          node,
          group: 0,
        });
      },
      released(node, to, message, frame) {
        const { kind, group } = message;
        if (!on || (kind !== "append" && kind !== "snapshotChunk")) return;
        if (!needles.in(frame)) return;
        report({
          message: `node ${node} sent a secret in clear to node ${to}, in ${kind} of group ${group}`,
          shape: `a secret is sent in clear in ${kind}`,
          node,
          group,
        });
      },
    };
  },
};

/** A secret in one of the ways of writing it down, and how many bytes of it in a row give it away. */
interface Needle {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/**
 * Secrets in every way of writing them down. Of each, words of four bytes are known, so close to each
 * other that every stretch which would give it away has one whole; the bytes around it decide.
 */
class Needles {
  readonly #secrets = new Set<string>();
  readonly #words = new Map<number, { readonly needle: Needle; readonly at: number }[]>();
  /** One bit for the hash of each word: most bytes are none of them. */
  readonly #bits = new Uint32Array(1 << (bitsLog - 5));

  /** `name`: the same as a text. */
  add(name: string, secret: Uint8Array): void {
    if (this.#secrets.has(name)) return;
    this.#secrets.add(name);
    this.#addWritten({ bytes: secret.slice(), length: windowBytes });
    const hex = [...secret].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#addWritten({ bytes: latin1(hex), length: 2 * windowBytes });
    this.#addWritten({ bytes: latin1(hex.toUpperCase()), length: 2 * windowBytes });
    for (const before of [0, 1, 2]) {
      this.#addWritten({ bytes: latin1(base64(secret, before)), length: base64Chars });
    }
  }

  in(bytes: Uint8Array): boolean {
    let word = 0;
    for (let at = 0; at < bytes.length; at++) {
      word = (word << 8) | bytes[at]!;
      const bit = Math.imul(word, 0x9e37_79b1) >>> (32 - bitsLog);
      if (((this.#bits[bit >>> 5]! >>> (bit & 31)) & 1) === 0 || at < 3) continue;
      for (const { needle, at: inNeedle } of this.#words.get(word) ?? []) {
        if (givesAway(needle, inNeedle, bytes, at - 3)) return true;
      }
    }
    return false;
  }

  #addWritten(needle: Needle): void {
    const { bytes, length } = needle;
    for (let at = 0; at + wordBytes <= bytes.length; at += length - wordBytes + 1) {
      if (!isUniform(bytes, at)) this.#addWord(needle, at);
      else this.#addAround(needle, at);
    }
  }

  /** A filling of one byte is in every file: all other words of the stretches that have it are known. */
  #addAround(needle: Needle, uniform: number): void {
    const { bytes, length } = needle;
    const reach = length - wordBytes;
    const end = Math.min(uniform + reach, bytes.length - wordBytes);
    for (let at = Math.max(0, uniform - reach); at <= end; at++) {
      if (!isUniform(bytes, at)) this.#addWord(needle, at);
    }
  }

  #addWord(needle: Needle, at: number): void {
    const word = wordAt(needle.bytes, at);
    const known = this.#words.get(word) ?? [];
    this.#words.set(word, known);
    known.push({ needle, at });
    const bit = Math.imul(word, 0x9e37_79b1) >>> (32 - bitsLog);
    this.#bits[bit >>> 5]! |= 1 << (bit & 31);
  }
}

const wordBytes = 4;

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function isUniform(bytes: Uint8Array, at: number): boolean {
  return wordAt(bytes, at) === Math.imul(bytes[at]!, 0x0101_0101);
}

/** Room for a hundred thousand words, of which one in twenty then is taken for another. */
const bitsLog = 21;

/** A word of the needle stands at `at`: are enough bytes around it the needle's too? */
function givesAway(needle: Needle, inNeedle: number, bytes: Uint8Array, at: number): boolean {
  const shift = at - inNeedle;
  let from = inNeedle;
  while (from > 0 && needle.bytes[from - 1] === bytes[from - 1 + shift]) from--;
  let to = inNeedle + 4;
  while (to < needle.bytes.length && needle.bytes[to] === bytes[to + shift]) to++;
  return to - from >= needle.length;
}

function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** Characters that so many bytes in a row give away whole, wherever they begin: up to 4 bits of it are not. */
const base64Chars = Math.floor((windowBytes * 8 - 4) / 6);

/** The characters that are of `bytes` alone, where so many other bytes stand before them in a group. */
function base64(bytes: Uint8Array, before: number): string {
  let text = "";
  const end = 8 * (before + bytes.length);
  for (let bit = 6 * Math.ceil((8 * before) / 6); bit + 6 <= end; bit += 6) {
    const at = (bit >>> 3) - before;
    const two = (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
    text += alphabet[(two >>> (10 - (bit & 7))) & 63];
  }
  return text;
}
