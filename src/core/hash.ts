/**
 * A rolling hash of two 32-bit words: cheap, the same on every engine, and not for secrets. Two
 * lanes of MurmurHash3's x86 mix with different constants, the second fed by the first.
 */

/** Order matters: `word(1)`, `word(2)` differs from `word(2)`, `word(1)`. */
export class RollingHash {
  /** The lanes as they stand, signed; `hex` and `digest` finish them. */
  a: number;
  b: number;

  constructor(seedA = 0, seedB = 0) {
    this.a = seedA | 0;
    this.b = seedB | 0;
  }

  /** Takes the low 32 bits of `w`. */
  word(w: number): void {
    let k = Math.imul(w, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    let a = this.a ^ k;
    a = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
    let b = this.b ^ Math.imul(w ^ a, 0x2c1b3c6d);
    b = (Math.imul((b << 15) | (b >>> 17), 9) + 0x38495ab5) | 0;
    this.a = a;
    this.b = b;
  }

  /** A safe integer, as its low and high word. */
  number(n: number): void {
    this.word(n | 0);
    this.word(Math.floor(n / 0x1_0000_0000));
  }

  /** `bytes[from, to)` and how many they are. */
  bytes(bytes: Uint8Array, from = 0, to: number = bytes.length): void {
    let at = from;
    for (; at + 4 <= to; at += 4) {
      this.word(
        bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24),
      );
    }
    let tail = 0;
    for (let end = to - 1; end >= at; end--) tail = (tail << 8) | bytes[end]!;
    this.word(tail);
    this.word(to - from);
  }

  /** Its UTF-16 units and how many they are. */
  text(text: string): void {
    for (let at = 0; at < text.length; at++) this.word(text.charCodeAt(at));
    this.word(text.length);
  }

  /** Finished words, unsigned. The hash can go on afterwards. */
  digest(): [number, number] {
    const a = mix32(this.a ^ this.b);
    return [a, mix32(this.b + Math.imul(a, 0x9e3779b9))];
  }

  /** The digest as 16 digits. */
  hex(): string {
    const [a, b] = this.digest();
    return hex32(a) + hex32(b);
  }
}

/** MurmurHash3's finaliser: a bijection of 32-bit words in which each bit moves half of all. */
export function mix32(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Eight hex digits. */
export function hex32(word: number): string {
  return word.toString(16).padStart(8, "0");
}
