/**
 * The replicas of a node that sleep, each under a number that is its own while it does. Nearly all of
 * them are no objects but rows of a slab (CONTRACTS 11), and made again from it when they are asked for.
 */
import { assert } from "../assert.js";
import { ByteReader, ByteWriter } from "../bytes.js";
import type { Incarnation, GroupId, ReplicaId } from "../ids.js";
import type { Marks } from "../marks.js";
import { fitsRow, rowBytesOf, writeRow } from "../raft/sleeping-row.js";
import type { ReplicaKey } from "../wal/log-store.js";
import { grown } from "./links.js";
import type { Replica } from "./replica.js";
import { Slab } from "./slab.js";

/** Holds a usual replica of three with an empty store. */
const rowBytes = 224;
/** Who would need more stays an object: it is large whatever it is. */
const rowBytesMax = 16_384;

/** What a row says of a replica, before the rest is asked for. */
export interface SleepingRow {
  readonly key: ReplicaKey;
  readonly sleeper: number;
  readonly links: number;
  /** What `writeRow` of its Raft wrote, then the snapshot of its store and, where there are keys, what it knows of them. */
  readonly reader: ByteReader;
}

export class Sleepers {
  readonly #marks: Marks;
  /** Those that are objects. */
  readonly #objects = new Map<number, Replica>();
  readonly #slab = new Slab(rowBytes);
  readonly #writer = new ByteWriter(1_024);
  /** By number: the row, 0 while it is an object; or the next number that is free. */
  #rows: Int32Array = new Int32Array(64);
  #links: Int32Array = new Int32Array(64);
  #groups: Int32Array = new Int32Array(64);
  #used = 0;
  #free = -1;

  constructor(marks: Marks) {
    this.#marks = marks;
  }

  /** A replica has fallen asleep. */
  add(replica: Replica): void {
    const sleeper = this.#take();
    this.#rows[sleeper] = 0;
    this.#groups[sleeper] = replica.group;
    this.#objects.set(sleeper, replica);
    replica.sleeper = sleeper;
  }

  /** It has woken, or is going. */
  remove(replica: Replica): void {
    const { sleeper } = replica;
    this.#objects.delete(sleeper);
    this.#rows[sleeper] = this.#free;
    this.#free = sleeper;
    replica.sleeper = -1;
  }

  /** Null when it is in a row. */
  object(sleeper: number): Replica | null {
    return this.#objects.get(sleeper) ?? null;
  }

  #groupOf(sleeper: number): GroupId {
    return (this.#groups[sleeper]! >>> 0) as GroupId;
  }

  /** Keeps no more of a sleeping replica than its row; false when it must stay an object. */
  pack(replica: Replica): boolean {
    const { sleeper, raft, store, keys } = replica;
    if (!fitsRow(raft.state)) return false;
    if (rowBytesOf(raft.state) > rowBytesMax) {
      this.#marks.hit("tooLargeForRow");
      return false;
    }
    const writer = this.#writer;
    writer.reset();
    writer.u32(replica.incarnation);
    writer.u53(replica.replica);
    writeRow(writer, raft.state);
    writer.varbytes(store.snapshot());
    keys?.write(writer);
    this.#marks.hit("replicaPacked");
    this.#rows[sleeper] = this.#slab.put(writer.written());
    this.#links[sleeper] = replica.links;
    this.#objects.delete(sleeper);
    return true;
  }

  /** Reads the row of `sleeper`, which stays. */
  row(sleeper: number): SleepingRow {
    const row = this.#rows[sleeper]!;
    assert(row > 0, "who is no object has a row", { sleeper });
    const reader = new ByteReader(this.#slab.get(row));
    const incarnation = reader.u32() as Incarnation;
    const replica = reader.u53() as ReplicaId;
    const key = { group: this.#groupOf(sleeper), incarnation, replica };
    return { key, sleeper, links: this.#links[sleeper]!, reader };
  }

  /** `replica` was made of its row, and is an object from now on. */
  unpacked(replica: Replica, { sleeper, links }: SleepingRow): void {
    this.#marks.hit("replicaUnpacked");
    this.#slab.remove(this.#rows[sleeper]!);
    this.#rows[sleeper] = 0;
    this.#objects.set(sleeper, replica);
    replica.sleeper = sleeper;
    replica.links = links;
  }

  #take(): number {
    if (this.#free >= 0) {
      const sleeper = this.#free;
      this.#free = this.#rows[sleeper]!;
      return sleeper;
    }
    if (this.#used === this.#rows.length) {
      const room = this.#used + (this.#used >> 1);
      this.#rows = grown(this.#rows, room);
      this.#links = grown(this.#links, room);
      this.#groups = grown(this.#groups, room);
    }
    return this.#used++;
  }
}
