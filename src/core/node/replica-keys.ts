/** The keys of one replica's group as it has applied them, and whether it can open what it must. */
import { assert } from "../assert.js";
import { type ByteReader, type ByteWriter, equalBytes } from "../bytes.js";
import type { Entry, SnapshotMeta } from "../entry.js";
import { RollingHash } from "../hash.js";
import type { NodeId, RequestId } from "../ids.js";
import { type EpochKey, GroupKeys } from "../keys/group-keys.js";
import { decodeKeyEntry } from "../keys/key-entry.js";
import { type ClosedState, openState, readClosedState, sealState } from "../keys/sealed-state.js";
import { GroupSealer } from "../keys/sealing.js";
import type { Marks } from "../marks.js";
import type { DataKeyId } from "../ports/aead.js";
import type { RaftView } from "../raft/view.js";
import type { ReplicatedStore } from "../store/replicated-store.js";
import type { ReplicaKey } from "../wal/log-store.js";
import type { KeyOwner, Keyring } from "./keyring.js";

export interface ReplicaKeysParts {
  readonly keyring: Keyring;
  readonly node: NodeId;
  readonly key: ReplicaKey;
  readonly marks: Marks;
  readonly erased: (ids: readonly DataKeyId[]) => void;
  /** The oldest epoch that is not erased, whenever it may have become another one. */
  readonly floorAt: (epoch: number) => void;
  readonly snapshotId: SnapshotNames;
}

/** Names a snapshot: node, boot and a count. */
export type SnapshotNames = () => readonly [number, number, number];

/** Newer ones push out older ones, which were applied long since. */
const foreseenMax = 64;

/** The state in a snapshot whose key is not there yet. */
export interface Closed {
  readonly snapshot: SnapshotMeta;
  readonly state: Uint8Array;
  /** Of the restore that waits for it. */
  readonly request: RequestId;
}

/** A data key as an entry has it that may not be applied yet, and the node's key that it is wrapped for. */
interface Foreseen {
  readonly publicKey: Uint8Array;
  readonly blob: Uint8Array;
}

/** Of the snapshot that a state is of. */
interface Position {
  readonly index: number;
  readonly term: number;
}

export class ReplicaKeys {
  readonly sealer: GroupSealer;
  /** How often something was said about keys here, by whatever means. */
  version = 0;
  readonly #parts: ReplicaKeysParts;
  /** Of entries that are in the log and maybe not applied yet: wrapped for this node. */
  readonly #foreseen = new Map<DataKeyId, Foreseen>();
  /** Of a snapshot that waits for its key, or was refused for it; null: all that is known is applied. */
  #offered: GroupKeys | null = null;
  /** The newest one that came into the log; it may have been cut off since. */
  #rotation = 0;

  constructor(parts: ReplicaKeysParts) {
    this.#parts = parts;
    const { group, incarnation } = parts.key;
    this.sealer = new GroupSealer(new GroupKeys(), parts.keyring.aead, group, incarnation);
  }

  get keys(): GroupKeys {
    return this.sealer.keys;
  }

