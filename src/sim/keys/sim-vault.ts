/** The data keys of one simulated process: gone with it, as everything that is only in memory. */
import { putU53 } from "../../core/bytes.js";
import { blobHead, encodeBlob, nameOfPublicKey } from "../../core/hsm/blob.js";
import { concat } from "../../core/hsm/der.js";
import { hexOf } from "../../core/hsm/hex.js";
import { dataKeyId } from "../../core/keys/data-key-id.js";
import type { Aead, DataKeyId } from "../../core/ports/aead.js";
import { nextWord, type RandomState } from "../../core/random.js";
import { cheapDigest, openBytes, sealBytes } from "../hsm/cheap-mixing.js";
import { wrapForCheap } from "../hsm/cheap-oaep.js";

/** What happens to keys here, for oracles that look on. */
export interface KeyWatch {
  /** A key was made, or has come: its bytes must be seen nowhere. */
  keyHeld(id: DataKeyId, key: Uint8Array): void;
  keyDropped(id: DataKeyId): void;
  sealed(id: DataKeyId, nonce: Uint8Array, associatedData: Uint8Array): void;
}

const keyLength = 32;
const idLength = 16;
const prefixLength = 16;
const nonceLength = 24;
const tagLength = 16;
const nothing = new Uint8Array(0);

export class SimVault implements Aead {
  readonly sealBytes: number = nonceLength + tagLength;
  readonly #random: RandomState;
  readonly #watch: KeyWatch;
  readonly #keys = new Map<DataKeyId, Uint8Array>();
  /** Of this process. */
  readonly #prefix: Uint8Array;
  #count = 0;

  constructor(random: RandomState, watch: KeyWatch) {
    this.#random = random;
    this.#watch = watch;
    this.#prefix = this.#randomBytes(prefixLength);
  }

  generate(): DataKeyId {
    const id = dataKeyId(this.#randomBytes(idLength));
    this.hold(id, this.#randomBytes(keyLength));
    return id;
  }

  holds(id: DataKeyId): boolean {
    return this.#keys.has(id);
  }

  /** For the HSM of the same node, which has unwrapped it. */
  hold(id: DataKeyId, key: Uint8Array): void {
    this.#keys.set(id, key);
    this.#watch.keyHeld(id, key);
  }

  seal(id: DataKeyId, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const nonce = new Uint8Array(nonceLength);
    nonce.set(this.#prefix);
    putU53(nonce, prefixLength, ++this.#count);
    this.#watch.sealed(id, nonce, associatedData);
    return concat(nonce, sealBytes(this.#keys.get(id)!, "vault", nonce, associatedData, plaintext));
  }

  open(id: DataKeyId, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    if (sealed.length < this.sealBytes) return null;
    const nonce = sealed.subarray(0, nonceLength);
    const body = sealed.subarray(nonceLength);
    return openBytes(this.#keys.get(id)!, "vault", nonce, associatedData, body);
  }

  /** As SoftHSM can open it: by OAEP with SHA-1. */
  wrapFor(id: DataKeyId, publicKey: Uint8Array): Uint8Array | null {
    const random = (count: number): Uint8Array => this.#randomBytes(count);
    const body = wrapForCheap(publicKey, this.#keys.get(id)!, random, "sha1");
    if (body === null) return null;
    const owner = nameOfPublicKey(hexOf(cheapDigest("sha256", publicKey)));
    const head = blobHead("rsa-oaep-sha1", "secret", owner, cheapDigest("sha256", nothing));
    return encodeBlob({ ...head, iv: nothing, body });
  }

  drop(id: DataKeyId): void {
    this.#keys.delete(id);
    this.#watch.keyDropped(id);
  }

  #randomBytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    let word = 0;
    for (let at = 0; at < count; at++) {
      if ((at & 3) === 0) word = nextWord(this.#random);
      bytes[at] = word >>> (8 * (at & 3));
    }
    return bytes;
  }
}
