/**
 * What the disks truly hold, kept from what hosts handed over and what the disks made durable:
 * never from what a replica believes. Terms stand for entries; log matching judges the rest.
 */
import type { RecoveredReplica } from "../../core/consensus.js";
import type { NodeId } from "../../core/ids.js";
import type { PersistRecord } from "../../core/node/observer.js";
import { replicaKey } from "./replica-key.js";

/** The durable state of one replica. */
export interface DurableReplica {
  term: number;
  vote: number;
  /** The position before the first entry: a snapshot's, or 0. */
  base: number;
  baseTerm: number;
  /** `terms[i]` is the term of the entry at `base + 1 + i`. */
  terms: number[];
}

interface Batch {
  readonly id: number;
  readonly persists: readonly PersistRecord[];
}

export class DurableModel {
  readonly #replicas = new Map<number, DurableReplica>();
  /** Handed over in this life and not yet durable, oldest first, for each node. */
  readonly #pending = new Map<number, Batch[]>();
  /** The same of earlier lives: the next start of a replica tells what became of its part. */
  readonly #died = new Map<number, Batch[]>();

  submitted(node: NodeId, id: number, persists: readonly PersistRecord[]): void {
    batchesOf(this.#pending, node).push({ id, persists });
  }

  /** Makes this batch, and every older one of this life of the node, part of what is durable. */
  durable(node: NodeId, id: number): void {
    const batches = batchesOf(this.#pending, node);
    const at = batches.findIndex((batch) => batch.id === id);
    for (const batch of batches.splice(0, at + 1)) {
      for (const persist of batch.persists) apply(this.#create(replicaKey(persist)), persist);
    }
  }

  /** No later sync says anything of what was under way. */
  crashed(node: NodeId): void {
    batchesOf(this.#died, node).push(...batchesOf(this.#pending, node).splice(0));
  }

  /** What is durable of a replica, and what each batch after that made of it, oldest first. */
  stages(node: NodeId, key: number): DurableReplica[] {
    const stages = [this.#create(key)];
    for (const batches of [this.#died, this.#pending]) {
      for (const { persists } of batchesOf(batches, node)) {
        for (const persist of persists) {
          if (replicaKey(persist) !== key) continue;
          const next = clone(stages.at(-1)!);
          apply(next, persist);
          stages.push(next);
        }
      }
    }
    return stages;
  }

  /** A new boot: what was under way survived or did not, and `found` says which. */
  restarted(node: NodeId, key: number, found: DurableReplica): void {
    this.#replicas.set(key, found);
    for (const batches of [this.#died, this.#pending]) {
      const left = batchesOf(batches, node);
      for (const { id, persists } of left.splice(0)) {
        const others = persists.filter((persist) => replicaKey(persist) !== key);
        if (others.length > 0) left.push({ id, persists: others });
      }
    }
  }

  /** Undefined when nothing of the replica was ever durable. */
  of(key: number): DurableReplica | undefined {
    return this.#replicas.get(key);
  }

  #create(key: number): DurableReplica {
    let replica = this.#replicas.get(key);
    if (replica === undefined) {
      replica = { term: 0, vote: 0, base: 0, baseTerm: 0, terms: [] };
      this.#replicas.set(key, replica);
    }
    return replica;
  }
}

function batchesOf(batches: Map<number, Batch[]>, node: NodeId): Batch[] {
  let list = batches.get(node);
  if (list === undefined) batches.set(node, (list = []));
  return list;
}

export function lastOf(replica: DurableReplica): number {
  return replica.base + replica.terms.length;
}

/** The term at a position, the base's own included; -1 outside. */
export function termAt(replica: DurableReplica, at: number): number {
  if (at === replica.base) return replica.baseTerm;
  return replica.terms[at - replica.base - 1] ?? -1;
}

/** What a start found on disk. */
export function asDurable(recovered: RecoveredReplica): DurableReplica {
  return {
    term: recovered.hardState.term,
    vote: recovered.hardState.vote,
    base: recovered.snapshot?.index ?? 0,
    baseTerm: recovered.snapshot?.term ?? 0,
    terms: recovered.entries.map((entry) => entry.term),
  };
}

function clone(replica: DurableReplica): DurableReplica {
  return { ...replica, terms: [...replica.terms] };
}

function apply(replica: DurableReplica, persist: PersistRecord): void {
  if (persist.hardState !== null) {
    replica.term = persist.hardState.term;
    replica.vote = persist.hardState.vote;
  }
  if (persist.truncateFrom > 0) {
    replica.terms.length = Math.min(
      replica.terms.length,
      Math.max(0, persist.truncateFrom - replica.base - 1),
    );
  }
  if (persist.installed !== null) begin(replica, persist.installed.index, persist.installed.term);
  for (const entry of persist.entries) {
    if (entry.index <= replica.base) continue;
    replica.terms[entry.index - replica.base - 1] = entry.term;
  }
}

/** The log goes on after a snapshot: what matches it stays, all else is void. */
function begin(replica: DurableReplica, index: number, term: number): void {
  const kept = termAt(replica, index) === term ? replica.terms.slice(index - replica.base) : [];
  replica.base = index;
  replica.baseTerm = term;
  replica.terms = kept;
}