  /**
   * An entry came into the log. Who joins is given older keys by an entry that stands behind what is
   * sealed under them. A blob is of use whether the entry is ever committed or not.
   */
  foresee(owner: KeyOwner, { payload, index }: Entry): void {
    const entry = decodeKeyEntry(payload);
    if (entry.kind === "rotate") this.#rotation = index;
    if (entry.kind !== "admit" || entry.node !== this.#parts.node) return;
    for (const { id, blob } of entry.blobs) {
      for (const oldest of this.#foreseen.keys()) {
        if (this.#foreseen.size < foreseenMax) break;
        this.#foreseen.delete(oldest);
      }
      this.#foreseen.set(id, { publicKey: entry.publicKey.slice(), blob: blob.slice() });
    }
    this.seek(owner);
  }

  /** By what is known now, be it applied or not. */
  seek(owner: KeyOwner): void {
    const keys = this.#offered ?? this.keys;
    for (const { epoch } of keys.keys) this.#holds(owner, keys, epoch);
  }

  /** A rotation stands in the log that is not applied yet. */
  rotatesAfter({ applied, last }: RaftView): boolean {
    return this.#rotation > applied && this.#rotation <= last;
  }

  /** A committed entry about keys. */
  apply({ payload, index }: Entry): void {
    const { marks } = this.#parts;
    const entry = decodeKeyEntry(payload);
    const before = this.keys.keys;
    const again = entry.kind === "admit" && this.keys.holders.has(entry.node);
    if (entry.kind === "undecodable" || !this.keys.apply(entry, index)) {
      marks.hit("staleKeyEntryDropped");
      return;
    }
    this.version++;
    this.#offered = null;
    if (entry.kind === "rotate") marks.hit("keyRotated");
    if (entry.kind === "admit") marks.hit(again ? "memberAdmittedAgain" : "memberAdmitted");
    if (entry.kind === "revoke") marks.hit("keysRevoked");
    if (entry.kind !== "erase") return;
    marks.hit("keyErased");
    this.#erased(before);
  }

  /** False: `owner` has to wait for the key of that epoch; it is asked for. */
  mayOpen(owner: KeyOwner, epoch: number): boolean {
    return epoch === 0 || this.#holds(owner, this.keys, epoch);
  }

  /**
   * Whether the snapshot itself gives this node its key. One of before this node was given the keys is of
   * no use, even where the key is at hand: the next start would have nothing to open it by.
   */
  mayRestore(bytes: Uint8Array): boolean {
    const closed = readClosedState(bytes);
    if (closed === null) return false;
    const { keys, keyEpoch } = closed;
    if (keyEpoch === 0) return true;
    if (keys.at(keyEpoch)?.blobs.has(this.#parts.node) !== true) return false;
    if (!this.#isForeign(keys)) return true;
    this.#offered = keys;
    return false;
  }

  /** The state in a snapshot; "waits": for its key. Null: it is not what it says it is. */
  open(owner: KeyOwner, bytes: Uint8Array, at: Position): Uint8Array | "waits" | null {
    const closed = readClosedState(bytes);
    if (closed === null) return null;
    const { keys, keyEpoch } = closed;
    if (keyEpoch !== 0 && !this.#holds(owner, keys, keyEpoch)) {
      this.#offered = keys;
      return "waits";
    }
    const state = openState(this.#sealerOf(closed), at, closed);
    if (state === null) return null;
    const before = this.keys.keys;
    this.sealer.keys = keys;
    this.#offered = null;
    this.version++;
    this.#erased(before);
    return state;
  }

  /** Null: the key in force is not here; it is asked for. */
  seal(owner: KeyOwner, state: Uint8Array, at: Position): Uint8Array | null {
    if (!this.mayOpen(owner, this.keys.epoch)) return null;
    return sealState(this.sealer, { ...at, id: this.#parts.snapshotId() }, state);
  }

  /** What is known of the keys is wrapped for another key of this node than its HSM has now. */
  get isForeign(): boolean {
    return this.#isForeign(this.#offered ?? this.keys);
  }

  write(writer: ByteWriter): void {
    this.keys.write(writer);
  }

  read(reader: ByteReader): void {
    assert(this.keys.read(reader), "what was written here of keys can be read");
  }

  /** The replica is gone, and with it the keys that none of `others`, of the same group, has. */
  drop(owner: KeyOwner, others: readonly { readonly keys: ReplicaKeys | null }[]): void {
    const { keyring } = this.#parts;
    keyring.forget(owner);
    const kept = new Set(others.flatMap(({ keys }) => keys?.keys.keys.map(({ id }) => id) ?? []));
    for (const { id } of this.keys.keys) if (!kept.has(id)) keyring.aead.drop(id);
  }

  /** Those of `before` that are not there any more, by an entry or by one that a snapshot covers. */
  #erased(before: readonly EpochKey[]): void {
    const oldest = this.keys.keys[0];
    if (oldest !== undefined) this.#parts.floorAt(oldest.epoch);
    const gone = before.map(({ id }) => id).filter((id) => !this.#knows(id));
    if (gone.length === 0) return;
    for (const id of gone) this.#parts.keyring.erase(id);
    this.#parts.erased(gone);
  }

  #isForeign({ holders }: GroupKeys): boolean {
    const { keyring, node } = this.#parts;
    const known = holders.get(node);
    const own = keyring.publicKey;
    return known !== undefined && own !== null && !equalBytes(known, own);
  }

  #knows(id: DataKeyId): boolean {
    return this.keys.keys.some((key) => key.id === id);
  }

  #holds(owner: KeyOwner, keys: GroupKeys, epoch: number): boolean {
    const { keyring } = this.#parts;
    const key = keys.at(epoch);
    if (key === null) return false;
    if (keyring.aead.holds(key.id)) return true;
    const blob = this.#blobOf(keys, epoch);
    if (blob !== undefined) keyring.want(owner, key.id as DataKeyId, blob);
    return false;
  }

  /** What is foreseen may be older than what is known, or newer: where it is for the HSM's own key it fits. */
  #blobOf(keys: GroupKeys, epoch: number): Uint8Array | undefined {
    const key = keys.at(epoch);
    if (key === null) return undefined;
    const { keyring, node } = this.#parts;
    const known = key.blobs.get(node);
    const foreseen = this.#foreseen.get(key.id);
    if (known === undefined || foreseen === undefined) return known ?? foreseen?.blob;
    const own = keyring.publicKey;
    return own !== null && equalBytes(own, foreseen.publicKey) ? foreseen.blob : known;
  }

  #sealerOf({ keys }: ClosedState): GroupSealer {
    const { group, incarnation } = this.#parts.key;
    return new GroupSealer(keys, this.#parts.keyring.aead, group, incarnation);
  }
}

/** Of the whole state of a replica: what the store has, and what is known of keys. */
export function digestOf(
  store: ReplicatedStore,
  known: ReplicaKeys | null,
): readonly [number, number] {
  const digest = store.digest();
  if (known === null) return digest;
  const hash = new RollingHash();
  for (const word of digest) hash.word(word);
  known.keys.fold(hash);
  return hash.digest();
}
