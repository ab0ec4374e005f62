/** What of a node could grow without end is there with its limit, and keeps it. */
import { expect, test } from "vitest";
import { groupId } from "../../../src/core/ids.js";
import { multiRaft } from "../../../src/core/node/multi-raft-node.js";
import { encodeClientRequest } from "../../../src/core/store/client-protocol.js";
import { Client } from "./client.js";
import { type Node, World } from "./world.js";

function over(node: Node): string[] {
  return node
    .host!.bounds(groupId(1))
    .filter(({ size, limit }) => size > limit)
    .map(({ name, size, limit }) => `${name}: ${size} of ${limit}`);
}

const limits = { requestsPendingMax: 40, requestTimeoutUs: 200_000 };

test("bounds: a follower's disk stands still: reads that ended make room for others", () => {
  const world = new World(3);
  const founding = [world.founding(1, [1, 2, 3])];
  for (const node of world.nodes) node.start(multiRaft({ founding }), limits);
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const slow = world.nodes.find((node) => node !== client.leader())!;
  slow.diskSpeed = 0;
  client.put("a/x", "two");
  const question = encodeClientRequest(client.getRequest("a/x", "follower"));
  for (let n = 0; n < 400; n++) {
    slow.host!.request("request", world.nextRequest(), question);
    world.ticks(10);
    expect(over(slow)).toEqual([]);
  }
  expect(slow.marks).toHaveProperty("endedReadsDropped");
  slow.diskSpeed = 8;
  const last = world.nextRequest();
  slow.host!.request("request", last, question);
  world.until("it serves reads again", () => slow.answers.has(last), 1_000);
});

test("bounds: a node under load: every queue is named once, and each is used", () => {
  const world = new World(3);
  const founding = [world.founding(1, [1, 2, 3])];
  for (const node of world.nodes) node.start(multiRaft({ founding }));
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const leader = client.leader();
  const largest = new Map<string, number>();
  for (let n = 0; n < 300; n++) {
    leader.host!.request(
      "request",
      world.nextRequest(),
      encodeClientRequest(client.putRequest("a/x", "v")),
    );
    for (const node of world.nodes) {
      // A follower whose disk is slow by turns holds back what it says.
      node.diskSpeed = node !== leader && n % 10 < 5 ? 0 : 8;
      for (const { name, size } of node.host!.bounds(groupId(1))) {
        largest.set(name, Math.max(largest.get(name) ?? 0, size));
      }
    }
    world.tick();
  }
  const names = leader.host!.bounds(groupId(1)).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of ["inbox", "requests", "queued writes", "held back"]) {
    expect([name, largest.get(name)! > 0]).toEqual([name, true]);
  }
});
