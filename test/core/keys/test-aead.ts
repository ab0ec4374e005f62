/** An `Aead` for tests of what is bound to a seal: a tag over everything, and bytes that are not the plaintext. */
import { ByteWriter } from "../../../src/core/bytes.js";
import { RollingHash } from "../../../src/core/hash.js";
import { dataKeyId } from "../../../src/core/keys/data-key-id.js";
import type { Aead, DataKeyId } from "../../../src/core/ports/aead.js";

export class TestAead implements Aead {
  readonly sealBytes = 16;
  readonly held = new Set<DataKeyId>();
  /** How many were made and sealed: each id, and each nonce, once. */
  #made = 0;
  #sealed = 0;

  generate(): DataKeyId {
    const id = testKeyId(++this.#made);
    this.held.add(id);
    return id;
  }

  holds(key: DataKeyId): boolean {
    return this.held.has(key);
  }

  seal(key: DataKeyId, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const writer = new ByteWriter();
    writer.u53(++this.#sealed);
    writer.bytes(masked(plaintext));
    this.#tag(writer, key, associatedData);
    return writer.finish();
  }

  open(key: DataKeyId, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    if (sealed.length < this.sealBytes) return null;
    const writer = new ByteWriter();
    writer.bytes(sealed.subarray(0, -8));
    this.#tag(writer, key, associatedData);
    const expected = writer.finish();
    if (!expected.every((byte, at) => byte === sealed[at])) return null;
    return masked(sealed.subarray(8, -8));
  }

  wrapFor(key: DataKeyId, publicKey: Uint8Array): Uint8Array | null {
    if (publicKey.length === 0) return null;
    const hash = new RollingHash();
    hash.text(key);
    hash.bytes(publicKey);
    const writer = new ByteWriter();
    for (const word of hash.digest()) writer.u32(word);
    return writer.finish();
  }

  drop(key: DataKeyId): void {
    this.held.delete(key);
  }

  #tag(writer: ByteWriter, key: DataKeyId, associatedData: Uint8Array): void {
    if (!this.held.has(key)) throw new Error(`key ${key} is used and not held`);
    const hash = new RollingHash();
    hash.text(key);
    hash.word(associatedData.length);
    hash.bytes(associatedData);
    hash.bytes(writer.written());
    for (const word of hash.digest()) writer.u32(word);
  }
}

export function testKeyId(n: number): DataKeyId {
  return dataKeyId(Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? n : 7)));
}

function masked(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ 0xa5);
}
