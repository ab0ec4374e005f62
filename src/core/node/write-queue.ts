/**
 * What replicas asked to be made durable and no batch has taken yet. Writes of one replica keep
 * their order and a batch has at most one of each: the newest waiting one grows by what follows.
 */
import { assert } from "../assert.js";
import type { ConsensusEffect } from "../consensus.js";
import { type Entry, type HardState, type SnapshotMeta, entryType } from "../entry.js";
import type { GroupId, Incarnation, Index, ReplicaId, Token } from "../ids.js";
import { noToken } from "../ids.js";
import type { Marks } from "../marks.js";
import { batchBytesOf, entryRecordBytes, foundingRecordBytes } from "../wal/batch.js";
import type { ReplicaKey, WalWrite } from "../wal/log-store.js";
import type { PersistRecord } from "./observer.js";

export type PersistEffect = Extract<ConsensusEffect<never>, { kind: "persist" }>;

/** Who hears what became of a write. Outside of any step of its own. */
export interface Writer extends ReplicaKey {
  /** True: its ordinary appends may be refused before others' votes and configurations. */
  readonly leads: boolean;
  /** What is committed may not be refused for long: reads would wait for it to be applied here. */
  readonly commit: Index;
  /** The newest write that no batch has taken; only the queue writes this. */
  waiting: QueuedWrite | null;
  /** The newest batch that took a write of its; only the queue writes this. */
  lastBatch: number;
  /** All up to `token` is durable. */
  persisted(token: Token): void;
  /** Nothing of `token` or later ones is on disk. */
  persistFailed(token: Token): void;
}

export interface QueuedWrite extends WalWrite, PersistRecord {
  readonly writer: Writer;
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
  /** The newest token that is whole with this write; 0 while its last piece is still to come. */
  token: Token;
  /** The oldest token of which anything is in this write. */
  firstToken: Token;
  hardState: HardState | null;
  truncateFrom: Index;
  entries: Entry[];
  installed: SnapshotMeta | null;
  repaired: boolean;
  readonly created: SnapshotMeta | null;
  removed: boolean;
  /** Of its records on disk. */
  bytes: number;
}

export class WriteQueue {
  readonly #marks: Marks;
  /** A batch keeps below this on disk, and a write below half of it. */
  readonly #batchBytesMax: number;
  #queue: QueuedWrite[] = [];
  #batches = 0;

  constructor(batchBytesMax: number, marks: Marks) {
    this.#batchBytesMax = batchBytesMax;
    this.#marks = marks;
  }

  get size(): number {
    return this.#queue.length;
  }

  persist(writer: Writer, effect: PersistEffect): void {
    const { token, hardState, truncateFrom, installed } = effect;
    let write = writer.waiting;
    if (write === null || write.bytes >= this.#pieceBytesMax) write = this.#begin(writer, null);
    else this.#marks.hit("persistsMerged");
    if (write.firstToken === noToken) write.firstToken = token;
    if (hardState !== null) write.hardState = hardState;
    if (truncateFrom > 0) cut(write, truncateFrom);
    if (installed !== null) restart(write, installed);
    if (effect.repaired) write.repaired = true;
    for (const entry of effect.entries) {
      const bytes = entryRecordBytes(entry);
      if (write.bytes + bytes > this.#pieceBytesMax && write.entries.length > 0) {
        this.#marks.hit("writeSplit");
        write = this.#begin(writer, null);
        write.firstToken = token;
      }
      write.entries.push(entry);
      write.bytes += bytes;
    }
    // Only the last piece makes the token durable.
    write.token = token;
  }

  /** The founding record of a new replica; `token` tells its writer when it is durable. */
  create(writer: Writer, founding: SnapshotMeta, token: Token): void {
    const write = this.#begin(writer, founding);
    write.bytes += foundingRecordBytes(founding);
    write.token = token;
    write.firstToken = token;
  }

  /** The last write of a replica: nothing of it is needed any more. */
  remove(writer: Writer, token: Token): void {
    const write = writer.waiting ?? this.#begin(writer, null);
    write.removed = true;
    write.token = token;
    if (write.firstToken === noToken) write.firstToken = token;
  }

  /** The oldest writes that fit into one batch. */
  take(): QueuedWrite[] {
    const batch = ++this.#batches;
    const queue = this.#queue;
    let bytes = 0;
    let count = 0;
    for (; count < queue.length; count++) {
      const write = queue[count]!;
      bytes += write.bytes;
      const fits = batchBytesOf(count + 1, bytes) <= this.#batchBytesMax;
      if (count > 0 && !fits) break;
      if (write.writer.lastBatch === batch) break;
      write.writer.lastBatch = batch;
      if (write.writer.waiting === write) write.writer.waiting = null;
    }
    if (count === queue.length) {
      this.#queue = [];
      return queue;
    }
    return queue.splice(0, count);
  }

  /** Everything of this writer that no batch has taken is void. */
  drop(writer: Writer): void {
    writer.waiting = null;
    if (this.#queue.some((write) => write.writer === writer)) {
      this.#queue = this.#queue.filter((write) => write.writer !== writer);
    }
  }

  get #pieceBytesMax(): number {
    return this.#batchBytesMax >> 1;
  }

  #begin(writer: Writer, created: SnapshotMeta | null): QueuedWrite {
    const { group, incarnation, replica } = writer;
    const write: QueuedWrite = {
      writer,
      group,
      incarnation,
      replica,
      token: noToken,
      firstToken: noToken,
      hardState: null,
      truncateFrom: 0 as Index,
      entries: [],
      installed: null,
      repaired: false,
      created,
      removed: false,
      bytes: 0,
    };
    this.#queue.push(write);
    writer.waiting = write;
    return write;
  }
}

/** What may use the room that is kept on a full disk (CONTRACTS 2). */
export function isEssential(write: QueuedWrite): boolean {
  if (write.hardState !== null || write.installed !== null) return true;
  if (write.created !== null || write.removed) return true;
  const { leads, commit } = write.writer;
  if (!leads || (write.entries[0]?.index ?? Infinity) <= commit) return true;
  return write.entries.some(({ type }) => type === entryType.configuration);
}

/** Entries from `from` on are void, those of this write included. */
function cut(write: QueuedWrite, from: Index): void {
  const { entries } = write;
  while (entries.length > 0 && entries.at(-1)!.index >= from) {
    write.bytes -= entryRecordBytes(entries.pop()!);
  }
  if (write.truncateFrom === 0 || from < write.truncateFrom) write.truncateFrom = from;
}

/** A snapshot takes the place of all that was to be written before it. */
function restart(write: QueuedWrite, installed: SnapshotMeta): void {
  assert(write.created === null, "a replica is founded before it installs a snapshot");
  write.installed = installed;
  write.truncateFrom = 0 as Index;
  write.entries.length = 0;
  write.bytes = 0;
}
