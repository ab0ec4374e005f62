/**
 * Which nodes hold a group: rendezvous with weights for each group, over zones first, with bounded
 * loads. Each replica in turn goes to one node among those that hold none of the group:
 * 1. of the zones that still have such a node, only those with the fewest replicas of the group, so
 *    that the group is in as many zones as can be, and evenly;
 * 2. of their nodes only those below their cap, ceil(cap * share) replicas. Where zones are unequal all
 *    may have reached it: then those below the cap that follows if these nodes are all that there are;
 * 3. of these the one that wins the group.
 * The order of the nodes in the list changes nothing.
 */
import { assert } from "../assert.js";
import { votersMax } from "../quorum/majority.js";
import { Contest } from "./contest.js";
import { idWords } from "./id-words.js";
import { loadMost } from "./load-bounds.js";
import { type HashTarget, targetsProblem } from "./scheme.js";

export interface PlacementNode<Id extends number = number> extends HashTarget<Id> {
  /** Nodes with the same name may fail together. */
  readonly zone: string;
  /** How many replicas it holds, of all groups. */
  readonly load: number;
  /** A node that is `draining` gets no replica; what it holds still counts where zones are counted. */
  readonly state: "active" | "draining";
}

export interface TooFewNodes {
  readonly kind: "refused";
  readonly reason: "tooFewNodes";
}

export type Placement<Id extends number = number> =
  { readonly kind: "placed"; readonly nodes: readonly Id[] } | TooFewNodes;

export type Replacement<Id extends number = number> =
  { readonly kind: "replaced"; readonly node: Id } | TooFewNodes;

/** Of a new group with `replication` replicas, from 1 to `votersMax`. Nodes are in order of choice. */
export function placeReplicas<Id extends number>(request: {
  /** The group's id. */
  readonly group: number;
  readonly nodes: readonly PlacementNode<Id>[];
  readonly replication: number;
  readonly capThousandths: number;
}): Placement<Id> {
  const { replication } = request;
  const isCount = Number.isInteger(replication) && replication >= 1 && replication <= votersMax;
  assert(isCount, "a group has from 1 to votersMax replicas", { replication });
  const nodes: Id[] = [];
  while (nodes.length < replication) {
    const node = nextNode({ ...request, toPlace: replication, holders: nodes, barred: nodes });
    if (node === null) return { kind: "refused", reason: "tooFewNodes" };
    nodes.push(node);
  }
  return { kind: "placed", nodes };
}

/**
 * The node that takes over when `leaving`, one of the group's `members`, gives up its replica. The
 * other members stay where they are. Members may be missing in `nodes`: they then count for no zone.
 */
export function replacement<Id extends number>(request: {
  readonly group: number;
  readonly nodes: readonly PlacementNode<Id>[];
  readonly members: readonly Id[];
  readonly leaving: Id;
  readonly capThousandths: number;
}): Replacement<Id> {
  const { members, leaving } = request;
  assert(members.includes(leaving), "who leaves is a member", { leaving });
  const holders = members.filter((id) => id !== leaving);
  const node = nextNode({ ...request, toPlace: 1, holders, barred: members });
  return node === null ? { kind: "refused", reason: "tooFewNodes" } : { kind: "replaced", node };
}

interface Choice<Id extends number> {
  readonly group: number;
  readonly nodes: readonly PlacementNode<Id>[];
  /** How many replicas of the group come on top of all loads. */
  readonly toPlace: number;
  readonly capThousandths: number;
  /** Who holds a replica of the group beside the one that is placed. */
  readonly holders: readonly Id[];
  /** Who may not be chosen. */
  readonly barred: readonly Id[];
}

function nextNode<Id extends number>(choice: Choice<Id>): Id | null {
  const { nodes, barred, toPlace, capThousandths } = choice;
  checkNodes(nodes);
  const active = nodes.filter(({ state }) => state === "active");
  const free = active.filter(({ id }) => !barred.includes(id));
  const apart = inEmptiestZones(free, choice);
  if (apart.length === 0) return null;
  const inCluster = withRoom(apart, { sharers: active, toPlace, capThousandths });
  // Never empty: what they carry and one more is less than all their caps together.
  const inZones = () => withRoom(apart, { sharers: apart, toPlace: 1, capThousandths });
  const contest = new Contest(inCluster.length > 0 ? inCluster : inZones());
  const all = new Uint8Array(contest.targets.length).fill(1);
  return contest.targets[contest.winner(idWords(choice.group)[0], all)]!.id;
}

function inEmptiestZones<Id extends number>(
  candidates: readonly PlacementNode<Id>[],
  { nodes, holders }: Choice<Id>,
): readonly PlacementNode<Id>[] {
  const held = new Map<string, number>();
  for (const { id, zone } of nodes) {
    if (holders.includes(id)) held.set(zone, (held.get(zone) ?? 0) + 1);
  }
  const heldBeside = ({ zone }: PlacementNode): number => held.get(zone) ?? 0;
  const fewest = candidates.reduce((least, node) => Math.min(least, heldBeside(node)), Infinity);
  return candidates.filter((node) => heldBeside(node) === fewest);
}

/** Of the candidates; what the sharers carry and what is to be placed is shared by their weights. */
function withRoom<Id extends number>(
  candidates: readonly PlacementNode<Id>[],
  bounds: {
    readonly sharers: readonly PlacementNode[];
    readonly toPlace: number;
    readonly capThousandths: number;
  },
): readonly PlacementNode<Id>[] {
  const { sharers, toPlace, capThousandths } = bounds;
  const total = sharers.reduce((sum, { load }) => sum + load, toPlace);
  const weightSum = sharers.reduce((sum, { weight }) => sum + weight, 0);
  return candidates.filter(
    ({ load, weight }) => load < loadMost({ total, weight, weightSum }, capThousandths),
  );
}

function checkNodes(nodes: readonly PlacementNode[]): void {
  const problem = nodes.length === 0 ? null : targetsProblem(nodes);
  assert(problem === null, "nodes are distinct and of sound weights", { problem });
  const sound = nodes.every(({ load }) => Number.isSafeInteger(load) && load >= 0);
  assert(sound, "a load is a whole number from 0");
}
