/** A snapshot that arrives while its replica is about to lead. */
import { expect, test } from "vitest";
import { groupId } from "../../../src/core/ids.js";
import { multiRaft } from "../../../src/core/node/multi-raft-node.js";
import type { RaftView } from "../../../src/core/raft/view.js";
import { Client } from "./client.js";
import { type Node, World } from "./world.js";

const ofPart = (kind: string) => (did: string, file: string) =>
  did === kind && file.endsWith("part");
const viewOf = (node: Node): RaftView => node.host!.viewOf(groupId(1))!;

test("host: a snapshot is whole only when its replica campaigns: it wins, and applies its own log", () => {
  const world = new World(3);
  const founding = [world.founding(1, [1, 2, 3])];
  const raft = { snapshotEveryEntries: 16, trailingEntries: 0 };
  for (const node of world.nodes) node.start(multiRaft({ founding, raft }));
  const client = new Client(world, 1);
  for (let n = 0; n < 8; n++) client.put("a/x", `v${n}`);
  world.ticks(20);
  const leader = client.leader();
  const [heir, third] = world.nodes.filter((node) => node !== leader) as [Node, Node];
  // Its leader does not hear that it has the whole log, and sends it a snapshot of that log.
  world.passes = (from, to, { kind }) =>
    !(from === heir.id && to === leader.id && kind === "appendReply") &&
    !(from === third.id && kind === "preVote");
  heir.disk.holds = ofPart("write");
  while (viewOf(leader).last < 16) client.put("a/x", "w");
  world.until("a chunk is being written", () => viewOf(heir).waitsFor().includes("snapshot"), 600);
  expect(viewOf(heir)).toMatchObject({ last: 16, commit: 15 });
  leader.kill();
  world.until("it campaigns", () => viewOf(heir).role === "preCandidate");
  heir.disk.holds = ofPart("read");
  world.until("the chunk is written", () => heir.stepKinds.includes("chunkWritten"));
  expect(viewOf(heir).role).not.toBe("leader");
  world.until("it leads", () => viewOf(heir).role === "leader");
  world.until("it has applied more than the snapshot", () => viewOf(heir).applied > 16);
  heir.disk.holds = () => false;
  world.ticks(100);
  client.put("a/x", "z");
  expect(client.get("a/x")).toBe("z");
  expect(heir.stoppedWith).toBe("");
  expect(heir.restoredAt).toEqual([]);
});
