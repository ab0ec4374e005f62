import type { Bound } from "../../core/raft/view.js";
import type { OracleSpec } from "../oracle.js";
import { replicaKey, where } from "./replica-key.js";

/** How many steps of a replica lie between two looks: sizes cannot jump far in so few. */
const everySteps = 64;

/** CONTRACTS: every queue, map and buffer is bounded by a named limit. */
export const bounded: OracleSpec = {
  id: "bounded",
  about: "no queue, map or buffer of a node or a replica grows past its named limit",
  judges: "step",
  make(report) {
    const counts = new Map<number, number>();
    const judge = (bounds: readonly Bound[], node: number, group: number, what: string): void => {
      for (const { name, size, limit } of bounds) {
        if (size <= limit) continue;
        report({
          message: `${what}: ${name} holds ${size}, its limit is ${limit}`,
          shape: `${name} over its limit`,
          node,
          group,
        });
      }
    };
    return {
      stepped(_node, view) {
        const key = replicaKey(view);
        const count = (counts.get(key) ?? 0) + 1;
        counts.set(key, count);
        if (count % everySteps !== 0) return;
        judge(view.bounds(), view.node, view.group, where(view));
      },
      sized(node, group, bounds) {
        judge(bounds, node, group, `node ${node}, group ${group}`);
      },
    };
  },
};
