import type { RaftView } from "../../core/raft/view.js";
import type { OracleSpec } from "../oracle.js";
import { replicaKey, where } from "./replica-key.js";

interface Seen {
  term: number;
  vote: number;
  commit: number;
  applied: number;
}

/** Commit and applied never fall within a boot, terms never fall, a vote is never changed. */
export const monotonic: OracleSpec = {
  id: "monotonic",
  about:
    "the term never falls, a vote is never changed within its term, commit and applied never fall (Raft thesis figure 3.1)",
  judges: "step",
  make(report) {
    const replicas = new Map<number, Seen>();
    function fail(view: RaftView, what: string, from: number, to: number): void {
      report({
        message: `${where(view)}: ${what} went from ${from} to ${to}`,
        shape: `${what} went back`,
        node: view.node,
        group: view.group,
      });
    }
    return {
      replicaStarted(_node, _boot, view) {
        // What was only in memory is gone; `durable-state` judges what had to survive.
        replicas.set(replicaKey(view), {
          term: view.term,
          vote: view.vote,
          commit: view.commit,
          applied: view.applied,
        });
      },
      changed(_node, view) {
        const seen = replicas.get(replicaKey(view));
        if (seen === undefined) return;
        if (view.term < seen.term) fail(view, "term", seen.term, view.term);
        else if (view.term === seen.term && seen.vote !== 0 && view.vote !== seen.vote) {
          fail(view, "vote", seen.vote, view.vote);
        } else if (view.commit < seen.commit) fail(view, "commit", seen.commit, view.commit);
        else if (view.applied < seen.applied) fail(view, "applied", seen.applied, view.applied);
        else if (view.applied > view.commit) {
          fail(view, "applied beyond commit", view.commit, view.applied);
        } else if (view.commit > view.last) {
          fail(view, "commit beyond the log", view.last, view.commit);
        }
        seen.term = view.term;
        seen.vote = view.vote;
        seen.commit = view.commit;
        seen.applied = view.applied;
      },
    };
  },
};
