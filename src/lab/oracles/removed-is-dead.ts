import type { PersistRecord } from "../../core/node/observer.js";
import type { OracleSpec } from "../oracle.js";
import { replicaKey } from "./replica-key.js";

/**
 * CONTRACTS 4: once a disk truly holds that a replica was removed from it, that replica never speaks
 * or starts there again, whatever messages and requests of its time still arrive.
 */
export const removedIsDead: OracleSpec = {
  id: "removed-is-dead",
  about: "a replica whose removal is durable never speaks or starts again on that disk",
  judges: "step",
  make(report) {
    /** node -> batch -> replicas whose removal it holds. */
    const batches = new Map<number, Map<number, readonly number[]>>();
    /** node -> replicas that are dead on its disk. */
    const dead = new Map<number, Set<number>>();
    const isDead = (node: number, key: number): boolean => dead.get(node)?.has(key) === true;
    return {
      submitted(node, batch, persists) {
        const removed = persists.filter((persist) => persist.removed).map(keyOf);
        if (removed.length === 0) return;
        let own = batches.get(node);
        if (own === undefined) batches.set(node, (own = new Map()));
        own.set(batch, removed);
      },
      durable(node, batch) {
        const removed = batches.get(node)?.get(batch) ?? [];
        let own = dead.get(node);
        if (own === undefined) dead.set(node, (own = new Set()));
        for (const key of removed) own.add(key);
      },
      crashed(node) {
        batches.delete(node);
      },
      diskLost(node) {
        dead.delete(node);
      },
      replicaStarted(node, _boot, view) {
        if (!isDead(node, replicaKey(view))) return;
        report({
          message: `replica ${view.replica} of group ${view.group}, incarnation ${view.incarnation}, was removed from node ${node} and has started there again`,
          shape: "a removed replica started",
          node,
          group: view.group,
        });
      },
      released(node, to, message) {
        const { group, incarnation, from: replica, kind } = message;
        if (!isDead(node, replicaKey({ group, incarnation, replica }))) return;
        report({
          message: `replica ${replica} of group ${group}, incarnation ${incarnation}, was removed from node ${node} and has sent ${kind} to node ${to}`,
          shape: "a removed replica spoke",
          node,
          group,
        });
      },
    };
  },
};

function keyOf(persist: PersistRecord): number {
  return replicaKey(persist);
}
