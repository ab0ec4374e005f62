import type { OracleSpec } from "../oracle.js";
import { replicaKey, where } from "./replica-key.js";

/**
 * Thesis section 3.6.2: only entries of the leader's own term are committed by counting replicas,
 * those before them are committed with them. Else a later leader may still replace what was counted
 * (figure 3.7), so counting is judged where it happens and not only where it has done harm.
 */
export const commitInOwnTerm: OracleSpec = {
  id: "commit-in-own-term",
  about:
    "what a leader commits by counting ends in an entry of its own term (Raft thesis section 3.6.2)",
  judges: "step",
  make(report) {
    const commits = new Map<number, number>();
    return {
      replicaStarted(_node, _boot, view) {
        commits.set(replicaKey(view), view.commit);
      },
      changed(_node, view) {
        const before = commits.get(replicaKey(view)) ?? 0;
        commits.set(replicaKey(view), view.commit);
        if (view.role !== "leader" || view.commit <= before) return;
        const entryTerm = view.termAt(view.commit);
        if (entryTerm === view.term) return;
        report({
          message: `${where(view)} leads term ${view.term} and committed up to ${view.commit}, an entry of term ${entryTerm}`,
          shape: "an entry of an older term committed by counting",
          node: view.node,
          group: view.group,
        });
      },
    };
  },
};
