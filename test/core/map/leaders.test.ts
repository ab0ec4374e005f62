import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupId, nodeId } from "../../../src/core/ids.js";
import {
  type LeaderMove,
  type LeadingNode,
  type LedGroup,
  leaderMoves,
} from "../../../src/core/map/leaders.js";

/** Groups from 2 on: `led(leader, ...other members)`. */
function groupsOf(...rows: readonly (readonly number[])[]): LedGroup[] {
  return rows.map((members, at) => ({
    group: groupId(at + 2),
    leader: nodeId(members[0]!),
    members: members.map((node) => nodeId(node)),
  }));
}

const even = (count: number, weight = 1): LeadingNode[] =>
  Array.from({ length: count }, (_, at) => ({ node: nodeId(at + 1), weight }));

function loadsAfter(
  groups: readonly LedGroup[],
  nodes: readonly LeadingNode[],
  moves: readonly LeaderMove[],
): number[] {
  const leaders = groups.map(({ group, leader }) => {
    return moves.find((move) => move.group === group)?.node ?? leader;
  });
  return nodes.map(({ node }) => leaders.filter((leader) => leader === node).length);
}

describe("leaders", () => {
  test("all on one node: they are spread, each to another", () => {
    const groups = groupsOf(...Array.from({ length: 6 }, () => [1, 2, 3]));
    const moves = leaderMoves(groups, even(3), 100);
    expect(moves.length).toBe(4);
    expect(loadsAfter(groups, even(3), moves)).toEqual([2, 2, 2]);
  });

  test("a balanced cluster is left alone, and one that is uneven by one", () => {
    const groups = groupsOf([1, 2, 3], [1, 2, 3], [1, 2, 3], [2, 3, 1], [2, 3, 1], [3, 1, 2]);
    expect(leaderMoves(groups, even(3), 100)).toEqual([]);
  });

  test("many leaders: up to a tenth more than its share is left alone", () => {
    const groups = (first: number): LedGroup[] =>
      groupsOf(
        ...Array.from({ length: first }, () => [1, 2]),
        ...Array.from({ length: 200 - first }, () => [2, 1]),
      );
    expect(leaderMoves(groups(110), even(2), 100)).toEqual([]);
    expect(leaderMoves(groups(111), even(2), 100).length).toBe(11);
  });

  test("by weight: who weighs three times as much leads three times as many", () => {
    const groups = groupsOf(...Array.from({ length: 8 }, () => [1, 2]));
    const nodes = [
      { node: nodeId(1), weight: 1 },
      { node: nodeId(2), weight: 3 },
    ];
    expect(loadsAfter(groups, nodes, leaderMoves(groups, nodes, 100))).toEqual([2, 6]);
  });

  test("no direct way: a third node takes one and gives another on", () => {
    // Node 3 has room, but no group of node 1 has a member there.
    const groups = groupsOf([1, 2], [1, 2], [1, 2], [1, 2], [2, 3], [2, 3]);
    const moves = leaderMoves(groups, even(3), 100);
    expect(loadsAfter(groups, even(3), moves)).toEqual([2, 2, 2]);
    expect(moves.length).toBe(4);
  });

  test("the map's own group stays where it is, and counts", () => {
    const groups = [
      { group: groupId(1), leader: nodeId(1), members: [nodeId(1), nodeId(2)] },
      ...groupsOf([1, 2], [1, 2], [1, 2]),
    ];
    const moves = leaderMoves(groups, even(2), 100);
    expect(moves.length).toBe(2);
    expect(moves.every(({ group }) => group > 1)).toBe(true);
  });

  test("groups that are led elsewhere are left alone; nobody is sent there", () => {
    const groups = groupsOf([9, 1], [1, 9], [1, 9], [1, 9], [1, 9, 2]);
    const moves = leaderMoves(groups, even(2), 100);
    expect(moves).toEqual([{ group: 6, node: 2 }]);
  });

  test("no more moves than are allowed", () => {
    const groups = groupsOf(...Array.from({ length: 30 }, () => [1, 2, 3]));
    expect(leaderMoves(groups, even(3), 5).length).toBe(5);
  });
});

const cluster = fc
  .record({
    nodes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
    groups: fc.array(fc.shuffledSubarray([1, 2, 3, 4], { minLength: 1, maxLength: 3 }), {
      minLength: 3,
      maxLength: 7,
    }),
  })
  .map(({ nodes, groups }) => {
    const here = groups.map((members) => members.filter((node) => node <= nodes.length));
    return {
      nodes: nodes.map((weight, at) => ({ node: nodeId(at + 1), weight })),
      groups: groupsOf(...here.filter((members) => members.length > 0)),
    };
  });

/** The best of all ways: least above the shares, then fewest moves. */
function bestByHand(
  groups: readonly LedGroup[],
  nodes: readonly LeadingNode[],
): { readonly above: number; readonly moves: number } {
  const sum = nodes.reduce((all, { weight }) => all + weight, 0);
  const mosts = nodes.map(({ weight }) => Math.ceil((groups.length * weight) / sum));
  let best = { above: Infinity, moves: Infinity };
  const chosen: LeaderMove[] = [];
  const visit = (at: number): void => {
    if (at === groups.length) {
      const above = aboveOf(loadsAfter(groups, nodes, chosen), mosts);
      const moves = chosen.filter(({ node }, n) => node !== groups[n]!.leader).length;
      if (above < best.above || (above === best.above && moves < best.moves))
        best = { above, moves };
      return;
    }
    for (const node of groups[at]!.members) {
      chosen.push({ group: groups[at]!.group, node });
      visit(at + 1);
      chosen.pop();
    }
  };
  visit(0);
  return best;
}

function aboveOf(loads: readonly number[], mosts: readonly number[]): number {
  return loads.reduce((above, load, at) => above + Math.max(0, load - mosts[at]!), 0);
}

test("leaders: nothing, or what no other way does better, in no fewer moves", () => {
  let moved = 0;
  fc.assert(
    fc.property(cluster, ({ groups, nodes }) => {
      const moves = leaderMoves(groups, nodes, 100);
      for (const { group, node } of moves) {
        const of = groups.find((each) => each.group === group)!;
        expect(of.members).toContain(node);
        expect(of.leader).not.toBe(node);
      }
      if (moves.length === 0) return;
      moved++;
      const sum = nodes.reduce((all, { weight }) => all + weight, 0);
      const mosts = nodes.map(({ weight }) => Math.ceil((groups.length * weight) / sum));
      const above = aboveOf(loadsAfter(groups, nodes, moves), mosts);
      expect({ above, moves: moves.length }).toEqual(bestByHand(groups, nodes));
      const settled = groups.map((of) => ({
        ...of,
        leader: moves.find(({ group }) => group === of.group)?.node ?? of.leader,
      }));
      expect(leaderMoves(settled, nodes, 100).length).toBe(0);
    }),
    { seed: 31, numRuns: 2_000 },
  );
  expect(moved).toBeGreaterThan(20);
});
