/** Who is to join a sealed group, in a world of nodes. */
import { expect, test } from "vitest";
import type { AdminRequest } from "../../../src/core/store/admin-protocol.js";
import { groupId, nodeId } from "../../../src/core/ids.js";
import { Client, askAsAdmin } from "./client.js";
import { SealedWorld } from "./sealed-world.js";
import type { Node } from "./world.js";

const group = groupId(1);

function addLearner({ id, diskId }: Node): AdminRequest {
  return {
    kind: "change",
    group,
    at: null,
    changes: [{ op: "addLearner", node: id, disk: diskId }],
  };
}

function holdersAt(node: Node): readonly number[] {
  return [...node.host!.keysOf(group)!.keys.holders.keys()];
}

test("sealed guests: one whose time runs out while the group sleeps is shut out by a new key", () => {
  const world = new SealedWorld(4, { sleepAfterUs: 500_000 }, [1, 2, 3]);
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const leader = client.leader();
  askAsAdmin(world, leader, addLearner(world.node(4)));
  world.until("it is given the keys", () => holdersAt(leader).includes(nodeId(4)));
  world.until("the group sleeps", () => leader.host!.viewOf(group)!.asleep);
  world.ticks(12_000);
  expect(leader.stoppedWith).toBe("");
  expect(holdersAt(leader)).not.toContain(nodeId(4));
});

test("sealed guests: a leader that has started anew fetches older keys for who is to join", () => {
  const raft = { sleepAfterUs: 0, snapshotEveryEntries: 8, trailingEntries: 0 };
  const world = new SealedWorld(4, raft, [1, 2, 3]);
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const away = world.nodes.find((node) => node.id !== 4 && node !== client.leader())!;
  // As long as one member is away the older key cannot be erased.
  away.kill();
  askAsAdmin(world, client.leader(), { kind: "rotateKeys", group });
  world.until("a new key", () => world.epochOf(client.leader()) === 2);
  for (let n = 0; n < 20; n++) client.put("a/x", `v${n}`);
  for (const node of world.nodes) {
    if (node === away) continue;
    node.kill();
    world.startNode(node);
  }
  client.put("a/x", "again");
  const joins = (): boolean => {
    world.ticks(1_000);
    return askAsAdmin(world, client.leader(), addLearner(world.node(4))).kind === "done";
  };
  world.until("it may join", joins, 60);
});
