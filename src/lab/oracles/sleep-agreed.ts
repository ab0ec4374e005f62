import type { RaftView } from "../../core/raft/view.js";
import type { OracleSpec } from "../oracle.js";
import { replicaKey, where } from "./replica-key.js";

/**
 * Who sleeps gets no more entries until somebody asks, so nobody may sleep who still lacks some, and
 * no leader over a member that does. What a member has once applied it holds for good, or its loss
 * is found when it starts again.
 */
export const sleepAgreed: OracleSpec = {
  id: "sleep-agreed",
  about:
    "a follower sleeps under a leader only when it has applied its whole log, and a leader sleeps only when every member has applied all of its log",
  judges: "step",
  make(report) {
    const appliedMost = new Map<number, number>();
    const asleep = new Set<number>();
    const note = (view: RaftView): void => {
      const key = replicaKey(view);
      appliedMost.set(key, Math.max(appliedMost.get(key) ?? 0, view.applied));
    };
    /** What is wrong with falling asleep in this state; null: nothing. */
    const wrongOf = (view: RaftView): string | null => {
      if (view.applied < view.last || view.damaged) return "its own log is not all applied";
      if (view.role !== "leader") return null;
      const { group, incarnation } = view;
      const { voters, outgoing, learners } = view.configuration;
      const behind = [...voters, ...outgoing, ...learners].filter(
        ({ replica }) =>
          (appliedMost.get(replicaKey({ group, incarnation, replica })) ?? 0) < view.last,
      );
      if (behind.length === 0) return null;
      return `replicas ${behind.map(({ replica }) => replica).join(", ")} have not applied all of it`;
    };
    return {
      replicaStarted(_node, _boot, view) {
        note(view);
        asleep.delete(replicaKey(view));
      },
      changed(_node, view) {
        note(view);
        const key = replicaKey(view);
        if (!view.asleep) asleep.delete(key);
        // Since its start it sleeps under nobody until it is woken.
        if (!view.asleep || asleep.has(key) || view.leader === 0) return;
        asleep.add(key);
        const wrong = wrongOf(view);
        if (wrong === null) return;
        report({
          message: `${where(view)} sleeps at ${view.last} in term ${view.term}, but ${wrong}`,
          shape:
            view.role === "leader" ? "a leader sleeps too early" : "a follower sleeps too early",
          node: view.node,
          group: view.group,
        });
      },
    };
  },
};
