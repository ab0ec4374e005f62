/**
 * What lasts of a simulated token: its name, its PIN, its objects and its generator. Modules come and
 * go, and several may use one token at once; objects of sessions and handles are theirs.
 */
import { type RandomState, nextWord, seededRandom } from "../../core/random.js";

export interface TokenObject {
  readonly attributes: Map<number, Uint8Array>;
}

export interface DurableTokenOptions {
  readonly label: string;
  readonly serial: string;
  readonly pin: string;
  /** Of all keys, ids and IVs that the token makes. Four 32-bit words. */
  readonly seed: readonly [number, number, number, number];
  /** Objects that fit; default: any number. */
  readonly objectsMax?: number;
}

export class DurableToken {
  readonly label: string;
  readonly serial: string;
  readonly objectsMax: number;
  readonly objects: Set<TokenObject> = new Set();
  pin: string;
  /** Since the last right one. */
  wrongPins = 0;
  locked = false;
  readonly #random: RandomState;

  constructor({ label, serial, pin, seed, objectsMax = Infinity }: DurableTokenOptions) {
    this.label = label;
    this.serial = serial;
    this.pin = pin;
    this.objectsMax = objectsMax;
    this.#random = seededRandom(seed);
  }

  random(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    let word = 0;
    for (let at = 0; at < count; at++) {
      if ((at & 3) === 0) word = nextWord(this.#random);
      bytes[at] = word >>> (8 * (at & 3));
    }
    return bytes;
  }

  /** Equal to this one, and its own from here on. Modules stay with theirs. */
  clone(): DurableToken {
    const { label, serial, pin, objectsMax } = this;
    const copy = new DurableToken({ label, serial, pin, objectsMax, seed: [0, 0, 0, 0] });
    copy.wrongPins = this.wrongPins;
    copy.locked = this.locked;
    for (const [at, word] of this.#random.entries()) copy.#random[at] = word;
    for (const { attributes } of this.objects) {
      const copied = [...attributes].map(([type, bytes]) => [type, bytes.slice()] as const);
      copy.objects.add({ attributes: new Map(copied) });
    }
    return copy;
  }
}
