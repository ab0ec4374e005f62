/**
 * The last misdirected write of one disk, until a later write proves that there was one.
 *
 * Its own place still holds what was there before. If it was the newest batch of a log, a restart
 * takes that for a torn tail and cuts it: synced data would be lost without a trace, which no
 * protocol survives (CONTRACTS 6). So a crash that comes before the proof finds the write where it
 * belongs, and only the older bytes that it landed on are damaged.
 */
import type { Change, SimFile } from "./files.js";

interface Unproven {
  readonly file: SimFile;
  /** What landed elsewhere. */
  readonly change: Change;
  /** Where it belongs, and all of it. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  isSynced: boolean;
}

export class Misdirected {
  #last: Unproven | null = null;

  get isProven(): boolean {
    return this.#last === null;
  }

  /** The newest change of `file` should have been `bytes` at `offset`. */
  wrote(file: SimFile, offset: number, bytes: Uint8Array): void {
    this.#last = { file, change: file.changes.at(-1)!, offset, bytes, isSynced: false };
  }

  /** The oldest `count` changes of `file` are about to become durable. */
  syncs(file: SimFile, count: number): void {
    const last = this.#last;
    if (last === null || last.file !== file) return;
    const synced = file.changes.slice(0, count);
    const endsAt = last.offset + last.bytes.length;
    if (last.isSynced && synced.some(({ offset }) => offset >= endsAt)) this.#last = null;
    if (synced.includes(last.change)) last.isSynced = true;
  }

  /** The power goes. */
  crash(): void {
    const last = this.#last;
    this.#last = null;
    if (last === null) return;
    const { file, change, offset, bytes, isSynced } = last;
    if (isSynced) file.putDurable(offset, bytes);
    else file.changes = file.changes.filter((each) => each !== change);
  }

  forget(): void {
    this.#last = null;
  }
}
