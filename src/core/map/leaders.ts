/**
 * Who should lead which group: leaders lie over the nodes by weight, as far as members allow, and as few
 * as possible move. A minimum-cost flow by shortest augmenting paths: a group that stays where it is
 * costs nothing, one that moves costs one.
 */
import { type GroupId, type NodeId, metaGroup } from "../ids.js";
import { capThousandthsDefault, capThousandthsMin, loadMost } from "../ring/load-bounds.js";

export interface LedGroup {
  readonly group: GroupId;
  readonly leader: NodeId;
  /** Nodes of its voters. */
  readonly members: readonly NodeId[];
}

export interface LeadingNode {
  readonly node: NodeId;
  readonly weight: number;
}

export interface LeaderMove {
  readonly group: GroupId;
  readonly node: NodeId;
}

/** A cluster is left alone until some node leads so many more than its share, and a tenth more. */
const unevenLeaders = 2;

/**
 * Transfers that leave no node with more than its share, rounded up, at most `movesMax` of them; none
 * while nobody leads far more than that. Groups that are led elsewhere than on `nodes` are left
 * alone, and so is the map's own, which only counts.
 */
export function leaderMoves(
  groups: readonly LedGroup[],
  nodes: readonly LeadingNode[],
  movesMax: number,
): LeaderMove[] {
  const plan = new LeaderPlan(groups, nodes);
  if (!plan.isUneven) return [];
  while (plan.relieve()) if (plan.moves.length >= movesMax) break;
  return plan.moves.slice(0, movesMax);
}

interface Hop {
  readonly from: number;
  readonly group: number;
  readonly cost: number;
}

class LeaderPlan {
  readonly #nodes: readonly LeadingNode[];
  readonly #groups: readonly LedGroup[];
  /** Positions in `nodes`, for each group those of its members, and of who leads it now. */
  readonly #members: readonly (readonly number[])[];
  readonly #before: readonly number[];
  readonly #after: number[];
  readonly #loads: number[];

  constructor(groups: readonly LedGroup[], nodes: readonly LeadingNode[]) {
    const places = new Map(nodes.map(({ node }, at) => [node, at]));
    this.#nodes = nodes;
    this.#groups = groups.filter(({ leader }) => places.has(leader));
    this.#members = this.#groups.map(({ group, members }) =>
      group === metaGroup ? [] : members.flatMap((node) => places.get(node) ?? []),
    );
    this.#before = this.#groups.map(({ leader }) => places.get(leader)!);
    this.#after = [...this.#before];
    this.#loads = nodes.map(() => 0);
    for (const place of this.#before) this.#loads[place]!++;
  }

  get isUneven(): boolean {
    return this.#nodes.some((_, place) => {
      const load = this.#loads[place]!;
      const most = this.#most(place, capThousandthsMin);
      return load >= most + unevenLeaders && load > this.#most(place, capThousandthsDefault);
    });
  }

  get moves(): LeaderMove[] {
    return this.#groups.flatMap(({ group }, at) => {
      const place = this.#after[at]!;
      return place === this.#before[at] ? [] : [{ group, node: this.#nodes[place]!.node }];
    });
  }

  /** One leader fewer on a node that has too many, one more where there is room; false: not possible. */
  relieve(): boolean {
    const { hops, costs } = this.#cheapestFromFull();
    let end = -1;
    this.#nodes.forEach((_, place) => {
      if (this.#loads[place]! >= this.#most(place, capThousandthsMin)) return;
      if (costs[place]! < (end < 0 ? Infinity : costs[end]!)) end = place;
    });
    if (end < 0) return false;
    this.#loads[end]!++;
    for (let hop = hops[end]!; hop !== null; hop = hops[end]!) {
      this.#after[hop.group] = end;
      end = hop.from;
    }
    this.#loads[end]!--;
    return true;
  }

  /** From all nodes that lead too many, by Bellman and Ford: to take a move back costs less than none. */
  #cheapestFromFull(): { readonly hops: (Hop | null)[]; readonly costs: number[] } {
    const costs = this.#nodes.map((_, place) =>
      this.#loads[place]! > this.#most(place, capThousandthsMin) ? 0 : Infinity,
    );
    const hops: (Hop | null)[] = this.#nodes.map(() => null);
    const edges = this.#cheapestHops();
    for (let round = 0; round < this.#nodes.length; round++) {
      let changed = false;
      for (const { to, ...hop } of edges) {
        const cost = costs[hop.from]! + hop.cost;
        if (cost >= costs[to]!) continue;
        costs[to] = cost;
        hops[to] = hop;
        changed = true;
      }
      if (!changed) break;
    }
    return { hops, costs };
  }

  /** For each pair of nodes the group that goes from one to the other at the least cost. */
  #cheapestHops(): (Hop & { readonly to: number })[] {
    const count = this.#nodes.length;
    const best = new Map<number, Hop & { readonly to: number }>();
    for (let group = 0; group < this.#groups.length; group++) {
      const from = this.#after[group]!;
      const before = this.#before[group]!;
      for (const to of this.#members[group]!) {
        if (to === from) continue;
        const cost = (to === before ? 0 : 1) - (from === before ? 0 : 1);
        const pair = from * count + to;
        if ((best.get(pair)?.cost ?? Infinity) > cost) best.set(pair, { from, to, group, cost });
      }
    }
    return [...best.values()];
  }

  #most(place: number, capThousandths: number): number {
    const { weight } = this.#nodes[place]!;
    const weightSum = this.#nodes.reduce((sum, each) => sum + each.weight, 0);
    return loadMost({ total: this.#groups.length, weight, weightSum }, capThousandths);
  }
}
