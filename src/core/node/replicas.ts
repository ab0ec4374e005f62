/** The replicas that live on a node, by group. */
import type { GroupId } from "../ids.js";
import type { ReplicaKey } from "../wal/log-store.js";
import { sameKey } from "./logic.js";
import type { Replica } from "./replica.js";

export class Replicas {
  readonly #byGroup = new Map<GroupId, Replica>();

  #count = 0;

  get count(): number {
    return this.#count;
  }

  find(key: ReplicaKey): Replica | null {
    let replica = this.#byGroup.get(key.group) ?? null;
    while (replica !== null && !sameKey(replica, key)) replica = replica.sibling;
    return replica;
  }

  /** The one that leads, else the newest that lives here; null when the group has none. */
  ofGroup(group: GroupId): Replica | null {
    const newest = this.#byGroup.get(group) ?? null;
    for (let replica = newest; replica !== null; replica = replica.sibling) {
      if (replica.leads) return replica;
    }
    return newest;
  }

  add(replica: Replica): void {
    this.#count++;
    replica.sibling = this.#byGroup.get(replica.group) ?? null;
    this.#byGroup.set(replica.group, replica);
  }

  remove(gone: Replica): void {
    this.#count--;
    const first = this.#byGroup.get(gone.group);
    if (first === gone) {
      if (gone.sibling === null) this.#byGroup.delete(gone.group);
      else this.#byGroup.set(gone.group, gone.sibling);
      return;
    }
    for (let replica = first; replica !== undefined; replica = replica.sibling ?? undefined) {
      if (replica.sibling === gone) replica.sibling = gone.sibling;
    }
  }

  /** For people and for the end of a run: no step ever loops over all. */
  all(): Replica[] {
    const all: Replica[] = [];
    for (const first of this.#byGroup.values()) {
      for (let replica: Replica | null = first; replica !== null; replica = replica.sibling) {
        all.push(replica);
      }
    }
    return all;
  }
}
