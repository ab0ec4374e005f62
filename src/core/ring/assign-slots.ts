/**
 * Which group serves which slot: rendezvous with loads bounded from both sides. Plain rendezvous is
 * uneven where a group has few slots: with 16 for each, one group has twice its share.
 *
 * With share = slotCount * weight / sum of weights and the cap as a factor, for any previous
 * assignment:
 * 1. Each group has from floor(share / cap) to ceil(share * cap) slots.
 * 2. A slot changes its owner only if the owner is gone, or has more than it may, or another group has
 *    less than it must.
 * 3. No assignment with property 1 changes fewer slots. If `left` slots have lost their owner, groups
 *    are above their most by `excess` slots and below their least by `lack`, then exactly
 *    max(left + excess, lack) slots change.
 * 4. Rendezvous decides among the groups that may take a slot. A group above its most gives up the
 *    slots of its poorest draws; a group below its least takes the slots of its best draws from groups
 *    that have more than theirs.
 *
 * So when a group goes, what it leaves brings the others to their least for the larger share, but for
 * rounding, and nothing else moves. When one comes, it is given its least; between the others nothing
 * moves but what exceeds their smaller cap, and of that the new group gets what it lacks first.
 *
 * The result depends on the previous assignment; whoever computes it from the same gets the same.
 */
import { assert } from "../assert.js";
import { mix32 } from "../hash.js";
import { slotCountMax } from "../store/slots.js";
import { Contest } from "./contest.js";
import { loadLeast, loadMost } from "./load-bounds.js";
import type { HashTarget } from "./scheme.js";

/** Names these rules: replicas of different versions must not compute different owners. */
export const slotAssignmentName = "hrw-bounded/1";

export interface SlotAssignment<Id extends number = number> {
  /** From 1 to `slotCountMax`. They may as well be equal runs of slots, numbered from 0. */
  readonly slotCount: number;
  /** No problem for `targetsProblem`; in any order. */
  readonly groups: readonly HashTarget<Id>[];
  /** In thousandths, see `load-bounds.ts`. */
  readonly capThousandths: number;
  /** The owner of each slot so far, also one that is not among `groups` any more; null for none. */
  readonly previous: readonly (Id | null)[] | null;
}

/**
 * The owner of each slot. A first assignment costs a draw for each pair of slot and group, some
 * tenths of a second for 65,536 slots and 1,000 groups; later ones cost that for the slots that have
 * lost their owner and for the groups that lack slots. Throws InvariantError on a request that is not
 * as stated.
 */
export function assignSlots<Id extends number>(request: SlotAssignment<Id>): Id[] {
  const state = standing(request);
  releaseExcess(state);
  placeFree(state);
  fillLacking(state);
  return Array.from(state.owners, (owner) => state.contest.targets[owner]!.id);
}

interface Assigning<Id extends number> {
  readonly contest: Contest<Id>;
  /** By slot: a target of the contest, or `nobody`. */
  readonly owners: Int32Array;
  /** By target, as all below. */
  readonly loads: Int32Array;
  readonly least: readonly number[];
  readonly most: readonly number[];
}

const nobody = -1;

function standing<Id extends number>(request: SlotAssignment<Id>): Assigning<Id> {
  const { slotCount, groups, capThousandths, previous } = request;
  const isCount = Number.isInteger(slotCount) && slotCount >= 1 && slotCount <= slotCountMax;
  assert(isCount, "there are from 1 to slotCountMax slots", { slotCount });
  assert((previous?.length ?? slotCount) === slotCount, "each slot has its previous owner");
  const contest = new Contest(groups);
  const weightSum = contest.targets.reduce((sum, { weight }) => sum + weight, 0);
  const shares = contest.targets.map(({ weight }) => ({ total: slotCount, weight, weightSum }));
  const places = new Map<number, number>(contest.targets.map(({ id }, at) => [id, at]));
  const owners = new Int32Array(slotCount).fill(nobody);
  const loads = new Int32Array(contest.targets.length);
  for (const [slot, id] of (previous ?? []).entries()) {
    const owner = id === null ? undefined : places.get(id);
    if (owner === undefined) continue;
    owners[slot] = owner;
    loads[owner]!++;
  }
  return {
    contest,
    owners,
    loads,
    least: shares.map((share) => loadLeast(share, capThousandths)),
    most: shares.map((share) => loadMost(share, capThousandths)),
  };
}

/** Groups above their most give up the slots that they want least. */
function releaseExcess({ contest, owners, loads, most }: Assigning<number>): void {
  const held = new Map<number, number[]>();
  for (const [group, load] of loads.entries()) if (load > most[group]!) held.set(group, []);
  if (held.size === 0) return;
  for (const [slot, owner] of owners.entries()) held.get(owner)?.push(slot);
  for (const [group, slots] of held) {
    const draws = new Map(slots.map((slot) => [slot, contest.draw(group, slotKey(slot))]));
    slots.sort((a, b) => draws.get(a)! - draws.get(b)! || a - b);
    for (const slot of slots.slice(0, loads[group]! - most[group]!)) {
      owners[slot] = nobody;
      loads[group]!--;
    }
  }
}

/**
 * Slots without an owner go to the winner among the groups with room; from where on there are no more
 * of them than groups lack, among those that lack.
 */
function placeFree({ contest, owners, loads, least, most }: Assigning<number>): void {
  let free = owners.reduce((count, owner) => count + (owner === nobody ? 1 : 0), 0);
  let lack = lacking(loads, least);
  let limit = most;
  let open = below(loads, limit);
  for (let slot = 0; slot < owners.length && free > 0; slot++) {
    if (owners[slot] !== nobody) continue;
    if (limit === most && free <= lack) {
      limit = least;
      open = below(loads, limit);
    }
    const winner = contest.winner(slotKey(slot), open);
    owners[slot] = winner;
    if (loads[winner]! < least[winner]!) lack--;
    if (++loads[winner]! >= limit[winner]!) open[winner] = 0;
    free--;
  }
}

/**
 * Groups that still lack slots take them from groups that have more than their least. Each slot has
 * one candidate, its winner among those that lack; the best draws come first. A candidate that has
 * got enough meanwhile leaves slots over for another round, and each round moves one slot at least.
 */
function fillLacking({ contest, owners, loads, least }: Assigning<number>): void {
  const candidates = new Int32Array(owners.length);
  const draws = new Float64Array(owners.length);
  while (lacking(loads, least) > 0) {
    const open = below(loads, least);
    const spare = below(least, loads);
    const slots = Uint32Array.from(owners.keys()).filter((slot) => spare[owners[slot]!] === 1);
    for (const slot of slots) {
      const winner = contest.winner(slotKey(slot), open);
      candidates[slot] = winner;
      draws[slot] = contest.draw(winner, slotKey(slot));
    }
    slots.sort((a, b) => draws[b]! - draws[a]! || a - b);
    for (const slot of slots) {
      const from = owners[slot]!;
      const to = candidates[slot]!;
      if (loads[from]! <= least[from]! || loads[to]! >= least[to]!) continue;
      owners[slot] = to;
      loads[from]!--;
      loads[to]!++;
    }
  }
}

function lacking(loads: Int32Array, least: readonly number[]): number {
  return least.reduce((sum, bound, group) => sum + Math.max(0, bound - loads[group]!), 0);
}

/** 1 for each whose first number is below its second. */
function below(first: ArrayLike<number>, second: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(first, (load, at) => (load < second[at]! ? 1 : 0));
}

/** Neighbouring slots have unlike keys. */
function slotKey(slot: number): number {
  return mix32(slot);
}
