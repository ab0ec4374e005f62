/**
 * The files of one simulated disk: what a process sees, what would survive a loss of power, and
 * what lies between. Knows nothing of time or chance; `Disk` in disk.ts adds both.
 */
import { type DiskFile, sectorBytes } from "../core/ports/disk.js";

/** A write, a change of size or the zeros of a new file, not yet synced. */
export interface Change {
  readonly offset: number;
  /** Null: only the size changes, to `offset`; what is new reads as zeros. */
  readonly bytes: Uint8Array | null;
}

/** Which sectors of an unsynced change survive a crash. `sector` counts from the change's start. */
export type Survives = (change: number, sector: number) => boolean;

/**
 * 1. `durable` with `changes` applied in order is `data`, unless a fault came between.
 * 2. Bytes beyond a size are zero.
 */
export class SimFile {
  name: string;
  data: Uint8Array = new Uint8Array(0);
  sizeBytes = 0;
  durable: Uint8Array = new Uint8Array(0);
  durableBytes = 0;
  changes: Change[] = [];
  /** World time at which the last submitted operation on this file is done. */
  busyUntilUs = 0;
  /** For each sync under way, how many of `changes` it covers; oldest first. */
  readonly syncs: number[] = [];
  /** Where the newest few writes begin and end, newest last; also of those that a crash undid. */
  readonly newest: { readonly from: number; readonly to: number }[] = [];

  constructor(name: string) {
    this.name = name;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#resize(Math.max(this.sizeBytes, offset + bytes.length));
    this.data.set(bytes, offset);
    this.changes.push({ offset, bytes });
    this.newest.push({ from: offset, to: offset + bytes.length });
    if (this.newest.length > newestMax) this.newest.shift();
  }

  truncate(sizeBytes: number): void {
    this.#resize(sizeBytes);
    this.changes.push({ offset: sizeBytes, bytes: null });
  }

  /** Makes the oldest `count` changes durable; `undo` hears what each replaces. */
  commit(
    count: number,
    undo: ((offset: number, old: Uint8Array, size: number) => void) | null,
  ): void {
    for (let at = 0; at < count; at++) {
      const { offset, bytes } = this.changes[at]!;
      if (undo !== null) {
        const end = offset + (bytes?.length ?? 0);
        undo(offset, this.durable.slice(offset, end), this.durableBytes);
      }
      if (bytes === null) this.#resizeDurable(offset);
      else this.putDurable(offset, bytes);
    }
    this.changes.splice(0, count);
    for (let at = 0; at < this.syncs.length; at++) this.syncs[at] = this.syncs[at]! - count;
  }

  /** Changes that a failed sync took with it: seen until the restart, then gone. */
  forget(count: number): void {
    this.changes.splice(0, count);
    for (let at = 0; at < this.syncs.length; at++) this.syncs[at] = this.syncs[at]! - count;
  }

  /** What a restart finds: the durable bytes and whatever of the rest survives. */
  crash(survives: Survives): void {
    for (let at = 0; at < this.changes.length; at++) {
      const { offset, bytes } = this.changes[at]!;
      if (bytes === null) {
        if (survives(at, 0)) this.#resizeDurable(offset);
        continue;
      }
      // Sectors of the file, not of the write, are what tears.
      let from = 0;
      for (let sector = 0; from < bytes.length; sector++) {
        const to = Math.min(bytes.length, sectorEnd(offset + from) - offset);
        if (survives(at, sector)) this.putDurable(offset + from, bytes.subarray(from, to));
        from = to;
      }
    }
    this.changes = [];
    this.syncs.length = 0;
    this.sizeBytes = this.durableBytes;
    this.data = this.durable.slice(0, this.durableBytes);
    this.busyUntilUs = 0;
  }

  putDurable(offset: number, bytes: Uint8Array): void {
    this.#resizeDurable(Math.max(this.durableBytes, offset + bytes.length));
    this.durable.set(bytes, offset);
  }

  /** Puts back what was durable before. */
  revert(offset: number, old: Uint8Array, sizeBytes: number): void {
    this.durable.set(old, offset);
    this.#resizeDurable(sizeBytes);
  }

  #resize(sizeBytes: number): void {
    this.data = resized(this.data, this.sizeBytes, sizeBytes);
    this.sizeBytes = sizeBytes;
  }

  #resizeDurable(sizeBytes: number): void {
    this.durable = resized(this.durable, this.durableBytes, sizeBytes);
    this.durableBytes = sizeBytes;
  }
}

const newestMax = 4;

function sectorEnd(offset: number): number {
  return (Math.floor(offset / sectorBytes) + 1) * sectorBytes;
}

function resized(bytes: Uint8Array, from: number, to: number): Uint8Array {
  if (to < from) bytes.fill(0, to, from);
  if (to <= bytes.length) return bytes;
  const grown = new Uint8Array(bytes.length === 0 ? to : Math.max(to, bytes.length * 2));
  grown.set(bytes);
  return grown;
}

/** A change of names that no `syncDirectory` has made durable. */
type NameChange =
  | { readonly kind: "create"; readonly name: string; readonly file: SimFile }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "remove"; readonly name: string };

/** The directory: names as seen, names that survive, and what lies between. */
export class SimDirectory {
  files: Map<string, SimFile> = new Map();
  #durable = new Map<string, SimFile>();
  #changes: NameChange[] = [];

  /** Changes of names so far; `commit` of this number makes them all durable. */
  changed = 0;
  #committed = 0;

  /** Bytes that all files take. */
  get usedBytes(): number {
    let used = 0;
    for (const file of this.files.values()) used += file.sizeBytes;
    return used;
  }

  create(name: string): SimFile {
    const file = new SimFile(name);
    this.#change({ kind: "create", name, file });
    return file;
  }

  rename(from: string, to: string): void {
    this.#change({ kind: "rename", from, to });
  }

  remove(name: string): void {
    this.#change({ kind: "remove", name });
  }

  list(): DiskFile[] {
    return [...this.files.values()]
      .map(({ name, sizeBytes }) => ({ name, sizeBytes }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  commit(through: number): void {
    const count = through - this.#committed;
    if (count <= 0) return;
    for (const change of this.#changes.splice(0, count)) apply(this.#durable, change);
    this.#committed = through;
  }

  /** `survives` is asked for each change of names; those that do happen in order. */
  crash(survives: Survives): void {
    this.#changes.forEach((change, at) => {
      if (survives(at, 0)) apply(this.#durable, change);
    });
    this.#changes = [];
    this.#committed = this.changed;
    this.files = new Map(this.#durable);
    for (const [name, file] of this.files) file.name = name;
  }

  #change(change: NameChange): void {
    this.#changes.push(change);
    this.changed++;
    apply(this.files, change);
    if (change.kind === "rename") {
      const file = this.files.get(change.to);
      if (file !== undefined) file.name = change.to;
    }
  }
}

function apply(names: Map<string, SimFile>, change: NameChange): void {
  switch (change.kind) {
    case "create":
      names.set(change.name, change.file);
      return;
    case "rename": {
      const file = names.get(change.from);
      if (file === undefined) return;
      names.delete(change.from);
      names.set(change.to, file);
      return;
    }
    case "remove":
      names.delete(change.name);
  }
}
