/** The replicas that live on a node, by group: objects, or rows of those that sleep. */
import type { GroupId, Incarnation } from "../ids.js";
import type { ReplicaKey } from "../wal/log-store.js";
import { sameKey } from "./logic.js";
import type { Replica } from "./replica.js";
import type { Sleepers, SleepingRow } from "./sleepers.js";

export class Replicas {
  readonly #sleepers: Sleepers;
  readonly #unpack: (row: SleepingRow) => Replica;
  /** The newest of a group, or the number under which its only one sleeps in a row. */
  readonly #byGroup = new Map<GroupId, Replica | number>();
  #count = 0;

  /** `unpack` makes an object of a row, and nothing else. */
  constructor(sleepers: Sleepers, unpack: (row: SleepingRow) => Replica) {
    this.#sleepers = sleepers;
    this.#unpack = unpack;
  }

  get count(): number {
    return this.#count;
  }

  has(group: GroupId): boolean {
    return this.#byGroup.has(group);
  }

  /** True for one that sleeps in a row: it stands as it stood, until somebody asks for it. */
  isRow(group: GroupId): boolean {
    return typeof this.#byGroup.get(group) === "number";
  }

  holds(key: ReplicaKey): boolean {
    const first = this.#byGroup.get(key.group);
    if (typeof first === "number") return sameKey(this.#sleepers.row(first).key, key);
    return withKey(first ?? null, key) !== null;
  }

  /** What slept in a row is an object from here on. */
  find(key: ReplicaKey): Replica | null {
    const first = this.#byGroup.get(key.group) ?? null;
    if (typeof first !== "number") return withKey(first, key);
    const row = this.#sleepers.row(first);
    return sameKey(row.key, key) ? this.#unpacked(row) : null;
  }

  /**
   * Of the group's newest life here the one that leads, else the newest; null when the group has none.
   * What is left of an earlier life may believe that it leads.
   */
  ofGroup(group: GroupId): Replica | null {
    const first = this.#byGroup.get(group) ?? null;
    if (typeof first === "number") return this.#unpacked(this.#sleepers.row(first));
    return best(first);
  }

  /** The same only to be looked at: it must not be stepped. */
  peek(group: GroupId): Replica | null {
    const first = this.#byGroup.get(group) ?? null;
    return typeof first === "number" ? this.#unpack(this.#sleepers.row(first)) : best(first);
  }

  /** All of the group that live here, only to be looked at. */
  peekAll(group: GroupId): Replica[] {
    const all: Replica[] = [];
    const first = this.#byGroup.get(group) ?? null;
    if (typeof first === "number") return [this.#unpack(this.#sleepers.row(first))];
    for (let each = first; each !== null; each = each.sibling) all.push(each);
    return all;
  }

  /** All of one life of the group that live here; what slept in a row is an object from here on. */
  findAll(group: GroupId, incarnation: Incarnation): Replica[] {
    const first = this.#byGroup.get(group) ?? null;
    if (typeof first === "number") {
      const row = this.#sleepers.row(first);
      return row.key.incarnation === incarnation ? [this.#unpacked(row)] : [];
    }
    const all: Replica[] = [];
    for (let each = first; each !== null; each = each.sibling)
      if (each.incarnation === incarnation) all.push(each);
    return all;
  }

  /** The one that sleeps under that number. */
  asleep(sleeper: number): Replica {
    return this.#sleepers.object(sleeper) ?? this.#unpacked(this.#sleepers.row(sleeper));
  }

  /** It sleeps: no more of it is kept than its row. False: that does not hold it. */
  pack(replica: Replica): boolean {
    const { group, sibling, sleeper } = replica;
    if (sibling !== null || this.#byGroup.get(group) !== replica) return false;
    if (!this.#sleepers.pack(replica)) return false;
    this.#byGroup.set(group, sleeper);
    return true;
  }

  add(replica: Replica): void {
    this.#count++;
    const first = this.#byGroup.get(replica.group) ?? null;
    // Side by side with another none of them is in a row.
    replica.sibling = typeof first === "number" ? this.asleep(first) : first;
    this.#byGroup.set(replica.group, replica);
  }

  remove(gone: Replica): void {
    this.#count--;
    const first = this.#object(gone.group);
    if (first === gone) {
      if (gone.sibling === null) this.#byGroup.delete(gone.group);
      else this.#byGroup.set(gone.group, gone.sibling);
      return;
    }
    for (let replica = first; replica !== null; replica = replica.sibling) {
      if (replica.sibling === gone) replica.sibling = gone.sibling;
    }
  }

  /** To be looked at, by people and at the end of a run: no step ever loops over all. */
  all(): Replica[] {
    const all: Replica[] = [];
    for (const group of this.#byGroup.keys()) all.push(...this.peekAll(group));
    return all;
  }

  #unpacked(row: SleepingRow): Replica {
    const replica = this.#unpack(row);
    this.#sleepers.unpacked(replica, row);
    this.#byGroup.set(replica.group, replica);
    return replica;
  }

  #object(group: GroupId): Replica | null {
    const first = this.#byGroup.get(group) ?? null;
    return typeof first === "number" ? null : first;
  }
}

function withKey(first: Replica | null, key: ReplicaKey): Replica | null {
  let replica = first;
  while (replica !== null && !sameKey(replica, key)) replica = replica.sibling;
  return replica;
}

function best(newest: Replica | null): Replica | null {
  let found = newest;
  for (let each = newest?.sibling ?? null; found !== null && each !== null; each = each.sibling) {
    const newer = each.incarnation > found.incarnation;
    const leads = each.incarnation === found.incarnation && each.leads && !found.leads;
    if (newer || leads) found = each;
  }
  return found;
}
