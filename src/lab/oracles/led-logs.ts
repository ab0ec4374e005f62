/** Which log each leader began its term with: what its followers' acknowledgements are about. */
import type { RaftView } from "../../core/raft/view.js";
import { groupKey } from "./replica-key.js";

interface LedLog {
  /** `terms[i]` is the term of the entry at `base + i`. */
  readonly base: number;
  readonly terms: readonly number[];
}

interface Led {
  readonly group: number;
  readonly incarnation: number;
  readonly term: number;
}

export class LedLogs {
  readonly #groups = new Map<number, Map<number, LedLog>>();

  /** After each step of a leader; only the first in its term is looked at. */
  note(view: RaftView): void {
    let logs = this.#groups.get(groupKey(view));
    if (logs === undefined) this.#groups.set(groupKey(view), (logs = new Map()));
    if (logs.has(view.term)) return;
    const base = view.first - 1;
    const count = view.last - base + 1;
    const terms = Array.from({ length: count }, (_, at) =>
      view.termAt((base + at) as typeof view.last),
    );
    logs.set(view.term, { base, terms });
  }

  /** The term of the leader's entry at a position; -1 when that is not known. */
  termAt({ group, incarnation, term }: Led, at: number): number {
    const log = this.#groups.get(groupKey({ group, incarnation }))?.get(term);
    if (log === undefined || at < log.base) return -1;
    // A leader only appends, and only entries of its own term.
    return log.terms[at - log.base] ?? term;
  }
}
