import type { OracleSpec } from "../oracle.js";
import { groupKey, where } from "./replica-key.js";

interface Lease {
  readonly replica: number;
  readonly term: number;
  readonly untilUs: number;
}

/** The share of a lease that clock rates within the promised bound may take away, in thousandths. */
const driftThousandths = 125;

/**
 * Thesis section 6.4.1: while a leader may serve reads by its lease, nobody else leads. Ends of
 * leases are carried over to world time with a margin for drift, so what is reported did overlap.
 */
export const leaseSafety: OracleSpec = {
  id: "lease-safety",
  about: "while a leader's lease holds nobody else leads its group (Raft thesis section 6.4.1)",
  judges: "step",
  make(report) {
    /** group -> node -> the lease that it believes in. */
    const leases = new Map<number, Map<number, Lease>>();
    return {
      changed(node, view) {
        if (view.role !== "leader") leases.get(groupKey(view))?.delete(node);
      },
      stepped(node, view, nowUs, localUs) {
        if (view.role !== "leader") return;
        let group = leases.get(groupKey(view));
        if (group === undefined) leases.set(groupKey(view), (group = new Map()));
        for (const [other, lease] of group) {
          if (other === node || lease.term >= view.term || lease.untilUs <= nowUs) continue;
          report({
            message: `${where(view)} leads term ${view.term} while replica ${lease.replica} on node ${other} may serve reads of term ${lease.term} for another ${lease.untilUs - nowUs} us`,
            shape: "two leaders, the older one with a lease",
            node: view.node,
            group: view.group,
          });
        }
        const leftUs = Math.max(0, view.leaseUntilUs - localUs);
        const sureUs = leftUs - Math.ceil((leftUs * driftThousandths) / 1_000);
        group.set(node, { replica: view.replica, term: view.term, untilUs: nowUs + sureUs });
      },
      crashed(node) {
        for (const group of leases.values()) group.delete(node);
      },
    };
  },
};
