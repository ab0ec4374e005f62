/**
 * The snapshot files of a node. A file gets its name only when it is whole and durable; the older
 * one stands until then. What failed once is dropped and never written again.
 */
import type { SnapshotMeta } from "../entry.js";
import type { Index, RequestId, Term } from "../ids.js";
import type { DiskFile, DiskResult } from "../ports/disk.js";
import type { WalContext } from "./context.js";
import type { ReplicaKey, SnapshotEvent } from "./log-store.js";
import { walOptions } from "./options.js";
import { type Leaver, SnapshotRemovals } from "./snapshot-removals.js";
import {
  type SnapshotName,
  encodeSnapshotHead,
  parseSnapshotName,
  readSnapshot,
  snapshotFile,
  stateOffset,
} from "./snapshot-codec.js";
import type { WalParts } from "./wal.js";

/** A snapshot that is on its way in; at most one for each replica. */
interface Receiving {
  readonly file: string;
  readonly index: number;
  readonly term: number;
  /** Bytes of the state that are written or under way. */
  offset: number;
  /** A write of it failed. */
  failed: boolean;
  /** The whole is being verified: no more chunks. */
  closing: boolean;
}

interface Owner extends Leaver {
  /** Whole files, newest first. */
  files: SnapshotName[];
  receiving: Receiving | null;
  /** Files that are being saved, or made durable after they were received, and their indices. */
  readonly saving: Map<string, number>;
  /** The replica is gone: what is still under way must leave no file. */
  removed: boolean;
}

type Then = (result: DiskResult, out: SnapshotEvent[]) => void;

/** What cannot be read, or is not what it says it is, is read once more: a read may lie. */
const readsMax = 2;

type Loaded = Extract<SnapshotEvent, { kind: "loaded" }>["snapshots"][number];

export class SnapshotFiles {
  readonly #context: WalContext;
  readonly #owners = new Map<string, Owner>();
  readonly #pending = new Map<number, Then>();
  readonly #removals: SnapshotRemovals;

