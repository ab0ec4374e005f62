import type { OracleSpec } from "../oracle.js";
import { replicaKey, where } from "./replica-key.js";

/** How many steps of a replica lie between two looks: sizes cannot jump far in so few. */
const everySteps = 64;

/** CONTRACTS: every queue, map and buffer is bounded by a named limit. */
export const bounded: OracleSpec = {
  id: "bounded",
  about: "no queue, map or buffer of a replica grows past its named limit",
  judges: "step",
  make(report) {
    const counts = new Map<number, number>();
    return {
      stepped(_node, view) {
        const key = replicaKey(view);
        const count = (counts.get(key) ?? 0) + 1;
        counts.set(key, count);
        if (count % everySteps !== 0) return;
        for (const bound of view.bounds()) {
          if (bound.size <= bound.limit) continue;
          report({
            message: `${where(view)}: ${bound.name} holds ${bound.size}, its limit is ${bound.limit}`,
            shape: `${bound.name} over its limit`,
            node: view.node,
            group: view.group,
          });
        }
      },
    };
  },
};
