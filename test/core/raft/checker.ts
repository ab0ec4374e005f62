/** The properties of figure 3.2 of Raft's thesis, judged after every step from views alone. */
import type { Entry } from "../../../src/core/entry.js";
import type { RaftView } from "../../../src/core/raft/view.js";

export class Checker {
  /** term -> its leader. */
  readonly #leaders = new Map<number, number>();
  /** index -> what was committed there: term and digest. */
  readonly #chosen = new Map<number, string>();
  /** index -> the term in which its being committed was first seen. */
  readonly #chosenIn = new Map<number, number>();
  /** (index, term) -> the term before it and the digest. */
  readonly #entries = new Map<string, string>();
  readonly #applied = new Map<number, string>();
  /** The highest position that anyone ever committed. */
  chosenMax = 0;
  readonly #seen = new Map<number, { term: number; vote: number; commit: number; led: number }>();
  /** Leader with a lease: replica -> term, until. */
  readonly #leases = new Map<number, { term: number; untilUs: number }>();

  stepped(view: RaftView, nowUs: number): void {
    this.#monotonic(view);
    if (view.role === "leader") this.#leads(view, nowUs);
    else this.#leases.delete(view.replica);
    if (view.changedFrom <= view.last) this.#matching(view, view.changedFrom);
    this.#agrees(view);
    for (const { name, size, limit } of view.bounds()) {
      if (size > limit) throw new Error(`${name}: ${size} of at most ${limit}`);
    }
    if (view.waitsFor() === "") throw new Error("a replica says what it waits for");
  }

  applied(replica: number, entry: Entry): void {
    const what = `${entry.term}/${entry.type}/${entry.payload.join()}`;
    const before = this.#applied.get(entry.index) ?? what;
    if (before !== what) throw new Error(`state-machine safety: ${replica} at ${entry.index}`);
    this.#applied.set(entry.index, what);
  }

  crashed(replica: number): void {
    this.#seen.delete(replica);
    this.#leases.delete(replica);
  }

  /** For a test that makes up entries: what was seen of logs counts no more. */
  forget(): void {
    this.#entries.clear();
  }

  #leads(view: RaftView, nowUs: number): void {
    const leader = this.#leaders.get(view.term) ?? view.replica;
    if (leader !== view.replica) throw new Error(`election safety: two leaders of ${view.term}`);
    if (!this.#leaders.has(view.term)) {
      for (const [index, chosen] of this.#chosen) {
        // A late leader of an older term owes nothing to what a newer one committed.
        if (this.#chosenIn.get(index)! >= view.term) continue;
        if (index < view.first || this.#at(view, index) === chosen) continue;
        throw new Error(`leader completeness: ${view.replica} lacks ${index}`);
      }
    }
    this.#leaders.set(view.term, view.replica);
    for (const [replica, lease] of this.#leases) {
      if (replica === view.replica || lease.term >= view.term || lease.untilUs <= nowUs) continue;
      throw new Error(`lease safety: ${view.replica} leads during the lease of ${replica}`);
    }
    this.#leases.set(view.replica, { term: view.term, untilUs: view.leaseUntilUs });
  }

  #matching(view: RaftView, from: number): void {
    for (let at = Math.max(from, view.first); at <= view.last; at++) {
      const key = `${at}/${view.termAt(at as never)}`;
      const what = `${view.termAt((at - 1) as never)}/${view.entryDigest(at as never)}`;
      const before = this.#entries.get(key) ?? what;
      if (before !== what) throw new Error(`log matching: ${view.replica} at ${key}`);
      this.#entries.set(key, what);
    }
  }

  #monotonic(view: RaftView): void {
    const before = this.#seen.get(view.replica);
    const led = view.role === "leader" ? view.term : 0;
    if (before !== undefined) {
      if (view.term < before.term) throw new Error("the term fell");
      if (view.term === before.term && before.vote !== 0 && view.vote !== before.vote) {
        throw new Error("the vote changed");
      }
      if (view.commit < before.commit) throw new Error("commit fell");
    }
    if (view.applied > view.commit || view.commit > view.last) throw new Error("applied > commit");
    this.#seen.set(view.replica, { term: view.term, vote: view.vote, commit: view.commit, led });
  }

  readonly #checkedThrough = new Map<number, number>();

  #agrees(view: RaftView): void {
    const through = this.#checkedThrough.get(view.replica) ?? 0;
    const from = Math.max(view.first, Math.min(through + 1, view.commit));
    for (let at = from; at <= view.commit; at++) {
      const what = this.#at(view, at);
      const chosen = this.#chosen.get(at) ?? what;
      if (chosen !== what) throw new Error(`committed ${at} differs on ${view.replica}`);
      if (!this.#chosen.has(at)) this.#chosenIn.set(at, view.term);
      this.#chosen.set(at, what);
      this.chosenMax = Math.max(this.chosenMax, at);
    }
    this.#checkedThrough.set(view.replica, view.commit);
  }

  #at(view: RaftView, index: number): string {
    return `${view.termAt(index as never)}/${view.entryDigest(index as never)}`;
  }
}
