/**
 * A disk in memory for tests: completions on demand, and a crash that loses or tears, by a seeded
 * draw, whatever was not synced. Operations finish in the order of submission.
 */
import {
  type Disk,
  type DiskErrorCode,
  type DiskFile,
  type DiskResult,
  sectorBytes,
} from "../../../src/core/ports/disk.js";

interface Inode {
  /** What a reader sees. */
  now: Uint8Array;
  /** What survives any crash. */
  synced: Uint8Array;
  /** Since the last sync, in order. */
  unsynced: { readonly offset: number; readonly bytes: Uint8Array }[];
}

type NameChange =
  | {
      readonly kind: "link";
      readonly name: string;
      readonly inode: Inode;
      /** The name that a rename takes away at the same moment. */
      readonly instead: string | null;
    }
  | { readonly kind: "unlink"; readonly name: string };

interface Submitted {
  readonly op: number;
  readonly kind: string;
  readonly file: string;
  readonly finish: () => DiskResult;
}

const done: DiskResult = { ok: true, bytes: null, files: null };

export class MemoryDisk implements Disk {
  capacityBytes = Infinity;
  /** Asked before each operation finishes; an error makes it fail without effect. */
  fail: (kind: string, file: string) => DiskErrorCode | null = () => null;
  /** Asked as each read finishes; such a one answers with what lies a sector further on. */
  lies: (file: string) => boolean = () => false;
  /** Such operations wait, and others overtake them. */
  holds: (kind: string, file: string) => boolean = () => false;
  /** Operations that may still finish. */
  operationsLeft = Infinity;
  readonly #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #nameChanges: NameChange[] = [];
  #queue: Submitted[] = [];

  get pending(): number {
    return this.#queue.length;
  }

  get usedBytes(): number {
    let used = 0;
    for (const { now } of this.#names.values()) used += now.length;
    return used;
  }

  /** Finishes the oldest operation; null when there is none. */
  next(): { readonly op: number; readonly result: DiskResult } | null {
    if (this.operationsLeft <= 0) return null;
    const at = this.#queue.findIndex(({ kind, file }) => !this.holds(kind, file));
    if (at < 0) return null;
    const submitted = this.#queue.splice(at, 1)[0]!;
    this.operationsLeft--;
    const error = this.fail(submitted.kind, submitted.file);
    const result: DiskResult = error === null ? submitted.finish() : { ok: false, error };
    return { op: submitted.op, result };
  }

  /** The machine stops: what was not synced survives in part. `draw(n)` is from 0 to n - 1. */
  crash(draw: (n: number) => number): void {
    // What was submitted may have reached the disk or not; syncs may have been under way.
    const reached = draw(this.#queue.length + 1);
    for (const submitted of this.#queue.splice(0).slice(0, reached)) submitted.finish();
    const kept = draw(this.#nameChanges.length + 1);
    const names = new Map(this.#durableNames);
    for (const change of this.#nameChanges.slice(0, kept)) applyChange(names, change);
    this.#names.clear();
    for (const [name, inode] of names) this.#names.set(name, inode);
    this.#nameChanges = [];
    this.#durableNames = new Map(names);
    for (const inode of new Set(names.values())) tear(inode, draw);
  }

  create(op: number, file: string, sizeBytes: number): void {
    this.#submit(op, "create", file, () => {
      if (this.usedBytes + sizeBytes > this.capacityBytes) return { ok: false, error: "noSpace" };
      const inode: Inode = { now: new Uint8Array(0), synced: new Uint8Array(0), unsynced: [] };
      this.#change({ kind: "link", name: file, inode, instead: null });
      put(inode, 0, new Uint8Array(sizeBytes));
      return done;
    });
  }

  write(op: number, file: string, offset: number, bytes: Uint8Array): void {
    this.#submit(op, "write", file, () => {
      let inode = this.#names.get(file);
      const grows = Math.max(0, offset + bytes.length - (inode?.now.length ?? 0));
      if (this.usedBytes + grows > this.capacityBytes) return { ok: false, error: "noSpace" };
      if (inode === undefined) {
        inode = { now: new Uint8Array(0), synced: new Uint8Array(0), unsynced: [] };
        this.#change({ kind: "link", name: file, inode, instead: null });
      }
      put(inode, offset, bytes);
      return done;
    });
  }

  sync(op: number, file: string): void {
    this.#submit(op, "sync", file, () => {
      const inode = this.#names.get(file);
      if (inode === undefined) return { ok: false, error: "notFound" };
      inode.synced = inode.now.slice();
      inode.unsynced = [];
      return done;
    });
  }

