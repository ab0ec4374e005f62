import type { Append } from "../../core/raft/messages.js";
import type { RaftView } from "../../core/raft/view.js";
import type { OracleSpec } from "../oracle.js";
import { replicaKey } from "./replica-key.js";

interface Log {
  /** Of its replica now. */
  term: number;
  /** By position: the term of the entry that was last seen there. */
  readonly terms: number[];
}

/**
 * Thesis figure 3.1: what a leader appends to others stands in its own log at those positions, and
 * so does the entry before it. Log matching rests on that: the follower can only compare.
 */
export const leaderSendsItsLog: OracleSpec = {
  id: "leader-sends-its-log",
  about: "a leader sends what its own log holds, with the entry before it (Raft thesis figure 3.1)",
  judges: "step",
  make(report) {
    const logs = new Map<number, Log>();
    return {
      replicaStarted(_node, _boot, view) {
        const log: Log = { term: 0, terms: [] };
        logs.set(replicaKey(view), log);
        follow(view, log, view.first);
      },
      changed(_node, view) {
        const log = logs.get(replicaKey(view));
        if (log !== undefined) follow(view, log, view.changedFrom);
      },
      released(node, to, message) {
        if (message.kind !== "append") return;
        const { group, incarnation, from: replica } = message;
        const log = logs.get(replicaKey({ group, incarnation, replica }));
        // Who has stepped down since may have lost what it sent.
        if (log === undefined || log.term !== message.term) return;
        const wrong = firstWrong(log, message);
        if (wrong === null) return;
        report({
          message: `group ${group} replica ${replica} on node ${node} tells node ${to} of an entry of term ${wrong.term} at ${wrong.index}, where its own log has ${log.terms[wrong.index] ?? "nothing"}`,
          shape: "an append that is not in its sender's log",
          node,
          group,
        });
      },
    };
  },
};

/** The position before the first is that of the snapshot below the log, or 0. */
function follow(view: RaftView, log: Log, changedFrom: number): void {
  const { terms } = log;
  log.term = view.term;
  const base = (view.first - 1) as RaftView["last"];
  terms[base] = view.termAt(base);
  for (let at = Math.max(changedFrom, view.first); at <= view.last; at++) {
    terms[at] = view.termAt(at as RaftView["last"]);
  }
  // What was cut is not its log any more.
  if (terms.length > view.last + 1) terms.length = view.last + 1;
}

function firstWrong(
  { terms }: Log,
  { prevIndex, prevTerm, entries }: Append,
): { readonly index: number; readonly term: number } | null {
  if (terms[prevIndex] !== prevTerm) return { index: prevIndex, term: prevTerm };
  return entries.find(({ index, term }) => terms[index] !== term) ?? null;
}
