/** The `Aead` port of the real world: data keys in this process's memory, XAES-256-GCM over them. */
import { createHash, createPublicKey, type KeyObject, randomBytes } from "node:crypto";
import { assert } from "../../core/assert.js";
import { putU53 } from "../../core/bytes.js";
import { blobHead, encodeBlob, nameOfPublicKey } from "../../core/hsm/blob.js";
import type { Aead, DataKeyId } from "../../core/ports/aead.js";
import { oaepEncrypt } from "./software/primitives.js";
import { Xaes, xaesKeyBytes, xaesNonceBytes, xaesTagBytes } from "./xaes.js";

/** No more data keys than this are held at once. */
export const dataKeysMax = 65_536;

const idBytes = 16;
const prefixBytes = 16;
const publicKeyBytesMax = 4_096;
const modulusBitsMin = 2_048;
const modulusBitsMax = 8_192;

interface Held {
  readonly key: Uint8Array;
  readonly cipher: Xaes;
}

/** What an `Hsm` of the same process sees of a vault. Not exported to users: a key is never shown. */
export interface DataKeys {
  /** A view, to be read at once; null: not held. */
  bytesOf(id: DataKeyId): Uint8Array | null;
  /** Copies them. False: no data key, or no room. */
  hold(id: DataKeyId, bytes: Uint8Array): boolean;
}

export let dataKeysOf: (vault: Vault) => DataKeys;

export interface VaultOptions {
  /**
   * For `wrapFor`. Default `rsa-oaep-sha256`; the other one is for owners whose tokens can do no better, as
   * those of SoftHSM (policy P16).
   */
  readonly wrapsBy?: "rsa-oaep-sha256" | "rsa-oaep-sha1";
}

export class Vault implements Aead {
  readonly sealBytes: number = xaesNonceBytes + xaesTagBytes;
  /**
   * A nonce is 16 random bytes, drawn once for this object's life, and a count of all its seals. The
   * count keeps nonces of one life apart, whichever the key. Two lives, also those of other nodes that
   * hold the same data key, meet only where they drew the same 128 bits: after 2^32 starts that has a
   * chance of 2^-65. Nothing has to be stored, so nothing can be restored from too old a copy; only a
   * memory image that is taken and run twice would repeat a nonce.
   */
  readonly #prefix: Uint8Array = randomBytes(prefixBytes);
  #seals = 0;
  readonly #keys = new Map<DataKeyId, Held>();
  readonly #wrapsBy: "rsa-oaep-sha256" | "rsa-oaep-sha1";

  constructor({ wrapsBy = "rsa-oaep-sha256" }: VaultOptions = {}) {
    this.#wrapsBy = wrapsBy;
  }

  generate(): DataKeyId {
    const id = randomBytes(idBytes).toString("hex") as DataKeyId;
    const key = randomBytes(xaesKeyBytes);
    this.#hold(id, key);
    key.fill(0);
    return id;
  }

  holds(key: DataKeyId): boolean {
    return this.#keys.has(key);
  }

  seal(key: DataKeyId, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const { cipher } = this.#held(key);
    const sealed = new Uint8Array(xaesNonceBytes + plaintext.length + xaesTagBytes);
    const nonce = sealed.subarray(0, xaesNonceBytes);
    assert(this.#seals < Number.MAX_SAFE_INTEGER, "seals are counted exactly");
    nonce.set(this.#prefix);
    putU53(nonce, prefixBytes, ++this.#seals);
    sealed.set(cipher.seal(nonce, associatedData, plaintext), xaesNonceBytes);
    return sealed;
  }

  open(key: DataKeyId, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const { cipher } = this.#held(key);
    if (sealed.length < xaesNonceBytes + xaesTagBytes) return null;
    const nonce = sealed.subarray(0, xaesNonceBytes);
    return cipher.open(nonce, associatedData, sealed.subarray(xaesNonceBytes));
  }

  wrapFor(key: DataKeyId, publicKey: Uint8Array): Uint8Array | null {
    const { key: bytes } = this.#held(key);
    const owner = wrappingKeyOf(publicKey);
    if (owner === null) return null;
    const hash = this.#wrapsBy === "rsa-oaep-sha1" ? "sha1" : "sha256";
    const wrapped = oaepEncrypt(owner, hash, bytes);
    if (wrapped === null) return null;
    // Of the key written anew: DER from elsewhere may be spelt in more than one way.
    const spki = owner.export({ type: "spki", format: "der" });
    const owned = nameOfPublicKey(sha256(spki).toString("hex"));
    const head = blobHead(this.#wrapsBy, "secret", owned, sha256(none));
    return encodeBlob({ ...head, iv: none, body: wrapped });
  }

  drop(key: DataKeyId): void {
    const held = this.#keys.get(key);
    if (held === undefined) return;
    held.key.fill(0);
    held.cipher.wipe();
    this.#keys.delete(key);
  }

  /** Wipes all that is held. */
  close(): void {
    for (const key of this.#keys.keys()) this.drop(key);
  }

  #held(key: DataKeyId): Held {
    const held = this.#keys.get(key);
    assert(held !== undefined, "only data keys that are held are used", { key });
    return held;
  }

  #hold(id: DataKeyId, key: Uint8Array): void {
    this.drop(id);
    assert(this.#keys.size < dataKeysMax, "data keys are dropped before there is no room for more");
    this.#keys.set(id, { key: new Uint8Array(key), cipher: new Xaes(key) });
  }

  /** For the HSM of the same process, which wraps and unwraps data keys. */
  static #forHsm(vault: Vault): DataKeys {
    return {
      bytesOf: (id) => vault.#keys.get(id)?.key ?? null,
      hold: (id, bytes) => {
        const room = vault.#keys.size < dataKeysMax || vault.#keys.has(id);
        if (bytes.length !== xaesKeyBytes || !room) return false;
        vault.#hold(id, bytes);
        return true;
      },
    };
  }

  static {
    dataKeysOf = (vault) => Vault.#forHsm(vault);
  }
}

const none: Uint8Array = new Uint8Array(0);

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** Null: not an RSA key of a size that is strong enough and can be worked with. */
function wrappingKeyOf(publicKey: Uint8Array): KeyObject | null {
  if (publicKey.length > publicKeyBytesMax) return null;
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
  } catch {
    return null;
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const usable =
    key.asymmetricKeyType === "rsa" && bits >= modulusBitsMin && bits <= modulusBitsMax;
  return usable ? key : null;
}
