import { expect, test } from "vitest";
import { groupId } from "../../../src/core/ids.js";
import type { AdminRequest } from "../../../src/core/store/admin-protocol.js";
import { multiRaft } from "../../../src/core/node/multi-raft-node.js";
import { Client, askAsAdmin } from "./client.js";
import { type Node, World } from "./world.js";

type MemberChange = Extract<AdminRequest, { kind: "change" }>["changes"][number];

const key = groupId(1);

/** Four nodes, three of them with a voter, and one of these that does not lead. */
class Rig {
  readonly world = new World(4);
  readonly client: Client;
  readonly gone: Node;

  constructor() {
    const { world } = this;
    const parts = { founding: [world.founding(1, [1, 2, 3])] };
    for (const node of world.nodes) {
      node.start(multiRaft(parts));
      world.until("it runs", () => node.host!.stage === "running");
    }
    this.client = new Client(world, 1);
    this.client.put("a", "1");
    this.gone = world.nodes.find((node) => node !== this.leader && this.holds(node))!;
  }

  get leader(): Node {
    return this.client.leader();
  }

  holds(node: Node): boolean {
    return node.host!.viewOf(key) !== null;
  }

  replicasOn(node: Node): readonly number[] {
    const views = node.host!.groupViews().filter(({ group }) => group === key);
    return views.map(({ replica }) => replica);
  }

  /** Nothing of Raft reaches the replica that goes any more. */
  cutOff(replica: number): void {
    this.world.passes = (_from, _to, message) => !("term" in message) || message.to !== replica;
  }

  change(...changes: readonly MemberChange[]): void {
    const { world, leader } = this;
    const before = leader.host!.viewOf(key)!.configurationIndex;
    askAsAdmin(world, leader, { kind: "change", group: key, changes, at: null });
    world.until("the change is committed", () => {
      const { configurationIndex, commit, configuration } = leader.host!.viewOf(key)!;
      const isDone = configurationIndex > before && configurationIndex <= commit;
      return isDone && configuration.outgoing.length === 0;
    });
  }
}

test("removals: a voter that never heard of its removal is told when it would campaign", () => {
  const rig = new Rig();
  const { world, gone } = rig;
  const [replica] = rig.replicasOn(gone);
  rig.cutOff(replica!);
  rig.change({ op: "remove", replica: gone.host!.viewOf(key)!.replica });
  expect(rig.holds(gone)).toBe(true);
  world.until("it is gone", () => !rig.holds(gone));
  const told = world.nodes.map(({ marks }) => marks.removedReplicaTold ?? 0);
  expect(Math.max(...told)).toBeGreaterThan(0);
  expect(gone.marks.removedReplica).toBeUndefined();
  expect(gone.marks.replicaRemoved).toBe(1);
});

test("removals: a member that cannot hear its leader is told nothing", () => {
  const rig = new Rig();
  const { world, gone } = rig;
  rig.cutOff(rig.replicasOn(gone)[0]!);
  world.ticks(5_000);
  expect(rig.holds(gone)).toBe(true);
  expect(world.nodes.map(({ marks }) => marks.removedReplicaTold)).toEqual(
    Array(4).fill(undefined),
  );
});

test("removals: a learner that never heard of it goes with the next replica on its node", () => {
  const rig = new Rig();
  const { world } = rig;
  const spare = world.nodes.find((node) => !rig.holds(node))!;
  const joins = { op: "addLearner", node: spare.id, disk: spare.diskId } as const;
  rig.change(joins);
  world.until("it is there", () => rig.holds(spare));
  const [first] = rig.replicasOn(spare);
  rig.cutOff(first!);
  rig.change({ op: "remove", replica: spare.host!.viewOf(key)!.replica });
  world.ticks(5_000);
  expect(rig.replicasOn(spare)).toEqual([first]);
  rig.change(joins);
  world.until("the newer one alone is there", () => {
    const [only, ...others] = rig.replicasOn(spare);
    return only !== first && only !== undefined && others.length === 0;
  });
  expect(spare.marks.removedBesideNewer).toBe(1);
});
