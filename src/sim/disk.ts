/**
 * The disk of one simulated node. Writes are seen at once and survive a crash only once a sync has
 * truly ended; operations on one file end in the order of submission, after drawn service times.
 */
import { allocateBytes } from "../core/bytes.js";
import type { GroupId } from "../core/ids.js";
import type { Disk, DiskErrorCode, DiskResult } from "../core/ports/disk.js";
import { sectorBytes } from "../core/ports/disk.js";
import type { Decisions, Gate } from "./decisions.js";
import { DiskFaults } from "./disk-faults.js";
import { eventKind } from "./events.js";
import { SimDirectory, type SimFile, type Survives } from "./files.js";
import { flipByte, flipEntryOf, sparedBytes } from "./rot.js";
import { Misdirected } from "./misdirected.js";
import type { Scheduler } from "./scheduler.js";
import { type KeyedStream, within } from "./streams.js";

/** Service times, microseconds, both ends included; before `slowDisk`. */
const serviceUs = {
  write: { min: 10, max: 40 },
  sync: { min: 100, max: 900 },
  read: { min: 40, max: 160 },
  name: { min: 20, max: 80 },
} as const;

type Service = keyof typeof serviceUs;

const done: DiskResult = { ok: true, bytes: null, files: null };
const failures: Readonly<Record<DiskErrorCode, DiskResult>> = {
  noSpace: { ok: false, error: "noSpace" },
  ioError: { ok: false, error: "ioError" },
  notFound: { ok: false, error: "notFound" },
};

/** Told to the world of what no answer to the host says. */
export interface DiskWatch {
  /** The sync `op` truly made all it covers durable. */
  truth(node: number, op: number): void;
  /** The fault with this ordinal has changed something. */
  effective(fault: number): void;
  /** True when synced data of the node may be damaged now, within the budget of faults. */
  mayLose(node: number): boolean;
  /** Synced data of the node was damaged. */
  lost(node: number): void;
}

export interface DiskWorld {
  readonly scheduler: Scheduler;
  readonly timing: KeyedStream;
  readonly decisions: Decisions;
  readonly watch: DiskWatch;
  /** True in scenarios with `vanishTail`: what each sync replaces is kept for a while. */
  readonly keepUndo: boolean;
}

interface Undo {
  readonly file: SimFile;
  readonly offset: number;
  readonly old: Uint8Array;
  readonly sizeBytes: number;
}

/** Syncs that can be made to vanish. */
const undoSyncsMax = 16;

export class SimDisk implements Disk {
  /** When what is submitted now reaches the disk: the end of the turn that submits it. */
  submitAtUs = 0;
  readonly faults: DiskFaults = new DiskFaults();
  readonly #node: number;
  readonly #world: DiskWorld;
  readonly #kept: Gate;
  readonly #torn: Gate;
  #directory = new SimDirectory();
  #session = 0;
  #undo: Undo[][] = [];
  #readsSinceFault = 1;
  readonly #misdirected = new Misdirected();

  constructor(node: number, world: DiskWorld) {
    this.#node = node;
    this.#world = world;
    this.#kept = world.decisions.gate(`kept-${node}`);
    this.#torn = world.decisions.gate(`torn-${node}`);
  }