  constructor(parts: WalParts) {
    this.#context = { ...parts, options: walOptions(parts.options) };
    this.#removals = new SnapshotRemovals(parts.disk, (submit, then) => {
      this.#ask(submit, then);
    });
  }

  /** Operations of the disk that are under way. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Finds the newest whole snapshot of each replica and removes leftovers; ends in `loaded`. */
  load(): void {
    this.#list(1);
  }

  /** Makes `state`, which contains everything up to `index`, durable; ends in `saved`. */
  save(
    key: ReplicaKey,
    request: RequestId,
    index: Index,
    term: Term,
    configuration: Uint8Array,
    state: Uint8Array,
    out: SnapshotEvent[],
  ): void {
    const { crc32, disk } = this.#context;
    const checksum = crc32(state, 0, state.length, 0);
    const meta = { index, term, configuration, sizeBytes: state.length, checksum };
    const file = snapshotFile(key, index, term, "tmp");
    const owner = this.#owner(key);
    if (owner.saving.has(file)) {
      out.push({ kind: "saved", key, request, snapshot: null });
      return;
    }
    owner.saving.set(file, index);
    this.#removals.forget(owner, file);
    const bytes = encodeSnapshotHead(key, meta, crc32, state.length);
    bytes.set(state, stateOffset(meta));
    const name: SnapshotName = { key, index, term, suffix: "" };
    const done = (ok: boolean, later: SnapshotEvent[]): void => {
      owner.saving.delete(file);
      later.push({ kind: "saved", key, request, snapshot: ok ? meta : null });
    };
    this.#ask(
      (op) => disk.write(op, file, 0, bytes),
      (written, later) => {
        if (written.ok) this.#publish(owner, file, name, done);
        else {
          this.#drop(owner, file, index);
          done(false, later);
        }
      },
    );
  }

  /** Answers with `chunk`: at most `bytesMax` bytes of the state from `offset`; null: not there. */
  readChunk(
    key: ReplicaKey,
    request: RequestId,
    snapshot: SnapshotMeta,
    offset: number,
    bytesMax: number,
    out: SnapshotEvent[],
  ): void {
    const { index, term, sizeBytes } = snapshot;
    const known = this.#owner(key).files.some((file) => file.index === index && file.term === term);
    const count = Math.min(bytesMax, sizeBytes - offset);
    if (!known || offset < 0 || count < 0 || this.#pending.size >= this.#context.options.readsMax) {
      out.push({ kind: "chunk", key, request, bytes: null });
      return;
    }
    const file = snapshotFile(key, index, term);
    this.#ask(
      (op) => this.#context.disk.read(op, file, stateOffset(snapshot) + offset, count),
      (result, later) => {
        const bytes = result.ok && result.bytes?.length === count ? result.bytes : null;
        later.push({ kind: "chunk", key, request, bytes });
      },
    );
  }

  /** Chunks come in order; offset 0 begins anew. Answers with `chunkWritten`. */
  writeChunk(
    key: ReplicaKey,
    request: RequestId,
    snapshot: SnapshotMeta,
    offset: number,
    bytes: Uint8Array,
    out: SnapshotEvent[],
  ): void {
    const owner = this.#owner(key);
    if (offset === 0) this.#beginReceiving(owner, key, snapshot);
    const { receiving } = owner;
    const fits =
      receiving !== null &&
      isOf(receiving, snapshot) &&
      !receiving.failed &&
      !receiving.closing &&
      receiving.offset === offset &&
      offset + bytes.length <= snapshot.sizeBytes;
    if (!fits) {
      this.#context.marks.hit("snapshotChunkOutOfOrder");
      out.push({ kind: "chunkWritten", key, request, ok: false });
      return;
    }
    receiving.offset += bytes.length;
    this.#ask(
      (op) => {
        const at = stateOffset(snapshot) + offset;
        this.#context.disk.write(op, receiving.file, at, bytes);
      },
      (result, later) => {
        if (!result.ok) receiving.failed = true;
        later.push({ kind: "chunkWritten", key, request, ok: result.ok && !receiving.failed });
      },
    );
  }

  /**
   * All chunks are there: verifies the whole and makes it durable; ends in `received`. What a start
   * could not restore must not be there to be found by it.
   */
  receive(
    key: ReplicaKey,
    request: RequestId,
    snapshot: SnapshotMeta,
    mayRestore: (state: Uint8Array) => boolean,
    out: SnapshotEvent[],
  ): void {
    const { disk, crc32, marks } = this.#context;
    const owner = this.#owner(key);
    const { receiving } = owner;
    const refuse = (later: SnapshotEvent[]): void => {
      later.push({ kind: "received", key, request, snapshot: null, state: null });
    };
    if (receiving === null || !isOf(receiving, snapshot) || receiving.closing) {
      refuse(out);
      return;
    }
    receiving.closing = true;
    const { index, term } = snapshot;
    const name: SnapshotName = { key, index, term, suffix: "" };
    this.#ask(
      (op) => {
        disk.read(op, receiving.file, 0, stateOffset(snapshot) + snapshot.sizeBytes);
      },
      (result, later) => {
        const bytes = result.ok ? result.bytes : null;
        const whole = bytes === null || receiving.failed ? null : readSnapshot(bytes, name, crc32);
        if (owner.receiving === receiving) owner.receiving = null;
        const isSound = whole !== null && whole.meta.checksum === snapshot.checksum;
        if (!isSound) marks.hit("snapshotChecksumRefused");
        if (!isSound || !mayRestore(whole.state)) {
          this.#drop(owner, receiving.file, index);
          refuse(later);
          return;
        }
        owner.saving.set(receiving.file, index);
        this.#publish(owner, receiving.file, name, (ok, last) => {
          owner.saving.delete(receiving.file);
          if (!ok) refuse(last);
          else
            last.push({ kind: "received", key, request, snapshot: whole.meta, state: whole.state });
        });
      },
    );
  }

  /** Removes every file of a replica that is gone. */
  remove(key: ReplicaKey): void {
    const owner = this.#owner(key);
    for (const { index, term } of owner.files) {
      this.#removals.remove(owner, snapshotFile(key, index, term), index);
    }
    const { receiving } = owner;
    if (receiving !== null) this.#removals.remove(owner, receiving.file, receiving.index);
    owner.files = [];
    owner.receiving = null;
    owner.removed = true;
  }

  /**
   * True when no file of the replica, whole or not, is of a snapshot before `index`, and none can
   * come back in a crash.
   */
  onlyFrom(key: ReplicaKey, index: Index): boolean {
    const owner = this.#owners.get(ownerKey(key));
    if (owner === undefined) return true;
    const { files, receiving, saving, leaving } = owner;
    const indices = [...files, ...(leaving?.values() ?? [])].map((file) => file.index as number);
    if (receiving !== null) indices.push(receiving.index);
    return [...indices, ...saving.values()].every((at) => at >= index);
  }

  /**
   * Only the newest whole snapshot stays, and what is on its way to become a newer one. Who reads an
   * older file is told with its next chunk that it is not there. Asked again, it tries again what
   * failed and takes what has come to an end meanwhile.
   */
  dropOlder(key: ReplicaKey): void {
    const owner = this.#owners.get(ownerKey(key));
    if (owner === undefined) return;
    const newest = owner.files[0]?.index ?? (owner.removed ? Infinity : 0);
    for (const { index, term } of owner.files.splice(1)) {
      this.#removals.remove(owner, snapshotFile(key, index, term), index, true);
    }
    const { receiving } = owner;
    if (receiving !== null && !receiving.closing && receiving.index < newest) {
      owner.receiving = null;
      this.#removals.remove(owner, receiving.file, receiving.index, true);
    }
    this.#removals.settle(owner, newest);
  }

  /** False: not an operation of these files. */
  diskDone(op: number, result: DiskResult, out: SnapshotEvent[]): boolean {
    const then = this.#pending.get(op);
    if (then === undefined) return false;
    this.#pending.delete(op);
    then(result, out);
    return true;
  }

  /** A directory that cannot be read counts as empty: the log then marks what it misses. */
  #list(attempt: number): void {
    this.#ask(
      (op) => this.#context.disk.list(op),
      (result, out) => {
        if (!result.ok && attempt < readsMax) this.#list(attempt + 1);
        else this.#loadNext(this.#sort(result.ok ? (result.files ?? []) : []), 0, 1, [], out);
      },
    );
  }

  /** What a crash left half done goes; the rest is grouped by replica, newest first. */
  #sort(files: readonly DiskFile[]): (SnapshotName & { readonly sizeBytes: number })[] {
    const whole: (SnapshotName & { readonly sizeBytes: number })[] = [];
    for (const { name, sizeBytes } of files) {
      const parsed = parseSnapshotName(name);
      if (parsed === null) continue;
      if (parsed.suffix === "") whole.push({ ...parsed, sizeBytes });
      else {
        this.#context.marks.hit("snapshotLeftoverRemoved");
        this.#removals.remove(this.#owner(parsed.key), name, parsed.index);
      }
    }
    return whole.sort(
      (a, b) =>
        a.key.group - b.key.group ||
        a.key.incarnation - b.key.incarnation ||
        a.key.replica - b.key.replica ||
        b.index - a.index ||
        b.term - a.term,
    );
  }

  /** Reads the files one after the other; of each replica only the newest whole one stays. */
  #loadNext(
    files: readonly (SnapshotName & { readonly sizeBytes: number })[],
    at: number,
    attempt: number,
    loaded: Loaded[],
    out: SnapshotEvent[],
  ): void {
    const name = files[at];
    if (name === undefined) {
      out.push({ kind: "loaded", snapshots: loaded });
      return;
    }
    const file = snapshotFile(name.key, name.index, name.term);
    const owner = this.#owner(name.key);
    if (owner.files.length > 0) {
      this.#removals.remove(owner, file, name.index);
      this.#loadNext(files, at + 1, 1, loaded, out);
      return;
    }
    this.#ask(
      (op) => this.#context.disk.read(op, file, 0, name.sizeBytes),
      (result, later) => {
        const bytes = result.ok ? result.bytes : null;
        const whole = bytes === null ? null : readSnapshot(bytes, name, this.#context.crc32);
        if (whole === null && attempt < readsMax) {
          this.#loadNext(files, at, attempt + 1, loaded, later);
          return;
        }
        if (whole !== null) {
          owner.files.push({ key: name.key, index: name.index, term: name.term, suffix: "" });
          loaded.push({ ...name.key, snapshot: whole.meta, state: whole.state });
        } else {
          this.#context.marks.hit("snapshotRottenSkipped");
          if (bytes !== null) this.#removals.remove(owner, file, name.index);
          else this.#removals.leave(owner, file, name.index);
        }
        this.#loadNext(files, at + 1, 1, loaded, later);
      },
    );
  }

  #beginReceiving(owner: Owner, key: ReplicaKey, snapshot: SnapshotMeta): void {
    const { disk, crc32 } = this.#context;
    if (owner.receiving?.closing === true) return;
    const before = owner.receiving;
    if (before !== null) this.#removals.remove(owner, before.file, before.index);
    const { index, term } = snapshot;
    const file = snapshotFile(key, index, term, "part");
    const receiving: Receiving = { file, index, term, offset: 0, failed: false, closing: false };
    owner.receiving = receiving;
    this.#removals.forget(owner, file);
    this.#ask(
      (op) => disk.write(op, file, 0, encodeSnapshotHead(key, snapshot, crc32)),
      (result) => {
        if (!result.ok) receiving.failed = true;
      },
    );
  }

  /** Syncs the file, gives it its name, syncs the name; on failure the file is dropped. */
  #publish(
    owner: Owner,
    from: string,
    name: SnapshotName,
    done: (ok: boolean, out: SnapshotEvent[]) => void,
  ): void {
    const { disk } = this.#context;
    const to = snapshotFile(name.key, name.index, name.term);
    const steps: ((op: number) => void)[] = [
      (op) => disk.sync(op, from),
      (op) => disk.rename(op, from, to),
      (op) => disk.syncDirectory(op),
    ];
    const next = (at: number): void => {
      const removed = at + 1 < steps.length ? [] : this.#removals.take();
      this.#ask(steps[at]!, (result, out) => {
        this.#removals.synced(removed, result.ok);
        if (!result.ok) {
          this.#drop(owner, from, name.index);
          // It may have its name by now, and nobody knows it under that.
          if (at > 0) this.#removals.leave(owner, to, name.index);
        } else if (at + 1 < steps.length) {
          next(at + 1);
          return;
        } else if (owner.removed) this.#removals.remove(owner, to, name.index);
        else this.#keep(owner, name);
        done(result.ok && !owner.removed, out);
      });
    };
    next(0);
  }

  /** `name` is the newest; one older file stays, for a peer may be reading it. */
  #keep(owner: Owner, name: SnapshotName): void {
    const { index, term } = name;
    const others = owner.files.filter((file) => file.index !== index || file.term !== term);
    const sorted = [name, ...others].sort((a, b) => b.index - a.index);
    owner.files = sorted.slice(0, 2);
    this.#removals.forget(owner, snapshotFile(name.key, index, term));
    for (const old of sorted.slice(2)) {
      this.#removals.remove(owner, snapshotFile(old.key, old.index, old.term), old.index);
    }
  }

  #drop(owner: Owner, file: string, index: number): void {
    this.#context.marks.hit("snapshotWriteFailed");
    this.#removals.remove(owner, file, index);
  }

  #owner(key: ReplicaKey): Owner {
    const name = ownerKey(key);
    const found = this.#owners.get(name);
    if (found !== undefined && !found.removed) return found;
    const under = { receiving: null, saving: new Map<string, number>(), leaving: null };
    const owner: Owner = { files: [], ...under, removed: false };
    this.#owners.set(name, owner);
    return owner;
  }

  #ask(submit: (op: number) => void, then: Then): void {
    const op = this.#context.nextOp();
    this.#pending.set(op, then);
    submit(op);
  }
}

function ownerKey({ group, incarnation, replica }: ReplicaKey): string {
  return `${group}/${incarnation}/${replica}`;
}

function isOf(receiving: Receiving, { index, term }: SnapshotMeta): boolean {
  return receiving.index === index && receiving.term === term;
}