  read(op: number, file: string, offset: number, lengthBytes: number): void {
    this.#submit(op, "read", file, () => {
      const inode = this.#names.get(file);
      if (inode === undefined) return { ok: false, error: "notFound" };
      const from = this.lies(file) ? offset + 512 : offset;
      return { ok: true, bytes: inode.now.slice(from, from + lengthBytes), files: null };
    });
  }

  truncate(op: number, file: string, sizeBytes: number): void {
    this.#submit(op, "truncate", file, () => {
      const inode = this.#names.get(file);
      if (inode === undefined) return { ok: false, error: "notFound" };
      inode.now = inode.now.slice(0, sizeBytes);
      inode.synced = inode.synced.slice(0, sizeBytes);
      return done;
    });
  }

  rename(op: number, from: string, to: string): void {
    this.#submit(op, "rename", from, () => {
      const inode = this.#names.get(from);
      if (inode === undefined) return { ok: false, error: "notFound" };
      this.#change({ kind: "link", name: to, inode, instead: from });
      return done;
    });
  }

  remove(op: number, file: string): void {
    this.#submit(op, "remove", file, () => {
      if (!this.#names.has(file)) return { ok: false, error: "notFound" };
      this.#change({ kind: "unlink", name: file });
      return done;
    });
  }

  list(op: number): void {
    this.#submit(op, "list", "", () => ({ ok: true, bytes: null, files: this.files() }));
  }

  syncDirectory(op: number): void {
    this.#submit(op, "syncDirectory", "", () => {
      this.#durableNames = new Map(this.#names);
      this.#nameChanges = [];
      return done;
    });
  }

  files(): DiskFile[] {
    const files = [...this.#names].map(([name, { now }]) => ({ name, sizeBytes: now.length }));
    return files.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The bytes of a file, to look at or to rot. Rot changes what is synced too. */
  bytes(file: string): Uint8Array {
    const inode = this.#names.get(file);
    if (inode === undefined) throw new Error(`there is no file ${file}`);
    return inode.now;
  }

  /** Flips bits of one byte, on the platter. */
  rot(file: string, offset: number, mask = 0xff): void {
    const inode = this.#names.get(file);
    if (inode === undefined) throw new Error(`there is no file ${file}`);
    inode.now[offset]! ^= mask;
    if (offset < inode.synced.length) inode.synced[offset] = inode.now[offset]!;
  }

  /** The file is gone without a trace. */
  lose(file: string): void {
    this.#names.delete(file);
    this.#durableNames.delete(file);
  }

  #submit(op: number, kind: string, file: string, finish: () => DiskResult): void {
    this.#queue.push({ op, kind, file, finish });
  }

  #change(change: NameChange): void {
    applyChange(this.#names, change);
    this.#nameChanges.push(change);
  }
}

function applyChange(names: Map<string, Inode>, change: NameChange): void {
  if (change.kind === "unlink") names.delete(change.name);
  else {
    names.set(change.name, change.inode);
    if (change.instead !== null) names.delete(change.instead);
  }
}

function put(inode: Inode, offset: number, bytes: Uint8Array): void {
  inode.now = overlay(inode.now, offset, bytes);
  inode.unsynced.push({ offset, bytes: bytes.slice() });
}

function overlay(under: Uint8Array, offset: number, bytes: Uint8Array): Uint8Array {
  let result = under;
  if (offset + bytes.length > under.length) {
    result = new Uint8Array(offset + bytes.length);
    result.set(under);
  }
  result.set(bytes, offset);
  return result;
}

/** Each sector of each unsynced write survives or not. */
function tear(inode: Inode, draw: (n: number) => number): void {
  let { synced } = inode;
  synced = synced.slice();
  const mood = draw(4);
  for (const { offset, bytes } of inode.unsynced) {
    let from = 0;
    while (from < bytes.length) {
      const sectorEnd = (Math.floor((offset + from) / sectorBytes) + 1) * sectorBytes - offset;
      const to = Math.min(bytes.length, sectorEnd);
      const kept = mood === 0 ? true : mood === 1 ? false : draw(2) === 1;
      if (kept) synced = overlay(synced, offset + from, bytes.subarray(from, to));
      from = to;
    }
  }
  inode.now = synced;
  inode.synced = synced.slice();
  inode.unsynced = [];
}
