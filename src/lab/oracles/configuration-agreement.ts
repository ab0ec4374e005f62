import { type Entry, type SnapshotMeta, entryType } from "../../core/entry.js";
import type { Configuration } from "../../core/raft/configuration.js";
import type { RaftView } from "../../core/raft/view.js";
import type { OracleSpec } from "../oracle.js";
import { groupKey, replicaKey, where } from "./replica-key.js";

/** Applied configurations of one group as text, with their positions, ascending. */
type Applied = { readonly index: number; readonly text: string }[];

/**
 * Thesis sections 4.1 and 5.1: a configuration is what its entry says, for every replica that has
 * the entry, also after a restart; and a snapshot carries the configuration in force at its index.
 */
export const configurationAgreement: OracleSpec = {
  id: "configuration-agreement",
  about:
    "an entry is the same configuration to all, a snapshot has that of its index (Raft thesis 4.1, 5.1)",
  judges: "step",
  make(report) {
    const applied = new Map<number, Applied>();
    /** group -> position and term of an entry -> the configuration that it was taken for. */
    const taken = new Map<number, Map<string, string>>();
    const judged = new Map<number, Configuration>();

    function judgeEntry(view: RaftView): void {
      if (judged.get(replicaKey(view)) === view.configuration) return;
      judged.set(replicaKey(view), view.configuration);
      const at = view.configurationIndex;
      if (at < view.first) return;
      const known = ofGroup(taken, groupKey(view), () => new Map<string, string>());
      const entry = `${at} of term ${view.termAt(at)}`;
      const text = JSON.stringify(view.configuration);
      const other = known.get(entry);
      if (other === undefined) known.set(entry, text);
      else if (other !== text) {
        report({
          message: `${where(view)} takes entry ${entry} for ${text}, which was taken for ${other}`,
          shape: "one entry taken for two configurations",
          node: view.node,
          group: view.group,
        });
      }
    }

    function judgeSnapshot(node: number, group: number, key: number, snapshot: SnapshotMeta): void {
      const stood = ofGroup(applied, key, () => []);
      const text = textOf(snapshot.configuration);
      if (snapshot.index === 0) return note(stood, 0, text);
      const inForce = stood.findLast(({ index }) => index <= snapshot.index);
      if (inForce === undefined || inForce.text === text) return;
      report({
        message: `a snapshot of group ${group} on node ${node} at ${snapshot.index} has another configuration than that of ${inForce.index}, which was in force there`,
        shape: "a snapshot with the configuration of another index",
        node,
        group,
      });
    }

    return {
      replicaStarted(node, _boot, view, { snapshot }) {
        if (snapshot !== null) judgeSnapshot(node, view.group, groupKey(view), snapshot);
        judgeEntry(view);
      },
      changed: (_node, view) => judgeEntry(view),
      applied(_node, view, entries) {
        noteAll(
          ofGroup(applied, groupKey(view), () => []),
          entries,
        );
      },
      released(node, _to, message) {
        if (message.kind !== "snapshotChunk") return;
        judgeSnapshot(node, message.group, groupKey(message), message.snapshot);
      },
    };
  },
};

function ofGroup<T>(groups: Map<number, T>, key: number, make: () => T): T {
  let found = groups.get(key);
  if (found === undefined) groups.set(key, (found = make()));
  return found;
}

function noteAll(stood: Applied, entries: readonly Entry[]): void {
  for (const { type, index, payload } of entries) {
    if (type === entryType.configuration) note(stood, index, textOf(payload));
  }
}

/** Replicas apply the same entries, each at its own time. */
function note(stood: Applied, index: number, text: string): void {
  const after = stood.findIndex((other) => other.index >= index);
  if (after === -1) stood.push({ index, text });
  else if (stood[after]!.index > index) stood.splice(after, 0, { index, text });
}

function textOf(bytes: Uint8Array): string {
  return bytes.join();
}
