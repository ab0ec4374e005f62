/** Reads entries back. Every record is verified: against its checksum, its place and its replica. */
import { getU32 } from "../bytes.js";
import type { Entry } from "../entry.js";
import type { Index, RequestId } from "../ids.js";
import type { DiskResult } from "../ports/disk.js";
import { readEntry } from "./batch.js";
import type { WalContext } from "./context.js";
import { type LogIndex, type ReplicaLog, placeOffset, placeSegment } from "./log-index.js";
import type { ReplicaKey, WalEvent } from "./log-store.js";
import {
  recordEnd,
  recordField,
  recordType,
  recordTypeAt,
  recordVersion,
  recordVersionAt,
} from "./record.js";
import { segmentFile } from "./segment.js";

interface PendingRead {
  readonly key: ReplicaKey;
  readonly request: RequestId;
  readonly log: ReplicaLog;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly bytesMax: number;
  /** Where `from` stood when it was asked for. */
  readonly place: number;
  readonly salt: number;
}

/** Records of others between two entries that are still read over rather than asked anew. */
const gapBytesMax = 16 * 1024;

export class EntryReader {
  readonly #context: WalContext;
  readonly #index: LogIndex;
  readonly #pending = new Map<number, PendingRead>();

  constructor(context: WalContext, index: LogIndex) {
    this.#context = context;
    this.#index = index;
  }

  /** Reads under way. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Asks for `[from, to)`: one read of the disk, so the answer may be shorter, but never empty
   * unless `to` is not above `from`. Null at once when the first entry is not there.
   */
  read(
    key: ReplicaKey,
    request: RequestId,
    from: Index,
    to: Index,
    bytesMax: number,
    out: WalEvent[],
  ): void {
    const log = this.#index.find(key.group, key.incarnation, key.replica);
    const end = log === null ? 0 : Math.min(to, log.last + 1);
    if (to <= from) {
      out.push({ kind: "logRead", key, request, entries: [] });
      return;
    }
    const there = log !== null && this.#index.placeAt(log, from) !== 0;
    if (!there || this.#pending.size >= this.#context.options.readsMax) {
      out.push({ kind: "logRead", key, request, entries: null });
      return;
    }
    this.#ask(key, request, log, from, end, bytesMax);
  }

  /** `from` has a place. */
  #ask(
    key: ReplicaKey,
    request: RequestId,
    log: ReplicaLog,
    from: number,
    to: number,
    bytesMax: number,
  ): void {
    const { stop, bytes } = this.#span(log, from, to, bytesMax);
    const place = this.#index.placeAt(log, from);
    const segment = placeSegment(place);
    const { salt } = this.#index.segment(segment);
    const op = this.#context.nextOp();
    this.#pending.set(op, { key, request, log, from, to: stop, bytesMax, place, salt });
    this.#context.disk.read(op, segmentFile(segment), placeOffset(place), bytes);
  }

  /** False: not an operation of this reader. */
  diskDone(op: number, result: DiskResult, out: WalEvent[]): boolean {
    const read = this.#pending.get(op);
    if (read === undefined) return false;
    this.#pending.delete(op);
    const { key, request, log, from, to, bytesMax, place } = read;
    const bytes = result.ok ? result.bytes : null;
    const entries = bytes === null ? null : this.#collect(read, bytes);
    const now = this.#index.placeAt(log, from);
    if (entries === null && now !== place && now !== 0) {
      // A checkpoint wrote it again elsewhere, or another took its place: that one is asked for.
      this.#context.marks.hit("readFollowedEntry");
      this.#ask(key, request, log, from, Math.min(to, log.last + 1), bytesMax);
      return true;
    }
    if (entries === null && now === place) this.#context.marks.hit("readBackRotten");
    out.push({ kind: "logRead", key, request, entries });
    return true;
  }

  /** How far one read from the place of `from` reaches: same segment, ascending, few gaps. */
  #span(
    log: ReplicaLog,
    from: number,
    to: number,
    bytesMax: number,
  ): { stop: number; bytes: number } {
    const begin = this.#index.placeAt(log, from);
    let end = begin + this.#index.sizeAt(log, from);
    let payload = end - begin;
    let next = from + 1;
    for (; next < to; next++) {
      const place = this.#index.placeAt(log, next);
      const size = this.#index.sizeAt(log, next);
      if (place < end || place - end > gapBytesMax) break;
      if (placeSegment(place) !== placeSegment(begin)) break;
      if (payload + size > bytesMax) break;
      if (place + size - begin > this.#context.options.readBytesMax) break;
      payload += size;
      end = place + size;
    }
    return { stop: next, bytes: end - begin };
  }

  /** The leading entries that are intact and still where they were; null when the first is not. */
  #collect(read: PendingRead, bytes: Uint8Array): Entry[] | null {
    const entries: Entry[] = [];
    for (let index = read.from; index < read.to; index++) {
      const place = this.#index.placeAt(read.log, index);
      const at = place - read.place;
      if (at < 0 || at >= bytes.length) break;
      const offset = placeOffset(place);
      const entry = entryIn(bytes, at, offset, read.salt, read.log, index, this.#context);
      if (entry === null) break;
      entries.push(entry);
    }
    return entries.length === 0 ? null : entries;
  }
}

/** The entry `index` of `log` in the record at `bytes[at]`, which stands at `offset`; else null. */
export function entryIn(
  bytes: Uint8Array,
  at: number,
  offset: number,
  salt: number,
  log: ReplicaLog,
  index: number,
  context: WalContext,
): Entry | null {
  const end = recordEnd(bytes, at, bytes.length, offset, salt, context.crc32);
  if (end === 0 || recordTypeAt(bytes, at) !== recordType.entry) return null;
  if (recordVersionAt(bytes, at) !== recordVersion) return null;
  if (getU32(bytes, at + recordField.group) !== log.group) return null;
  if (getU32(bytes, at + recordField.incarnation) !== log.incarnation) return null;
  const found = readEntry(bytes, at, end);
  if (found === null || found.replica !== log.replica || found.entry.index !== index) return null;
  return found.entry;
}
