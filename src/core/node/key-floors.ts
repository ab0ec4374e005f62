/**
 * What a node still has on disk of keys that are erased. Members are asked before a key is erased; but a
 * node may have been none then, with what a former replica left in its log, and come back afterwards.
 */
import type { GroupId, Index } from "../ids.js";
import type { ReplicaKey } from "../wal/log-store.js";
import type { NodeContext } from "./context.js";
import type { Replica } from "./replica.js";
import type { Replicas } from "./replicas.js";
import type { Sleeper } from "./wake-heap.js";

/** Looked at again after so long: files are emptied one by one. */
const againUs = 200_000;

interface Floor {
  readonly key: ReplicaKey;
  /** The oldest epoch of which anything may stay. */
  readonly epoch: number;
}

export class KeyFloors implements Sleeper {
  wakeAtUs: number = Infinity;
  wakeSlot = -1;
  readonly #context: NodeContext;
  readonly #replicas: Replicas;
  /** Where something older is left, by group and incarnation. */
  readonly #below = new Map<string, Floor>();

  constructor(context: NodeContext, replicas: Replicas) {
    this.#context = context;
    this.#replicas = replicas;
  }

  /** A replica knows no key below `epoch` any more. To be called from within a step. */
  raise(key: ReplicaKey, epoch: number): void {
    const { wal, wakes, nowUs, marks } = this.#context;
    const name = nameOf(key);
    if ((this.#below.get(name)?.epoch ?? 0) >= epoch || !wal.holdsBelow(key, epoch)) return;
    marks.hit("erasedWhileAway");
    this.#below.set(name, { key: { ...key }, epoch });
    wakes.wakeAt(this, nowUs);
  }

  woken(): void {
    for (const [name, { key, epoch }] of this.#below) {
      if (this.clear(key, epoch)) this.#below.delete(name);
    }
    const { wakes, nowUs } = this.#context;
    wakes.wakeAt(this, this.#below.size === 0 ? Infinity : nowUs + againUs);
  }

  /**
   * True: nothing that is sealed under a key below that epoch is left here of any replica of that
   * incarnation, whichever `key` names. Else it is seen to, step by step, each time when asked.
   */
  clear(key: ReplicaKey, epoch: number): boolean {
    const here = this.#replicas.findAll(key.group, key.incarnation);
    if (here.length === 0) return this.#clearLog(key, epoch);
    const clean = here.map((replica) => {
      if (replica.leaving) return false;
      const isClear = this.#clearReplica(replica, epoch);
      // To look at it was to make an object of its row.
      if (replica.sleeper >= 0) replica.rest();
      return isClear;
    });
    return clean.every(Boolean);
  }

  /** Nothing is left here of the group's keys below those that its replicas know. */
  isClear(group: GroupId): boolean {
    return [...this.#below.values()].every(({ key }) => key.group !== group);
  }

  #clearReplica(replica: Replica, epoch: number): boolean {
    const { key, keys } = replica;
    const { snapshots, wal } = this.#context;
    const since = keys?.keys.at(epoch)?.since;
    // It has not heard of that key yet.
    if (since === undefined) return false;
    if (!wal.holdsBelow(key, epoch) && snapshots.onlyFrom(key, since as Index)) return true;
    replica.step({ kind: "compactNow" }, epoch);
    snapshots.dropOlder(key);
    wal.vacate(key, epoch);
    return false;
  }

  #clearLog(key: ReplicaKey, epoch: number): boolean {
    const { wal } = this.#context;
    if (!wal.holdsBelow(key, epoch)) return true;
    wal.vacate(key, epoch);
    return false;
  }
}

function nameOf({ group, incarnation }: ReplicaKey): string {
  return `${group}/${incarnation}`;
}
