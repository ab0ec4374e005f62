/** CONTRACTS 11: a sleeping replica is a row, and nobody can tell. */
import { expect, test } from "vitest";
import { groupId } from "../../../src/core/ids.js";
import { multiRaft } from "../../../src/core/node/multi-raft-node.js";
import { encodeClientRequest } from "../../../src/core/store/client-protocol.js";
import { binaryCodec } from "../../../src/core/framing/codec.js";
import { encodeNodeRequest } from "../../../src/core/node/node-requests.js";
import { Client } from "./client.js";
import { SealedWorld } from "./sealed-world.js";
import { type Node, World } from "./world.js";

const raft = { sleepAfterUs: 200_000 };

function start(): { world: World; client: Client } {
  const world = new World(3);
  const founding = [world.founding(1, [1, 2, 3])];
  for (const node of world.nodes) node.start(multiRaft({ raft, founding }));
  return { world, client: new Client(world, 1) };
}

function sleep(world: World): void {
  world.until("all sleep under a leader", () =>
    world.nodes.every(({ host }) => {
      const view = host!.viewOf(groupId(1));
      return view?.asleep === true && view.leader !== 0;
    }),
  );
}

const packed = (node: Node): number =>
  (node.marks.replicaPacked ?? 0) - (node.marks.replicaUnpacked ?? 0);

test("rows: what was written is there again, and a repeated command is answered once more", () => {
  const { world, client } = start();
  client.put("a/x", "one");
  const again = encodeClientRequest(client.putRequest("a/y", "two"));
  const ask = (): Uint8Array => {
    const node = world.leaderOf(groupId(1))!;
    const request = world.nextRequest();
    node.host!.request("request", request, again);
    world.until("it is answered", () => node.answers.has(request));
    return node.answers.get(request)!;
  };
  const first = ask();
  sleep(world);
  expect(world.nodes.map(packed)).toEqual([1, 1, 1]);
  const before = world.nodes.map(({ host }) => host!.viewOf(groupId(1))!.applied);
  expect(ask()).toEqual(first);
  expect(world.nodes.map(packed)).not.toEqual([1, 1, 1]);
  expect(client.get("a/x")).toBe("one");
  expect(client.get("a/y")).toBe("two");
  expect(Math.min(...before)).toBeGreaterThan(0);
});

test("rows: a look at a group wakes nobody and makes no object of it", () => {
  const { world, client } = start();
  client.put("a/x", "one");
  sleep(world);
  for (const { host } of world.nodes) {
    host!.bounds(groupId(1));
    host!.groupViews();
    host!.waitsFor(groupId(1));
  }
  expect(world.nodes.map(packed)).toEqual([1, 1, 1]);
});

test("rows: one that holds much stays an object", () => {
  const { world, client } = start();
  client.put("a/x", "v".repeat(20_000));
  sleep(world);
  expect(world.nodes.map(packed)).toEqual([0, 0, 0]);
  expect(world.node(1).marks).toHaveProperty("tooLargeForRow");
  expect(client.get("a/x")).toHaveLength(20_000);
});

test("rows: a leader that asks what is left of old keys makes no object of it", () => {
  const world = new SealedWorld(3, raft);
  new Client(world, 1).put("a/x", "one");
  sleep(world);
  const leader = world.leaderOf(groupId(1))!;
  const other = world.nodes.find((node) => node !== leader)!;
  const { group, incarnation, replica } = other.host!.viewOf(groupId(1))!;
  const asked = { kind: "keyFloor", group, incarnation, replica, below: 1 } as const;
  const claim = { kind: "keyClaim", group, incarnation, publicKey: new Uint8Array(4) } as const;
  for (const [n, request] of [asked, claim].entries()) {
    const bytes = encodeNodeRequest(request);
    const frame = binaryCodec().encode({ kind: "nodeRequest", asked: 77 + n, bytes }, 4_242 + n);
    world.send(leader.id, other.id, [frame]);
    world.ticks(100);
  }
  expect(packed(other)).toBe(1);
});
