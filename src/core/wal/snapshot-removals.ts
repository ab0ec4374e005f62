/**
 * Snapshot files that are needed no more. Mostly nothing depends on whether one is really gone, for
 * the next start looks again; but before a data key is erased it must be known that none of them is
 * there any more, nor comes back in a crash.
 */
import type { Disk, DiskResult } from "../ports/disk.js";

interface Leaving {
  readonly index: number;
  /** Its removal failed, or was never asked for. */
  stuck: boolean;
}

/** Whose files they are; by name, null while there are none. */
export interface Leaver {
  leaving: Map<string, Leaving> | null;
}

/** A removal that no sync of the directory has followed. */
export interface Removed {
  readonly leaver: Leaver;
  readonly file: string;
  readonly leaving: Leaving;
}

type Ask = (submit: (op: number) => void, then: (result: DiskResult) => void) => void;

export class SnapshotRemovals {
  readonly #disk: Disk;
  readonly #ask: Ask;
  #removed: Removed[] = [];

  constructor(disk: Disk, ask: Ask) {
    this.#disk = disk;
    this.#ask = ask;
  }

  remove(leaver: Leaver, file: string, index: number, lasting = false): void {
    const leaving = this.leave(leaver, file, index);
    leaving.stuck = false;
    this.#ask(
      (op) => {
        this.#disk.remove(op, file);
      },
      (result) => {
        leaving.stuck = !result.ok && result.error !== "notFound";
        if (leaving.stuck) return;
        this.#removed.push({ leaver, file, leaving });
        if (lasting) this.#sync();
      },
    );
  }

  /** It may be there, and is not wanted; nothing is done about it now. */
  leave(leaver: Leaver, file: string, index: number): Leaving {
    const leaving = { index, stuck: true };
    leaver.leaving ??= new Map();
    leaver.leaving.set(file, leaving);
    return leaving;
  }

  /** A file of that name is wanted again. */
  forget(leaver: Leaver, file: string): void {
    leaver.leaving?.delete(file);
    if (leaver.leaving?.size === 0) leaver.leaving = null;
  }

  /** Sees to it that files of snapshots before `index` are gone for good. */
  settle(leaver: Leaver, index: number): void {
    for (const [file, leaving] of leaver.leaving ?? []) {
      if (leaving.stuck && leaving.index < index) this.remove(leaver, file, leaving.index, true);
    }
    this.#sync();
  }

  /** What a sync of the directory that is about to be asked for makes last; then say `synced`. */
  take(): readonly Removed[] {
    return this.#removed.splice(0);
  }

  synced(removed: readonly Removed[], ok: boolean): void {
    if (!ok) this.#removed.push(...removed);
    else {
      for (const { leaver, file, leaving } of removed) {
        if (leaver.leaving?.get(file) === leaving) this.forget(leaver, file);
      }
    }
  }

  #sync(): void {
    const removed = this.take();
    if (removed.length === 0) return;
    this.#ask(
      (op) => {
        this.#disk.syncDirectory(op);
      },
      (result) => {
        this.synced(removed, result.ok);
      },
    );
  }
}
