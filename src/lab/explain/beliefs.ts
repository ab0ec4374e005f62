/** What each node showed of itself so far: whether it runs, and where its replicas stand. */
import type { TraceData, TraceEvent } from "../../core/trace/schema.js";

export interface Belief extends TraceData<"state"> {
  readonly atUs: number;
}

export interface BeliefChange {
  /** Null for the first that is seen of this boot. */
  readonly before: Belief | null;
  readonly after: Belief;
}

export class Beliefs {
  readonly #replicas = new Map<string, Belief>();
  readonly #down = new Set<number>();

  /** Takes in one event. Returns what its replica believed before and after, if that changed. */
  observe(event: TraceEvent, atUs: number): BeliefChange | null {
    const { node, group, kind, data } = event;
    // A verdict on a node is no sign of life of it.
    if (node <= 0 || kind === "violation") return null;
    if (kind === "crash") {
      this.#down.add(node);
      this.#forget(node);
      return null;
    }
    this.#down.delete(node);
    const key = `${group}/${node}`;
    const before = this.#replicas.get(key) ?? null;
    if (kind === "state") return this.#believe(key, before, { ...data, atUs });
    // Traces without states still tell roles.
    if (kind !== "role" || (before?.role === data.role && before.term === data.term)) return null;
    return this.#believe(key, before, { ...(before ?? nothing), ...data, atUs });
  }

  of(group: number, node: number): Belief | null {
    return this.#replicas.get(`${group}/${node}`) ?? null;
  }

  isDown(node: number): boolean {
    return this.#down.has(node);
  }

  /** One mark for each node, as far as it had shown what it was. */
  lanes(group: number, nodes: readonly number[]): string {
    return nodes
      .map((node) => {
        if (this.#down.has(node)) return "x";
        const role = this.of(group, node)?.role;
        return role === undefined ? "." : (marks[role] ?? "?");
      })
      .join("");
  }

  #believe(key: string, before: Belief | null, after: Belief): BeliefChange {
    this.#replicas.set(key, after);
    return { before, after };
  }

  /** What a process believed goes with it. */
  #forget(node: number): void {
    for (const key of this.#replicas.keys()) {
      if (key.endsWith(`/${node}`)) this.#replicas.delete(key);
    }
  }
}

const nothing: TraceData<"state"> = {
  replica: 0,
  role: "",
  term: 0,
  vote: 0,
  leader: 0,
  commit: 0,
  first: 1,
  last: 0,
};

const marks: Readonly<Record<string, string>> = {
  leader: "L",
  candidate: "c",
  preCandidate: "p",
  follower: "f",
};
