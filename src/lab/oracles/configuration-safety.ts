import type { Configuration, Member } from "../../core/raft/configuration.js";
import type { RaftView } from "../../core/raft/view.js";
import type { OracleSpec, Report } from "../oracle.js";
import { replicaKey, where } from "./replica-key.js";

interface Stood {
  readonly configuration: Configuration;
  readonly index: number;
}

/**
 * Thesis chapter 4: majorities of successive configurations always overlap, a leader begins a
 * change only after the one before is committed, and only once it has committed in its own term
 * (Ongaro, raft-dev 2015). A ReplicaId names one replica for ever.
 */
export const configurationSafety: OracleSpec = {
  id: "configuration-safety",
  about:
    "successive configurations overlap, one change at a time, no ReplicaId twice (Raft thesis chapter 4)",
  judges: "step",
  make(report) {
    const last = new Map<number, Stood>();
    const homes = new Map<number, string>();
    return {
      replicaStarted(_node, _boot, view) {
        last.set(replicaKey(view), {
          configuration: view.configuration,
          index: view.configurationIndex,
        });
      },
      changed(_node, view) {
        const key = replicaKey(view);
        const before = last.get(key);
        if (before !== undefined && before.configuration === view.configuration) return;
        last.set(key, { configuration: view.configuration, index: view.configurationIndex });
        judgeIdentities(view, homes, report);
        if (before === undefined || view.role !== "leader") return;
        if (view.configurationIndex <= before.index) return;
        judgeChange(view, before, report);
      },
    };
  },
};

function judgeChange(view: RaftView, before: Stood, report: Report): void {
  const fail = (shape: string): void =>
    report({
      message: `${where(view)} leads term ${view.term}: ${shape}, at ${view.configurationIndex} after ${before.index}`,
      shape,
      node: view.node,
      group: view.group,
    });
  if (before.index > view.commit) fail("a change began before the one before it was committed");
  else if (view.termAt(view.commit) !== view.term && view.commit >= view.first) {
    fail("a change began before the leader committed in its own term");
  } else if (!overlaps(before.configuration, view.configuration)) {
    fail("majorities of successive configurations need not meet");
  }
}

/** One voter more or less, or a step into or out of a joint configuration. */
function overlaps(before: Configuration, after: Configuration): boolean {
  if (before.outgoing.length === 0 && after.outgoing.length > 0) {
    return same(before.voters, after.outgoing);
  }
  if (before.outgoing.length > 0) return same(before.voters, after.voters);
  return different(before.voters, after.voters) <= 1;
}

function different(a: readonly Member[], b: readonly Member[]): number {
  const ofA = new Set(a.map((member) => member.replica));
  const ofB = new Set(b.map((member) => member.replica));
  let count = 0;
  for (const replica of ofA) if (!ofB.has(replica)) count++;
  for (const replica of ofB) if (!ofA.has(replica)) count++;
  return count;
}

function same(a: readonly Member[], b: readonly Member[]): boolean {
  return different(a, b) === 0;
}

function judgeIdentities(view: RaftView, homes: Map<number, string>, report: Report): void {
  const { voters, outgoing, learners } = view.configuration;
  for (const member of [...voters, ...outgoing, ...learners]) {
    const { group, incarnation } = view;
    const key = replicaKey({ group, incarnation, replica: member.replica });
    const home = `node ${member.node} disk ${member.disk}`;
    const known = homes.get(key);
    if (known === undefined) homes.set(key, home);
    else if (known !== home) {
      report({
        message: `${where(view)}: replica ${member.replica} is on ${home}, and was on ${known}`,
        shape: "one ReplicaId for two replicas",
        node: view.node,
        group: view.group,
      });
    }
  }
}
