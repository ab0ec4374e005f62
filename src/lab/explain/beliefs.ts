/** What each node showed of itself so far: whether it runs, and where its replicas stand. */
import type { TraceLine } from "../trace-reader.js";
import { numberIn, textIn } from "./values.js";

export interface Belief {
  readonly replica: number | null;
  readonly role: string;
  readonly term: number;
  readonly vote: number;
  readonly leader: number | null;
  readonly commit: number;
  readonly first: number;
  readonly last: number;
  readonly atUs: number;
}

/** One mark for each node: what it was, as far as it had shown, at that moment. */
export type Lanes = string;

export class Beliefs {
  readonly #replicas = new Map<string, Belief>();
  readonly #down = new Set<number>();
  readonly #nodes = new Set<number>();

  /** Takes in one event. Returns what its replica believed before and after, if that changed. */
  observe(line: TraceLine, atUs: number): { before: Belief | null; after: Belief } | null {
    const { node, group, kind } = line;
    // A verdict on a node is no sign of life of it.
    if (node <= 0 || kind === "violation") return null;
    this.#nodes.add(node);
    if (kind === "crashed" || kind === "stopped") {
      this.#down.add(node);
      this.#forget(node);
      return null;
    }
    this.#down.delete(node);
    const key = `${group}/${node}`;
    const before = this.#replicas.get(key) ?? null;
    const after = changed(before, line, atUs);
    if (after === null) return null;
    this.#replicas.set(key, after);
    return { before, after };
  }

  /** Nodes in their order. */
  get nodes(): readonly number[] {
    return [...this.#nodes].toSorted((a, b) => a - b);
  }

  of(group: number, node: number): Belief | null {
    return this.#replicas.get(`${group}/${node}`) ?? null;
  }

  isDown(node: number): boolean {
    return this.#down.has(node);
  }

  /** `L` leads, `c` campaigns, `p` asks around first, `f` follows, `x` is down, `.` is not known. */
  lanes(group: number, nodes: readonly number[]): Lanes {
    return nodes
      .map((node) => {
        if (this.#down.has(node)) return "x";
        const role = this.of(group, node)?.role;
        return role === undefined ? "." : (marks[role] ?? "?");
      })
      .join("");
  }

  /** What a process believed goes with it. */
  #forget(node: number): void {
    for (const key of this.#replicas.keys()) {
      if (key.endsWith(`/${node}`)) this.#replicas.delete(key);
    }
  }
}

const marks: Readonly<Record<string, string>> = {
  leader: "L",
  candidate: "c",
  preCandidate: "p",
  follower: "f",
};

function changed(before: Belief | null, line: TraceLine, atUs: number): Belief | null {
  const { data, kind } = line;
  const term = numberIn(data, "term");
  if (kind === "leaderKnown") {
    const leader = numberIn(data, "leader");
    return before === null || leader === null ? null : { ...before, leader, atUs };
  }
  const role = textIn(data, "role");
  if (role === null || term === null) return null;
  const or = (name: "vote" | "commit" | "first" | "last"): number =>
    numberIn(data, name) ?? before?.[name] ?? 0;
  // A new term begins without a vote and without a leader, if the event does not tell more.
  const sameTerm = before?.term === term;
  return {
    replica: numberIn(data, "replica") ?? before?.replica ?? null,
    role,
    term,
    vote: numberIn(data, "vote") ?? (sameTerm ? before.vote : 0),
    leader: numberIn(data, "leader") ?? (sameTerm ? before.leader : null),
    commit: or("commit"),
    first: or("first"),
    last: or("last"),
    atUs,
  };
}
