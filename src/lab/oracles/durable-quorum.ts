import type { Configuration, Member } from "../../core/raft/configuration.js";
import type { RaftView } from "../../core/raft/view.js";
import type { OracleSpec } from "../oracle.js";
import { DurableModel, asDurable, termAt } from "./durable-model.js";
import { replicaKey, where } from "./replica-key.js";

/**
 * A leader counts an entry as committed only when the disks of a majority of every configuration in
 * force truly hold it. What a fault destroyed later still counts as having been held.
 */
export const durableQuorum: OracleSpec = {
  id: "durable-quorum",
  about: "what a leader commits is on the disks of a majority (Raft thesis section 3.6, 4.3)",
  judges: "step",
  make(report) {
    const model = new DurableModel();
    const commits = new Map<number, number>();
    function holds(view: RaftView, member: Member, at: number, term: number): boolean {
      const key = replicaKey({
        group: view.group,
        incarnation: view.incarnation,
        replica: member.replica,
      });
      const durable = model.of(key);
      return durable !== undefined && (at < durable.base || termAt(durable, at) === term);
    }
    function missing(view: RaftView, configuration: Configuration): string | null {
      const term = view.termAt(view.commit);
      for (const half of [configuration.voters, configuration.outgoing]) {
        if (half.length === 0) continue;
        const holders = half.filter((member) => holds(view, member, view.commit, term));
        if (2 * holders.length <= half.length) return `${holders.length} of ${half.length} voters`;
      }
      return null;
    }
    return {
      submitted: (node, batch, persists) => model.submitted(node, batch, persists),
      durable: (node, batch) => model.durable(node, batch),
      crashed: (node) => model.crashed(node),
      replicaStarted(node, _boot, view, recovered) {
        const key = replicaKey(view);
        commits.set(key, view.commit);
        // Whether it found what it should `durable-state` judges. What rotted was held.
        const held = recovered.damagedThrough > 0 ? model.of(key) : undefined;
        model.restarted(node, key, held ?? asDurable(recovered));
      },
      changed(_node, view) {
        const before = commits.get(replicaKey(view)) ?? 0;
        if (view.commit <= before) return;
        commits.set(replicaKey(view), view.commit);
        if (view.role !== "leader") return;
        const held = missing(view, view.configuration);
        if (held === null) return;
        report({
          message: `${where(view)} leads term ${view.term} and committed ${view.commit}, which only ${held} hold on disk`,
          shape: "committed without a durable majority",
          node: view.node,
          group: view.group,
        });
      },
    };
  },
};
