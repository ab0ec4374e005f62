/** Nodes whose HSM was replaced, in a world of nodes. */
import { expect, test } from "vitest";
import type { AdminRequest } from "../../../src/core/store/admin-protocol.js";
import { groupId } from "../../../src/core/ids.js";
import type { RaftOptions } from "../../../src/core/raft/options.js";
import { Client, askAsAdmin } from "./client.js";
import { SealedWorld } from "./sealed-world.js";
import type { Node } from "./world.js";

const group = groupId(1);
/** Logs so short that whoever was away needs a snapshot. */
const raft = { sleepAfterUs: 0, snapshotEveryEntries: 8, trailingEntries: 0 };

function addLearner({ id, diskId }: Node): AdminRequest {
  const changes = [{ op: "addLearner", node: id, disk: diskId }] as const;
  return { kind: "change", group, at: null, changes };
}

/** A cluster of three members and a spare node, with a few writes. */
function started(more: Partial<RaftOptions> = {}): { world: SealedWorld; client: Client } {
  const world = new SealedWorld(4, { ...raft, ...more }, [1, 2, 3]);
  const client = new Client(world, 1);
  for (let n = 0; n < 30; n++) client.put("a/x", `v${n}`);
  return { world, client };
}

/** The node starts anew with another token in its HSM. */
function replaceToken(world: SealedWorld, node: Node): void {
  node.kill();
  world.keysOf(node).replace();
  world.startNode(node);
}

function catchesUp(world: SealedWorld, client: Client, node: Node): void {
  world.until("it has all that the leader has", () => {
    const own = node.host!.viewOf(group);
    const { commit } = client.leader().host!.viewOf(group)!;
    return own !== null && own.applied === commit;
  });
}

test("key claims: a member with a new token is given the keys again, whatever it had", () => {
  const { world, client } = started();
  const member = world.nodes.find((node) => node.id !== 4 && node !== client.leader())!;
  for (let round = 0; round < 2; round++) {
    replaceToken(world, member);
    client.put("a/x", `round ${round}`);
    catchesUp(world, client, member);
  }
  expect(member.marks.keyClaimed).toBeGreaterThan(0);
});

test("key claims: a member that has not lost its keys claims nothing", () => {
  const { world, client } = started();
  const member = world.nodes.find((node) => node.id !== 4 && node !== client.leader())!;
  member.kill();
  world.startNode(member);
  client.put("a/x", "again");
  catchesUp(world, client, member);
  expect(member.marks.keyClaimed).toBeUndefined();
});

test.each([
  ["usual", {}],
  // Snapshots are refused more often than a claim is made.
  ["short", { electionTimeoutMinUs: 60_000, electionTimeoutMaxUs: 100_000, heartbeatUs: 20_000 }],
])("key claims: a newcomer that knows no members yet claims, with %s timeouts", (_what, more) => {
  const { world, client } = started(more);
  const spare = world.node(4);
  world.passes = (_from, _to, message) => message.kind !== "snapshotChunk";
  world.until("it may join", () => {
    world.ticks(200);
    return askAsAdmin(world, client.leader(), addLearner(spare)).kind === "done";
  });
  world.until("it is there", () => spare.host!.viewOf(group) !== null);
  replaceToken(world, spare);
  world.passes = () => true;
  catchesUp(world, client, spare);
  expect(spare.marks.keyClaimed).toBeGreaterThan(0);
});
