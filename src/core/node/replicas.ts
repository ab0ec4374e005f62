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

  /**
   * Of the group's newest life here the one that leads, else the newest; null when the group has none.
   * What is left of an earlier life may believe that it leads.
   */
  ofGroup(group: GroupId): Replica | null {
    let best = this.#byGroup.get(group) ?? null;
    if (best === null || best.sibling === null) return best;
    for (
      let replica = best.sibling as Replica | null;
      replica !== null;
      replica = replica.sibling
    ) {
      const newer = replica.incarnation > best.incarnation;
      const leads = replica.incarnation === best.incarnation && replica.leads && !best.leads;
      if (newer || leads) best = replica;
    }
    return best;
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
