/** The data keys of one simulated process: gone with it, as everything that is only in memory. */
import { putU53 } from "../../core/bytes.js";
import { dataKeyId } from "../../core/keys/data-key-id.js";
import type { Aead, DataKeyId } from "../../core/ports/aead.js";
import { nextWord, type RandomState } from "../../core/random.js";
import {
  type CheapKey,
  bytesOf,
  cheapNonceBytes,
  cheapOpen,
  cheapSeal,
  cheapTagBytes,
  wordsOf,
} from "./cheap-cipher.js";

/** What happens to keys here, for oracles that look on. */
export interface KeyWatch {
  /** A key was made, or has come: its bytes must be seen nowhere. */
  keyHeld(id: DataKeyId, key: Uint8Array): void;
  sealed(id: DataKeyId, nonce: Uint8Array): void;
}

const wordsOfKey = 8;
const prefixBytes = 16;
const nothing = new Uint8Array(0);

export class SimVault implements Aead {
  readonly sealBytes: number = cheapNonceBytes + cheapTagBytes;
  readonly #random: RandomState;
  readonly #watch: KeyWatch;
  readonly #keys = new Map<DataKeyId, CheapKey>();
  /** Of this boot. */
  readonly #prefix: Uint8Array;
  #count = 0;

  constructor(random: RandomState, watch: KeyWatch) {
    this.#random = random;
    this.#watch = watch;
    this.#prefix = this.#randomBytes(prefixBytes);
  }

  generate(): DataKeyId {
    const id = dataKeyId(this.#randomBytes(16));
    this.hold(id, this.#randomBytes(4 * wordsOfKey));
    return id;
  }

  holds(id: DataKeyId): boolean {
    return this.#keys.has(id);
  }

  /** For the HSM of the same node, which has unwrapped it. */
  hold(id: DataKeyId, key: Uint8Array): void {
    this.#keys.set(id, wordsOf(key));
    this.#watch.keyHeld(id, key);
  }

  seal(id: DataKeyId, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const nonce = new Uint8Array(cheapNonceBytes);
    nonce.set(this.#prefix);
    putU53(nonce, prefixBytes, ++this.#count);
    this.#watch.sealed(id, nonce);
    return cheapSeal(this.#keys.get(id)!, nonce, associatedData, plaintext);
  }

  open(id: DataKeyId, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    return cheapOpen(this.#keys.get(id)!, associatedData, sealed);
  }

  wrapFor(id: DataKeyId, publicKey: Uint8Array): Uint8Array | null {
    if (publicKey.length !== 4 * wordsOfKey) return null;
    const nonce = this.#randomBytes(cheapNonceBytes);
    return cheapSeal(wordsOf(publicKey), nonce, nothing, bytesOf(this.#keys.get(id)!));
  }

  drop(id: DataKeyId): void {
    this.#keys.delete(id);
  }

  #randomBytes(count: number): Uint8Array {
    const words = Array.from({ length: Math.ceil(count / 4) }, () => nextWord(this.#random));
    return bytesOf(words).subarray(0, count);
  }
}
