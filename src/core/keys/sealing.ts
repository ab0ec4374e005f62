/**
 * Seals what users write before it is replicated and opens it when it is applied (CONTRACTS 12). The
 * clear header of an entry is the associated data of its seal: moved to another place, group or term
 * it does not open any more.
 */
import { assert } from "../assert.js";
import { ByteWriter } from "../bytes.js";
import type { EntryHeader, Sealer, SealRefusal } from "../consensus.js";
import type { GroupId, Incarnation } from "../ids.js";
import type { Aead } from "../ports/aead.js";
import type { GroupKeys } from "./group-keys.js";

/** First byte of what is bound to a seal: what is sealed as one cannot be opened as the other. */
const sealed = { entry: 1, chunk: 2 } as const;

/** Which chunk of which snapshot. */
export interface ChunkHeader {
  readonly index: number;
  readonly term: number;
  readonly keyEpoch: number;
  /** Of its maker, never used twice: node, boot, count. */
  readonly id: readonly [number, number, number];
  readonly number: number;
  readonly last: boolean;
}

export class GroupSealer implements Sealer {
  /** Replaced with the state that they are part of. */
  keys: GroupKeys;
  readonly #aead: Aead;
  readonly #group: GroupId;
  readonly #incarnation: Incarnation;
  readonly #writer = new ByteWriter(64);

  constructor(keys: GroupKeys, aead: Aead, group: GroupId, incarnation: Incarnation) {
    this.keys = keys;
    this.#aead = aead;
    this.#group = group;
    this.#incarnation = incarnation;
  }

  get keyEpoch(): number {
    return this.keys.epoch;
  }

  refusal(settled: boolean): SealRefusal | null {
    if (this.keys.revoked) return "keyRevoked";
    // An earlier leader may have changed the key, or erased it, in entries that are not applied yet.
    if (!settled) return "notReady";
    return this.holds(this.keys.epoch) ? null : "keysUnavailable";
  }

  /** Whether what is sealed under that epoch can be opened at once. */
  holds(epoch: number): boolean {
    const key = this.keys.at(epoch);
    return key !== null && this.#aead.holds(key.id);
  }

  seal(header: EntryHeader, payload: Uint8Array): Uint8Array {
    const bound = this.#bindEntry(header, payload.length);
    return this.#aead.seal(this.#key(header.keyEpoch), bound, payload);
  }

  open(header: EntryHeader, bytes: Uint8Array): Uint8Array | null {
    const bound = this.#bindEntry(header, bytes.length - this.#aead.sealBytes);
    return this.#aead.open(this.#key(header.keyEpoch), bound, bytes);
  }

  sealChunk(header: ChunkHeader, bytes: Uint8Array): Uint8Array {
    return this.#aead.seal(this.#key(header.keyEpoch), this.#bindChunk(header), bytes);
  }

  openChunk(header: ChunkHeader, bytes: Uint8Array): Uint8Array | null {
    return this.#aead.open(this.#key(header.keyEpoch), this.#bindChunk(header), bytes);
  }

  #key(epoch: number): Parameters<Aead["seal"]>[0] {
    const key = this.keys.at(epoch);
    assert(key !== null, "nothing is sealed or opened under a key that is not there", { epoch });
    return key.id;
  }

  #bindEntry({ term, index, type, keyEpoch }: EntryHeader, lengthBytes: number): Uint8Array {
    const writer = this.#begin(sealed.entry);
    writer.u53(term);
    writer.u53(index);
    writer.u8(type);
    writer.u16(keyEpoch);
    writer.u32(lengthBytes);
    return writer.finish();
  }

  #bindChunk({ index, term, keyEpoch, id, number, last }: ChunkHeader): Uint8Array {
    const writer = this.#begin(sealed.chunk);
    writer.u53(term);
    writer.u53(index);
    writer.u16(keyEpoch);
    for (const part of id) writer.u53(part);
    writer.u32(number);
    writer.u8(last ? 1 : 0);
    return writer.finish();
  }

  #begin(kind: number): ByteWriter {
    const writer = this.#writer;
    writer.reset();
    writer.u8(kind);
    writer.u32(this.#group);
    writer.u32(this.#incarnation);
    return writer;
  }
}

/** Of a group without keys: everything stands in clear. */
export const identitySealer: Sealer = {
  keyEpoch: 0,
  refusal: () => null,
  seal: (_header, payload) => payload,
  open: (_header, sealed) => sealed,
};