  create(op: number, name: string, sizeBytes: number): void {
    if (!this.#hasRoom(sizeBytes)) return this.#answer(op, null, "name", failures.noSpace);
    const file = this.#directory.create(name);
    if (sizeBytes > 0) file.truncate(sizeBytes);
    this.#answer(op, file, "name", done);
  }

  write(op: number, name: string, offset: number, bytes: Uint8Array): void {
    const present = this.#directory.files.get(name);
    const growth = offset + bytes.length - (present?.sizeBytes ?? 0);
    if (growth > 0 && !this.#hasRoom(growth)) {
      return this.#answer(op, present ?? null, "write", failures.noSpace);
    }
    const file = present ?? this.#directory.create(name);
    if (this.faults.misdirectWrites.length > 0 && this.#misdirect(file, offset, bytes)) {
      return this.#answer(op, file, "write", done);
    }
    file.write(offset, bytes);
    this.#answer(op, file, "write", done);
  }

  sync(op: number, name: string): void {
    const file = this.#directory.files.get(name);
    if (file === undefined) return this.#answer(op, null, "sync", failures.notFound);
    file.syncs.push(file.changes.length);
    this.#answer(op, file, "sync", file);
  }

  read(op: number, name: string, offset: number, lengthBytes: number): void {
    const file = this.#directory.files.get(name);
    if (file === undefined) return this.#answer(op, null, "read", failures.notFound);
    let from = offset;
    // Never two reads in a row: who reads again finds what is there.
    const spared = this.#readsSinceFault++ === 0;
    const { failReads, misdirectReads } = this.faults;
    if (!spared && failReads.length > 0) {
      this.#readsSinceFault = 0;
      this.#world.watch.effective(failReads.shift()!);
      return this.#answer(op, file, "read", failures.ioError);
    }
    if (!spared && misdirectReads.length > 0 && file.sizeBytes > sectorBytes) {
      this.#readsSinceFault = 0;
      this.#world.watch.effective(misdirectReads.shift()!);
      from = offset >= sectorBytes ? offset - sectorBytes : offset + sectorBytes;
    }
    const to = Math.min(file.sizeBytes, from + lengthBytes);
    const bytes = allocateBytes(Math.max(0, to - from));
    if (from < to) bytes.set(file.data.subarray(from, to));
    this.#answer(op, file, "read", { ok: true, bytes, files: null });
  }

  truncate(op: number, name: string, sizeBytes: number): void {
    const file = this.#directory.files.get(name);
    if (file === undefined) return this.#answer(op, null, "name", failures.notFound);
    if (!this.#hasRoom(sizeBytes - file.sizeBytes)) {
      return this.#answer(op, file, "name", failures.noSpace);
    }
    file.truncate(sizeBytes);
    this.#answer(op, file, "name", done);
  }

  rename(op: number, from: string, to: string): void {
    const file = this.#directory.files.get(from);
    if (file === undefined) return this.#answer(op, null, "name", failures.notFound);
    this.#directory.rename(from, to);
    this.#answer(op, file, "name", done);
  }

  remove(op: number, name: string): void {
    const file = this.#directory.files.get(name);
    if (file === undefined) return this.#answer(op, null, "name", failures.notFound);
    this.#directory.remove(name);
    this.#answer(op, file, "name", done);
  }

  list(op: number): void {
    this.#answer(op, null, "name", { ok: true, bytes: null, files: this.#directory.list() });
  }

  syncDirectory(op: number): void {
    this.#answer(op, null, "sync", this.#directory.changed);
  }

  /**
   * The answer to the operation whose `diskDone` event is due: `payload` and `session` as they were
   * scheduled. Null when the process that asked is gone.
   */
  complete(op: number, session: number, payload: unknown): DiskResult | null {
    if (session !== this.#session) return null;
    if (typeof payload === "number") {
      if (!this.faults.lying.value) this.#directory.commit(payload);
      return done;
    }
    if (isResult(payload)) return payload;
    return this.#synced(op, payload as SimFile);
  }

  /** The process is gone, and the power with it: what was not synced survives in part or not at all. */
  crash(): void {
    this.#session++;
    this.faults.misdirectWrites.length = 0;
    this.#misdirected.crash();
    const nowUs = this.#world.scheduler.nowUs;
    let lost = 0;
    let kept = 0;
    const counted =
      (survives: Survives): Survives =>
      (change, sector) => {
        const survived = survives(change, sector);
        if (survived) kept++;
        else lost++;
        return survived;
      };
    let ordinal = 0;
    for (const file of this.#directory.files.values()) {
      file.crash(counted(this.#survival(nowUs, ordinal++)));
    }
    this.#directory.crash(counted(this.#survival(nowUs, -1)));
    const { torn, vanishSyncs } = this.faults;
    if (lost > 0 && kept > 0 && torn.value) this.#world.watch.effective(torn.fault);
    if (vanishSyncs.value > 0) this.#vanish();
    this.#undo = [];
  }

  /** Nothing is broken any more, but for what was damaged or lost. */
  heal(): void {
    this.faults.clear();
  }

  /** What each file holds, as its node would read it. */
  *contents(): Generator<readonly [string, Uint8Array]> {
    for (const [name, file] of this.#directory.files) {
      yield [name, file.data.subarray(0, file.sizeBytes)];
    }
  }

  /** From now on all files together may grow by so much. */
  leaveRoom(fault: number, roomBytes: number): void {
    this.faults.limitBytes.begin(fault, this.#directory.usedBytes + roomBytes);
  }

  /** A new, empty disk; true when something was on the old one. */
  wipe(): boolean {
    const held = this.#directory.usedBytes > 0;
    this.#session++;
    this.#directory = new SimDirectory();
    this.#undo = [];
    this.#misdirected.forget();
    this.faults.clear();
    return held;
  }

  /**
   * Changes a synced byte at rest; false when there is none to change. The newest writes of a file
   * are spared: damage to a batch that nothing later proves is a loss without a trace.
   */
  rot(word: number): boolean {
    const files = [...this.#directory.files.values()].filter((file) => file.durableBytes > 0);
    if (files.length === 0) return false;
    for (let next = 0; next < files.length; next++) {
      const file = files[(word + next) % files.length]!;
      if (flipByte(file, word)) return true;
    }
    return false;
  }

  /** The same to an entry of one group. */
  rotEntryOf(group: GroupId, word: number): boolean {
    const files = [...this.#directory.files.values()];
    return files.some((_, n) => flipEntryOf(files[(word + n) % files.length]!, group, word));
  }

  /** Torn: any sectors, in any order. Else a prefix of each file's changes, mostly an empty one. */
  #survival(nowUs: number, file: number): Survives {
    if (this.faults.torn.value) {
      return (change, sector) => this.#torn.unusual(500, nowUs, file, change, sector);
    }
    let last = -1;
    let kept = true;
    return (change) => {
      if (change !== last) kept = kept && this.#kept.unusual(300, nowUs, file, change);
      last = change;
      return kept;
    };
  }

  #synced(op: number, file: SimFile): DiskResult {
    const { watch } = this.#world;
    const count = file.syncs.shift() ?? 0;
    const { failSyncs, lying } = this.faults;
    if (failSyncs.length > 0) {
      file.forget(count);
      watch.effective(failSyncs.shift()!);
      return failures.ioError;
    }
    if (lying.value) {
      if (count > 0) watch.effective(lying.fault);
      return done;
    }
    this.#misdirected.syncs(file, count);
    const undo = this.#world.keepUndo ? this.#newUndo(file) : null;
    file.commit(count, undo);
    watch.truth(this.#node, op);
    return done;
  }

  #newUndo(file: SimFile): (offset: number, old: Uint8Array, sizeBytes: number) => void {
    const undo: Undo[] = [];
    this.#undo.push(undo);
    if (this.#undo.length > undoSyncsMax) this.#undo.shift();
    return (offset, old, sizeBytes) => undo.push({ file, offset, old, sizeBytes });
  }

  #vanish(): void {
    const { vanishSyncs } = this.faults;
    const syncs = this.#undo.splice(Math.max(0, this.#undo.length - vanishSyncs.value));
    for (const undo of syncs.reverse()) {
      for (const { file, offset, old, sizeBytes } of undo.reverse()) {
        file.revert(offset, old, sizeBytes);
        file.crash(() => false);
      }
    }
    if (syncs.length > 0) this.#world.watch.effective(vanishSyncs.fault);
    vanishSyncs.clear();
  }

  /** Lands the write on older bytes of the same file; false when it cannot or may not yet. */
  #misdirect(file: SimFile, offset: number, bytes: Uint8Array): boolean {
    const before = Math.floor((offset - sparedBytes) / sectorBytes);
    const { watch } = this.#world;
    if (before <= 1 || !this.#misdirected.isProven || !watch.mayLose(this.#node)) return false;
    const word = this.#world.timing.word(this.#world.scheduler.nowUs, this.#node, 7);
    const elsewhere = within(word, 1, before - 1) * sectorBytes;
    file.write(elsewhere, bytes.slice(0, Math.min(bytes.length, offset - sparedBytes - elsewhere)));
    this.#misdirected.wrote(file, offset, bytes);
    watch.effective(this.faults.misdirectWrites.shift()!);
    watch.lost(this.#node);
    return true;
  }

  #hasRoom(growthBytes: number): boolean {
    const { limitBytes } = this.faults;
    if (growthBytes <= 0 || limitBytes.value === Infinity) return true;
    if (this.#directory.usedBytes + growthBytes <= limitBytes.value) return true;
    this.#world.watch.effective(limitBytes.fault);
    return false;
  }

  /** Schedules the answer; a `SimFile` or a number stands for a sync of it or of so many names. */
  #answer(
    op: number,
    file: SimFile | null,
    service: Service,
    payload: DiskResult | SimFile | number,
  ): void {
    const { scheduler, timing } = this.#world;
    const { min, max } = serviceUs[service];
    const word = timing.word(scheduler.nowUs, this.#node, min);
    let takesUs = within(word, min, max);
    const { slowness } = this.faults;
    if (slowness.value > 1) {
      takesUs *= slowness.value;
      this.#world.watch.effective(slowness.fault);
    }
    let startUs = Math.max(scheduler.nowUs, this.submitAtUs);
    if (file !== null) {
      startUs = Math.max(startUs, file.busyUntilUs);
      file.busyUntilUs = startUs + takesUs;
    }
    scheduler.add(startUs + takesUs, eventKind.diskDone, this.#node, this.#session, op, payload);
  }
}

function isResult(payload: unknown): payload is DiskResult {
  return typeof payload === "object" && payload !== null && "ok" in payload;
}
