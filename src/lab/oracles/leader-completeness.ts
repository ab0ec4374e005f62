import type { RaftView } from "../../core/raft/view.js";
import type { OracleSpec } from "../oracle.js";
import { groupKey, replicaKey, where } from "./replica-key.js";

/** A committed position: the entry's term, and the term of the replica first seen to commit it. */
interface Committed {
  readonly entryTerm: number;
  readonly byTerm: number;
}

/**
 * Thesis figure 3.2: an entry committed in a given term is present in the logs of the leaders of all
 * higher terms. Judged once, when a replica begins to lead.
 */
export const leaderCompleteness: OracleSpec = {
  id: "leader-completeness",
  about:
    "what is committed in a term stands in the log of every later leader (Raft thesis figure 3.2)",
  judges: "step",
  make(report) {
    const groups = new Map<number, Map<number, Committed>>();
    const committedThrough = new Map<number, number>();
    const led = new Map<number, number>();
    function note(view: RaftView): Map<number, Committed> {
      const key = groupKey(view);
      let committed = groups.get(key);
      if (committed === undefined) groups.set(key, (committed = new Map()));
      const through = committedThrough.get(key) ?? 0;
      if (view.commit <= through) return committed;
      for (let at = Math.max(through + 1, view.first); at <= view.commit; at++) {
        const entryTerm = view.termAt(at as RaftView["last"]);
        if (!committed.has(at)) committed.set(at, { entryTerm, byTerm: view.term });
      }
      committedThrough.set(key, view.commit);
      return committed;
    }
    return {
      changed(_node, view) {
        const committed = note(view);
        if (view.role !== "leader" || led.get(replicaKey(view)) === view.term) return;
        led.set(replicaKey(view), view.term);
        const through = committedThrough.get(groupKey(view)) ?? 0;
        for (let at: number = view.first; at <= through; at++) {
          const entry = committed.get(at);
          if (entry === undefined || entry.byTerm >= view.term) continue;
          const held = at <= view.last ? view.termAt(at as RaftView["last"]) : -1;
          if (held === entry.entryTerm) continue;
          report({
            message:
              `${where(view)} leads term ${view.term} without the entry of term ` +
              `${entry.entryTerm} at ${at}, which term ${entry.byTerm} committed`,
            shape: "leader lacks a committed entry",
            node: view.node,
            group: view.group,
          });
          return;
        }
      },
    };
  },
};
