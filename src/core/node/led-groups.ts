/** The groups that this node's replicas lead, as they say it themselves: asleep or awake. */
import type { GroupId } from "../ids.js";
import type { ReplicaKey } from "../wal/log-store.js";
import { sameKey } from "./logic.js";

export class LedGroups {
  readonly #leaders = new Map<GroupId, ReplicaKey>();

  set(key: ReplicaKey, leads: boolean): void {
    const { group } = key;
    if (leads) this.#leaders.set(group, key);
    // Another replica of the group may lead by now.
    else if (sameKey(this.#leaders.get(group) ?? key, key)) this.#leaders.delete(group);
  }

  /** Of those above `above` the `count` lowest, ascending. Looks at all: for whoever balances leaders. */
  page(above: number, count: number): GroupId[] {
    const groups = [...this.#leaders.keys()].filter((group) => group > above);
    return groups.sort((a, b) => a - b).slice(0, count);
  }
}
