/**
 * What a group knows of its data keys, as its log tells it: which epoch is in force, who holds which
 * key, and what is erased. Replicated, in clear, and of no use to who can unwrap nothing of it.
 */
import { assertNever } from "../assert.js";
import { ByteReader, type ByteWriter, copyBytes } from "../bytes.js";
import type { RollingHash } from "../hash.js";
import type { NodeId } from "../ids.js";
import type { DataKeyId } from "../ports/aead.js";
import { putDataKeyId, takeDataKeyId } from "./data-key-id.js";
import { type KeyEntry, epochMax, holdersMax, keyBytesMax, liveEpochsMax } from "./key-entry.js";

/** A data key that is not erased. */
export interface EpochKey {
  readonly epoch: number;
  /** Of the entry by which it came into force. */
  readonly since: number;
  readonly id: DataKeyId;
  /** Wrapped, by node. */
  readonly blobs: Map<NodeId, Uint8Array>;
  readonly recovery: Uint8Array;
  /** Entries that were sealed under it and applied: for policy, not for nonces. */
  entries: number;
}

export class GroupKeys {
  /** In force for new entries; 0: there has been none yet. */
  epoch = 0;
  /** The group has halted: nothing is applied after that. */
  revoked = false;
  /** The key-encryption keys of those that hold the newest data key. */
  readonly holders: Map<NodeId, Uint8Array> = new Map();
  /** By epoch, ascending. */
  #keys: EpochKey[] = [];

  get keys(): readonly EpochKey[] {
    return this.#keys;
  }

  get newest(): EpochKey | null {
    return this.#keys.at(-1) ?? null;
  }

  /** Null: no such key, or it is erased. */
  at(epoch: number): EpochKey | null {
    return this.#keys.find((key) => key.epoch === epoch) ?? null;
  }

  /** False: it does not fit what came before it, and changes nothing. */
  apply(entry: KeyEntry, index: number): boolean {
    if (this.revoked) return false;
    switch (entry.kind) {
      case "rotate":
        return this.#rotate(entry, index);
      case "admit":
        return this.#admit(entry);
      case "erase":
        return this.#erase(entry.below);
      case "revoke":
        this.revoked = true;
        return true;
      default:
        return assertNever(entry);
    }
  }

  /** An entry under that key was applied. */
  count(epoch: number): void {
    const key = this.at(epoch);
    if (key !== null) key.entries++;
  }

  fold(hash: RollingHash): void {
    hash.word(this.epoch * 2 + (this.revoked ? 1 : 0));
    for (const { epoch, entries, blobs } of this.#keys) {
      hash.word(epoch);
      hash.word(entries);
      hash.word(blobs.size);
    }
  }

  write(writer: ByteWriter): void {
    writer.u16(this.epoch);
    writer.u8(this.revoked ? 1 : 0);
    writer.u16(this.holders.size);
    for (const [node, publicKey] of this.holders) {
      writer.u53(node);
      writer.varbytes(publicKey);
    }
    writer.u8(this.#keys.length);
    for (const { epoch, since, id, blobs, recovery, entries } of this.#keys) {
      writer.u16(epoch);
      writer.u53(since);
      putDataKeyId(writer, id);
      writer.u53(entries);
      writer.varbytes(recovery);
      writer.u16(blobs.size);
      for (const [node, blob] of blobs) {
        writer.u53(node);
        writer.varbytes(blob);
      }
    }
  }

  /** False when that is not what `write` wrote; then nothing changed. */
  read(reader: ByteReader): boolean {
    const epoch = reader.u16();
    const revoked = reader.flag();
    const holders = takeMap(reader);
    const keys: EpochKey[] = [];
    const count = reader.u8();
    for (let n = 0; n < count && !reader.failed && n < liveEpochsMax; n++) {
      const of = reader.u16();
      if (of <= (keys.at(-1)?.epoch ?? 0)) return false;
      const since = reader.u53();
      const id = takeDataKeyId(reader);
      const entries = reader.u53();
      const recovery = copyBytes(reader.varbytes(keyBytesMax));
      const blobs = takeMap(reader);
      if (blobs === null) return false;
      keys.push({ epoch: of, since, id, entries, recovery, blobs });
    }
    if (reader.failed || keys.length !== count || holders === null) return false;
    if (epoch !== (keys.at(-1)?.epoch ?? 0)) return false;
    this.epoch = epoch;
    this.revoked = revoked;
    this.holders.clear();
    for (const [node, publicKey] of holders) this.holders.set(node, publicKey);
    this.#keys = keys;
    return true;
  }

  #rotate({ epoch, id, holders, recovery }: KeyEntry & { kind: "rotate" }, since: number): boolean {
    if (epoch !== this.epoch + 1 || epoch > epochMax || this.#keys.length >= liveEpochsMax) {
      return false;
    }
    this.epoch = epoch;
    this.holders.clear();
    const blobs = new Map<NodeId, Uint8Array>();
    for (const { node, publicKey, blob } of holders) {
      this.holders.set(node, copyBytes(publicKey));
      blobs.set(node, copyBytes(blob));
    }
    for (const { blobs: older } of this.#keys) {
      for (const node of older.keys()) if (!blobs.has(node)) older.delete(node);
    }
    this.#keys.push({ epoch, since, id, blobs, recovery: copyBytes(recovery), entries: 0 });
    return true;
  }

  #admit({ node, publicKey, blobs }: KeyEntry & { kind: "admit" }): boolean {
    // Proposed before a rotation or an erasure it would leave the node short of a key.
    const fits =
      blobs.length === this.#keys.length &&
      blobs.length > 0 &&
      blobs.every(({ epoch, id }, at) => {
        const key = this.#keys[at]!;
        return epoch === key.epoch && id === key.id;
      });
    if (!fits || (!this.holders.has(node) && this.holders.size >= holdersMax)) return false;
    this.holders.set(node, copyBytes(publicKey));
    for (const [at, { blob }] of blobs.entries()) this.#keys[at]!.blobs.set(node, copyBytes(blob));
    return true;
  }

  #erase(below: number): boolean {
    if (below > this.epoch || this.#keys.every(({ epoch }) => epoch >= below)) return false;
    this.#keys = this.#keys.filter(({ epoch }) => epoch >= below);
    return true;
  }
}

/** Null: too many, or a node twice. */
function takeMap(reader: ByteReader): Map<NodeId, Uint8Array> | null {
  const map = new Map<NodeId, Uint8Array>();
  const count = reader.u16();
  if (count > holdersMax) return null;
  for (let n = 0; n < count && !reader.failed; n++) {
    const node = reader.u53() as NodeId;
    map.set(node, copyBytes(reader.varbytes(keyBytesMax)));
  }
  return map.size === count ? map : null;
}
