import type { RaftView } from "../../core/raft/view.js";
import type { OracleSpec, Report } from "../oracle.js";
import { groupKey, replicaKey, where } from "./replica-key.js";

/** Position -> term and digest of the entry that was first seen committed there. */
interface Chosen {
  readonly term: number;
  readonly digest: number;
}

/**
 * Thesis figure 3.2, state machine safety, in two halves: what is committed at a position is the
 * same entry everywhere and for ever, and equal prefixes give equal states.
 */
export const stateMachineSafety: OracleSpec = {
  id: "state-machine-safety",
  about:
    "a committed entry is the same on every replica for ever, and so is the state after it (Raft thesis figure 3.2)",
  judges: "step",
  make(report) {
    const chosen = new Map<number, Map<number, Chosen>>();
    const states = new Map<number, Map<number, readonly [number, number]>>();
    const committed = new Map<number, number>();
    function ofGroup(view: RaftView): Map<number, Chosen> {
      let group = chosen.get(groupKey(view));
      if (group === undefined) chosen.set(groupKey(view), (group = new Map()));
      return group;
    }
    function judgeState(view: RaftView, index: number, digest: readonly [number, number]): void {
      let group = states.get(groupKey(view));
      if (group === undefined) states.set(groupKey(view), (group = new Map()));
      const other = group.get(index);
      if (other === undefined) group.set(index, [digest[0], digest[1]]);
      else if (other[0] !== digest[0] || other[1] !== digest[1]) {
        report({
          message: `${where(view)} has another state after ${index} than a replica seen earlier`,
          shape: "different states after the same position",
          node: view.node,
          group: view.group,
        });
      }
    }
    return {
      replicaStarted(_node, _boot, view) {
        committed.set(replicaKey(view), Math.min(view.commit, view.first - 1));
      },
      changed(_node, view) {
        const key = replicaKey(view);
        const before = committed.get(key) ?? 0;
        if (view.commit <= before && view.changedFrom > before) return;
        const from = Math.min(before + 1, view.changedFrom);
        judgeEntries(view, from, ofGroup(view), report);
        committed.set(key, Math.max(before, view.commit));
      },
      applied(_node, view, entries, digest) {
        const last = entries.at(-1);
        if (last !== undefined) judgeState(view, last.index, digest);
      },
      restored(_node, view, index, digest) {
        judgeState(view, index, digest);
      },
    };
  },
};

function judgeEntries(
  view: RaftView,
  from: number,
  chosen: Map<number, Chosen>,
  report: Report,
): void {
  for (let at = Math.max(from, view.first); at <= view.commit; at++) {
    const index = at as RaftView["last"];
    const term = view.termAt(index);
    const digest = view.entryDigest(index);
    const other = chosen.get(at);
    if (other === undefined) chosen.set(at, { term, digest });
    else if (other.term !== term || other.digest !== digest) {
      report({
        message: `${where(view)} holds an entry of term ${term} as committed at ${at}, where one of term ${other.term} was committed before`,
        shape: "different entries committed at one position",
        node: view.node,
        group: view.group,
      });
      return;
    }
  }
}
