/** Real nodes with a real steward: leaders that all came to be on one node are spread. */
import { expect, test } from "vitest";
import { type Boot, type GroupId, groupId, metaGroup, nodeId } from "../../../src/core/ids.js";
import { ClusterMap } from "../../../src/core/map/cluster-map.js";
import { type MapCommand, encodeMapCommand } from "../../../src/core/map/commands.js";
import { type MultiRaftParts, multiRaft } from "../../../src/core/node/multi-raft-node.js";
import { KvStore } from "../../../src/core/store/kv.js";
import { askAsAdmin } from "./client.js";
import { World } from "./world.js";

const slotCount = 16;
const groups = [1, 2, 3, 4, 5, 6].map((n) => groupId(n));

function startAll(world: World, balanceAfterUs = Infinity): void {
  const founding = groups.map((group) => world.founding(group, [1, 2, 3]));
  for (const node of world.nodes) {
    const parts: MultiRaftParts = {
      founding,
      slotCount,
      machine: (group) =>
        group === metaGroup ? new ClusterMap(node) : new KvStore({ slotCount, marks: node }),
      owned: (group) => ({ from: 0, to: group === metaGroup ? slotCount : 0 }),
      steward: {
        askTimeoutUs: 2_000_000,
        retryUs: 100_000,
        pieceBytes: 1_024,
        laggingMax: 32,
        balanceAfterUs,
      },
    };
    node.start(multiRaft(parts));
  }
}

function leaderIn(world: World, group: GroupId): number {
  world.until(`a leader of ${group}`, () => world.leaderOf(group) !== null);
  return world.leaderOf(group)!.id;
}

function askMap(world: World, command: MapCommand): void {
  const bytes = encodeMapCommand(command);
  world.until("the map has taken it", () => {
    const node = world.node(leaderIn(world, metaGroup));
    return askAsAdmin(world, node, { kind: "map", group: metaGroup, bytes }).kind === "done";
  });
}

function jobsAreOver(world: World): void {
  world.until("all jobs are over", () => {
    const machine = world.leaderOf(metaGroup)?.host!.storeOf(metaGroup)?.machine;
    return machine instanceof ClusterMap && machine.state.jobs.size === 0;
  });
}

/** A cluster with a map whose leaders are all on node 1. */
function lopsided(balanceAfterUs: number): World {
  const world = new World(3);
  startAll(world, balanceAfterUs);
  const members = world.founding(1, [1, 2, 3]).configuration.voters;
  askMap(world, {
    kind: "make",
    slotCount,
    nodes: members.map(({ node, disk }) => ({ node, disk, weight: 1, zone: "", address: "" })),
    groups: groups.map((group) => {
      return { group, incarnation: world.founding(group, [1]).incarnation, weight: 1, members };
    }),
  });
  jobsAreOver(world);
  for (const group of groups) {
    const leader = leaderIn(world, group);
    const to = members[0]!.replica;
    if (leader !== 1) askAsAdmin(world, world.node(leader), { kind: "transfer", group, to });
    world.until("node 1 leads", () => world.leaderOf(group)?.id === 1);
  }
  return world;
}

function loadsIn(world: World): number[] {
  const leaders = groups.map((group) => leaderIn(world, group));
  return [1, 2, 3].map((node) => leaders.filter((leader) => leader === node).length);
}

test("balance: six leaders on one node of three: two stay, the others go elsewhere", () => {
  const world = lopsided(Infinity);
  askMap(world, { kind: "balanceLeaders" });
  jobsAreOver(world);
  expect(loadsIn(world)).toEqual([2, 2, 2]);
  expect(leaderIn(world, metaGroup)).toBe(1);
});

test("balance: unasked: when a node has come, and then no more", () => {
  const world = lopsided(20_000_000);
  expect(loadsIn(world)).toEqual([6, 0, 0]);
  const steward = world.node(1);
  steward.host!.linkUp(nodeId(2), 2 as Boot, world.node(2).diskId);
  world.until("they are spread", () => loadsIn(world).join() === "2,2,2", 60_000);
  const before = steward.marks.leadersBalancedUnasked;
  world.ticks(60_000);
  expect(steward.marks.leadersBalancedUnasked).toBe(before);
  expect(loadsIn(world)).toEqual([2, 2, 2]);
});
