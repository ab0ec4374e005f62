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
    let on = false;
    return {
      keyHeld(_node, _id, key) {
        on = true;
        needles.add(key);
      },
      invoked({ planned: { value } }) {
        if (value.length >= secretCharsMin) needles.add(latin1(value));
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

/** Windows of secrets, each in every way of writing it down. */
class Needles {
  readonly #known = new Set<string>();
  /** The first four bytes of each window: most bytes are none of them. */
  readonly #heads = new Set<number>();

  add(secret: Uint8Array): void {
    const name = String.fromCharCode(...secret);
    if (this.#known.has(name)) return;
    this.#known.add(name);
    this.#windows(secret, windowBytes);
    const hex = [...secret].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#windows(latin1(hex), 2 * windowBytes);
    this.#windows(latin1(hex.toUpperCase()), 2 * windowBytes);
    for (const skip of [0, 1, 2]) {
      this.#windows(latin1(base64(secret.subarray(skip))), Math.floor((windowBytes * 4) / 3));
    }
  }

  in(bytes: Uint8Array): boolean {
    let head = 0;
    for (let at = 0; at < bytes.length; at++) {
      head = ((head << 8) | bytes[at]!) >>> 0;
      if (at < 3 || !this.#heads.has(head)) continue;
      for (const length of lengths) {
        const from = at - 3;
        if (from + length > bytes.length) continue;
        if (this.#known.has(String.fromCharCode(...bytes.subarray(from, from + length))))
          return true;
      }
    }
    return false;
  }

  #windows(bytes: Uint8Array, length: number): void {
    for (let at = 0; at + length <= bytes.length; at++) {
      const window = bytes.subarray(at, at + length);
      // A filling of one byte is in every file.
      if (window.every((byte) => byte === window[0])) continue;
      this.#known.add(String.fromCharCode(...window));
      this.#heads.add(
        ((window[0]! << 24) | (window[1]! << 16) | (window[2]! << 8) | window[3]!) >>> 0,
      );
    }
  }
}

const lengths = [windowBytes, 2 * windowBytes, Math.floor((windowBytes * 4) / 3)];

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0) & 0xff);
}

/** Whole groups of three bytes alone. */
function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at + 3 <= bytes.length; at += 3) {
    const word = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    for (const shift of [18, 12, 6, 0]) text += alphabet[(word >>> shift) & 63];
  }
  return text;
}
