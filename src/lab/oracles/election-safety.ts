import type { OracleSpec } from "../oracle.js";
import { groupKey, replicaKey, where } from "./replica-key.js";

/** Thesis figure 3.2: at most one leader can be elected in a given term. */
export const electionSafety: OracleSpec = {
  id: "election-safety",
  about: "at most one leader per term of a group (Raft thesis figure 3.2)",
  judges: "step",
  make(report) {
    /** group -> term -> the replica that led it. */
    const leaders = new Map<number, Map<number, number>>();
    const lastTermLed = new Map<number, number>();
    return {
      changed(_node, view) {
        if (view.role !== "leader") return;
        const replica = replicaKey(view);
        if (lastTermLed.get(replica) === view.term) return;
        lastTermLed.set(replica, view.term);
        let terms = leaders.get(groupKey(view));
        if (terms === undefined) leaders.set(groupKey(view), (terms = new Map()));
        const other = terms.get(view.term);
        if (other === undefined) terms.set(view.term, view.replica);
        else if (other !== view.replica) {
          report({
            message: `${where(view)} leads term ${view.term}, which replica ${other} led already`,
            shape: "two leaders in one term",
            node: view.node,
            group: view.group,
          });
        }
      },
    };
  },
};
