import { shorten } from "../../core/arrays.js";
import type { RaftView } from "../../core/raft/view.js";
import type { OracleSpec, Report } from "../oracle.js";
import { groupKey, replicaKey, where } from "./replica-key.js";

/** What is known of one replica's log: a chained hash over (term, entry) up to each position. */
interface Chain {
  /** `hashes[i]` belongs to position `base + i`; `hashes[0]` to the one before the log's first. */
  base: number;
  hashes: number[];
  /** The term at each of these positions. */
  terms: number[];
}

/** The hash where a log begins after a snapshot that nobody was seen to hold as entries. */
const unknown = -1;

/** For one position of a group: which chained hash each term's entry there stands for. */
type Seen = Map<number, number>;

/**
 * Thesis figure 3.2: if two logs contain an entry with the same index and term, then the logs are
 * identical in all entries up through that index.
 */
export const logMatching: OracleSpec = {
  id: "log-matching",
  about: "same index and term, then same log up to there (Raft thesis figure 3.2)",
  judges: "step",
  make(report) {
    const chains = new Map<number, Chain>();
    const groups = new Map<number, Map<number, Seen>>();
    function extend(view: RaftView): void {
      let positions = groups.get(groupKey(view));
      if (positions === undefined) groups.set(groupKey(view), (positions = new Map()));
      let chain = chains.get(replicaKey(view));
      if (chain === undefined)
        chains.set(replicaKey(view), (chain = { base: 0, hashes: [0], terms: [0] }));
      follow(view, chain, positions, report);
    }
    return {
      replicaStarted(_node, _boot, view) {
        chains.delete(replicaKey(view));
        extend(view);
      },
      changed(_node, view) {
        if (view.changedFrom <= view.last) extend(view);
      },
    };
  },
};

function follow(view: RaftView, chain: Chain, positions: Map<number, Seen>, report: Report): void {
  let from = Math.max(view.first, Math.min(view.changedFrom, chain.base + chain.hashes.length));
  if (chain.terms[from - 1 - chain.base] !== view.termAt(asIndex(from - 1))) {
    // The log began anew after a snapshot: its hash so far is what others had at that position.
    from = view.first;
    const before = from - 1;
    const known = before === 0 ? 0 : positions.get(before)?.get(view.termAt(asIndex(before)));
    chain.base = before;
    chain.hashes = [known ?? unknown];
    chain.terms = [view.termAt(asIndex(before))];
  }
  shorten(chain.hashes, from - chain.base);
  shorten(chain.terms, from - chain.base);
  for (let at = from; at <= view.last; at++) {
    const term = view.termAt(asIndex(at));
    const previous = chain.hashes[at - 1 - chain.base] ?? unknown;
    chain.terms.push(term);
    if (previous === unknown) {
      chain.hashes.push(unknown);
      continue;
    }
    const hash = mix(mix(previous, term), view.entryDigest(asIndex(at)));
    chain.hashes.push(hash);
    let seen = positions.get(at);
    if (seen === undefined) positions.set(at, (seen = new Map()));
    const other = seen.get(term);
    if (other === undefined) seen.set(term, hash);
    else if (other !== hash) {
      report({
        message: `${where(view)} holds another entry of term ${term} at ${at}, or another log before it, than a replica seen earlier`,
        shape: "same index and term, different logs",
        node: view.node,
        group: view.group,
      });
      return;
    }
  }
}

function mix(hash: number, word: number): number {
  let h = Math.imul(hash ^ (word >>> 0), 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca77);
  return (h ^ (h >>> 13)) >>> 0;
}

function asIndex(at: number): RaftView["last"] {
  return at as RaftView["last"];
}
