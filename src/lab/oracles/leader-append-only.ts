import type { OracleSpec } from "../oracle.js";
import { replicaKey, where } from "./replica-key.js";

interface Led {
  term: number;
  last: number;
}

/** Thesis figure 3.2: a leader never overwrites or deletes entries in its log. */
export const leaderAppendOnly: OracleSpec = {
  id: "leader-append-only",
  about: "a leader never overwrites or deletes entries in its log (Raft thesis figure 3.2)",
  judges: "step",
  make(report) {
    const led = new Map<number, Led>();
    return {
      changed(_node, view) {
        if (view.role !== "leader") return;
        const key = replicaKey(view);
        const before = led.get(key);
        if (before === undefined || before.term !== view.term) {
          led.set(key, { term: view.term, last: view.last });
          return;
        }
        if (view.changedFrom <= before.last || view.last < before.last) {
          report({
            message:
              `${where(view)} leads term ${view.term} and changed its log from ` +
              `${view.changedFrom} on, though it had held entries up to ${before.last}`,
            shape: "leader changed what it had appended",
            node: view.node,
            group: view.group,
          });
        }
        before.last = view.last;
      },
    };
  },
};
