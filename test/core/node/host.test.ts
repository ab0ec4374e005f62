import { expect, test } from "vitest";
import { emptyBytes } from "../../../src/core/bytes.js";
import { binaryCodec } from "../../../src/core/framing/codec.js";
import { groupId, incarnation } from "../../../src/core/ids.js";
import { type MultiRaftParts, multiRaft } from "../../../src/core/node/multi-raft-node.js";
import { encodeAdminRequest } from "../../../src/core/store/admin-protocol.js";
import { encodeClientRequest } from "../../../src/core/store/client-protocol.js";
import { Client, ask, askAsAdmin, askBytes } from "./client.js";
import { type Node, World } from "./world.js";

function startAll(world: World, groups: number, parts: MultiRaftParts = {}): void {
  const members = world.nodes.map(({ id }) => id);
  const founding = Array.from({ length: groups }, (_, at) => world.founding(at + 1, members));
  for (const node of world.nodes) node.start(multiRaft({ founding, ...parts }));
}

test("host: three nodes elect, commit, answer and read in every mode", () => {
  const world = new World(3);
  startAll(world, 1);
  const client = new Client(world, 1);
  client.put("a/x", "one");
  client.put("a/x", "two");
  expect(client.get("a/x")).toBe("two");
  expect(client.get("a/x", "lease")).toBe("two");
  const follower = world.nodes.find((node) => node !== client.leader())!;
  expect(client.get("a/x", "follower", follower)).toBe("two");
  expect(client.get("a/y")).toBe(null);
});

test("host: every node is killed and started again: nothing that was answered is lost", () => {
  const world = new World(3);
  startAll(world, 2);
  const first = new Client(world, 1);
  const second = new Client(world, 2);
  first.put("a/x", "one");
  second.put("b/x", "two");
  for (const node of world.nodes) node.kill();
  startAll(world, 2);
  expect(first.get("a/x")).toBe("one");
  expect(second.get("b/x")).toBe("two");
  first.put("a/x", "three");
  expect(first.get("a/x")).toBe("three");
  expect(world.node(1).host!.status().boot).toBe(2);
});

test("host: group commit: one sync makes the writes of several groups durable", () => {
  const world = new World(3);
  startAll(world, 8);
  world.ticks(40);
  for (const node of world.nodes) node.diskSpeed = 1;
  world.until("a leader of every group", () =>
    Array.from({ length: 8 }, (_, at) => world.leaderOf(groupId(at + 1))).every(Boolean),
  );
  const most = Math.max(
    ...world.nodes.flatMap(({ submitted }) => submitted.map(({ persists }) => persists.length)),
  );
  expect(most).toBeGreaterThan(1);
  for (const { submitted } of world.nodes) {
    for (const { persists } of submitted) {
      expect(new Set(persists.map(({ group }) => group)).size).toBe(persists.length);
    }
  }
  expect(world.nodes.some(({ marks }) => marks.batchWhileSyncInFlight !== undefined)).toBe(true);
});

test("host: a sync that does not return: nothing that rests on it leaves the node", () => {
  const world = new World(3);
  startAll(world, 1);
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const slow = world.nodes.find((node) => node !== client.leader())!;
  slow.diskSpeed = 0;
  slow.released.length = 0;
  const before = slow.host!.viewOf(groupId(1))!.durable;
  client.put("a/x", "two");
  world.ticks(300);
  expect(slow.host!.viewOf(groupId(1))!.last).toBeGreaterThan(before);
  const accepted = slow.released.filter(
    ({ message }) => message.kind === "appendReply" && message.accepted,
  );
  for (const { message } of accepted) {
    expect(message.kind === "appendReply" && message.match <= before).toBe(true);
  }
  slow.diskSpeed = 8;
  world.ticks(50);
  const matches = slow.released.flatMap(({ message }) =>
    message.kind === "appendReply" ? [message.match] : [],
  );
  expect(Math.max(...matches)).toBeGreaterThan(before);
  expect(slow.marks.heldBackReleased).toBeGreaterThan(0);
});

test("host: a node dies with its vote unsynced: it had told nobody", () => {
  const world = new World(3);
  startAll(world, 1);
  world.ticks(40);
  for (const node of world.nodes) node.diskSpeed = 0;
  world.ticks(4000);
  const votes = world.nodes.flatMap(({ released }) =>
    released.filter(({ message }) => message.kind === "vote" || message.kind === "voteReply"),
  );
  expect(votes).toEqual([]);
});

test("host: a wiped node's replica does not come back under its old id", () => {
  const world = new World(3);
  startAll(world, 1);
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const wiped = world.nodes.find((node) => node !== client.leader())!;
  wiped.wipe();
  wiped.start(multiRaft());
  world.ticks(3000);
  expect(wiped.host!.viewOf(groupId(1))).toBe(null);
  expect(wiped.marks.unknownReplicaAnswered).toBeGreaterThan(0);
  expect(client.leader().marks.inviteRefusedForDisk).toBeGreaterThan(0);
});

test("host: a member is added: invited, sent a snapshot, and read from; then it is removed", () => {
  const world = new World(4);
  const raft = { snapshotEveryEntries: 8, trailingEntries: 0, snapshotChunkBytes: 64 };
  const parts = { founding: [world.founding(1, [1, 2, 3])], raft };
  for (const node of world.nodes) node.start(multiRaft(parts));
  const client = new Client(world, 1);
  for (let n = 0; n < 40; n++) client.put(`a/${n}`, `value ${n}`);
  const joiner = world.node(4);
  const add = { op: "addVoter", node: joiner.id, disk: joiner.diskId } as const;
  const request = { kind: "change", group: groupId(1), changes: [add], at: null } as const;
  expect(askAsAdmin(world, client.leader(), request)).toMatchObject({ kind: "done" });
  const key = groupId(1);
  const caughtUp = (): boolean =>
    joiner.host!.viewOf(key)?.applied === client.leader().host!.viewOf(key)!.applied;
  world.until("the joiner has caught up", caughtUp);
  expect(joiner.marks.invitedReplicaCreated).toBe(1);
  expect(joiner.restoredAt.length).toBeGreaterThan(0);
  expect(client.get("a/7", "follower", joiner)).toBe("value 7");
  joiner.kill();
  joiner.start(multiRaft(parts));
  world.until("the joiner is back", () => joiner.host!.viewOf(key) !== null && caughtUp());
  const { replica } = joiner.host!.viewOf(key)!;
  const changes = [{ op: "remove", replica } as const];
  const removal = { kind: "change", group: groupId(1), changes, at: null } as const;
  if (client.leader() === joiner) throw new Error("the test needs another leader");
  expect(askAsAdmin(world, client.leader(), removal)).toMatchObject({ kind: "done" });
  world.until("the removed replica is gone", () => joiner.host!.viewOf(key) === null);
  joiner.kill();
  joiner.start(multiRaft(parts));
  world.ticks(2000);
  expect(joiner.host!.viewOf(key)).toBe(null);
  client.put("a/7", "later");
  expect(client.get("a/7")).toBe("later");
});

test("host: no quorum: a command is answered as unknown, a read as refused, in time", () => {
  const world = new World(3);
  startAll(world, 1);
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const leader = client.leader();
  world.passes = () => false;
  const command = ask(world, leader, client.putRequest("a/x", "two"));
  expect(command.kind).toBe("unknown");
  const read = ask(world, leader, client.getRequest("a/x"));
  expect(read.kind).toBe("refused");
});

test("host: the disk fails: the node stops for good and says nothing more", () => {
  const world = new World(3);
  startAll(world, 1);
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const broken = client.leader();
  broken.disk.fail = (kind) => (kind === "sync" ? "ioError" : null);
  broken.host!.request("request", world.nextRequest(), new Uint8Array([9]));
  world.until("it stopped", () => broken.stoppedWith !== "");
  broken.released.length = 0;
  world.ticks(3000);
  expect(broken.released).toEqual([]);
  expect(broken.marks.stoppedOnDisk).toBe(1);
  client.put("a/x", "two");
  expect(client.get("a/x")).toBe("two");
});

test("host: bytes that mean nothing: frames are dropped, requests are answered", () => {
  const world = new World(3);
  startAll(world, 1);
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const leader = client.leader();
  for (let length = 0; length < 80; length++) {
    const frame = Uint8Array.from({ length }, (_, at) => (at * 31 + length) & 0xff);
    leader.host!.frameArrived(world.node(2).id, frame);
    const request = world.nextRequest();
    leader.host!.request("request", request, frame);
    world.until("an answer", () => leader.answers.has(request));
  }
  expect(leader.stoppedWith).toBe("");
  expect(leader.stepKinds.filter((kind) => kind === "malformed")).toHaveLength(80);
});

test("host: what an admin asks, by the door of clients, or a client's by theirs: nothing is done", () => {
  const world = new World(3);
  startAll(world, 1);
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const leader = client.leader();
  const view = leader.host!.viewOf(groupId(1))!;
  const { last } = view;
  const { replica } = view.configuration.voters.find(({ node }) => node !== leader.id)!;
  const change = encodeAdminRequest({
    kind: "change",
    group: groupId(1),
    changes: [{ op: "remove", replica }],
    at: null,
  });
  const put = encodeClientRequest(client.putRequest("a/x", "two"));
  const malformed = { kind: "malformed", code: "kind" };
  expect(askBytes(world, leader, "request", change)).toEqual(malformed);
  expect(askBytes(world, leader, "adminRequest", put)).toEqual(malformed);
  world.ticks(500);
  expect(view.last).toBe(last);
  expect(view.configuration.voters).toHaveLength(3);
  expect(askBytes(world, leader, "adminRequest", change)).toMatchObject({ kind: "done" });
  expect(view.configuration.voters).toHaveLength(2);
});

test("host: a full inbox: frames are dropped, requests refused, completions kept", () => {
  const world = new World(1);
  const node = world.node(1);
  node.start(multiRaft({ founding: [world.founding(1, [1])] }), {
    inboxItemsMax: 2,
    requestsPendingMax: 1,
  });
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const requests = Array.from({ length: 4 }, () => world.nextRequest());
  for (const request of requests) node.host!.request("request", request, new Uint8Array([1, 2]));
  node.host!.frameArrived(node.id, new Uint8Array([1]));
  expect(node.marks.inboxFullRequestRefused).toBe(2);
  expect(node.marks.inboxFullFrameDropped).toBe(1);
  expect(requests.map((request) => node.answers.has(request))).toEqual([false, false, true, true]);
  world.ticks(5);
  expect(client.get("a/x")).toBe("one");
});

test("host: a full disk: what found no room is not acknowledged, reads go on, and it recovers", () => {
  const world = new World(3);
  startAll(world, 1);
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const leader = client.leader();
  for (const node of world.nodes) node.disk.capacityBytes = node.disk.usedBytes;
  const value = "v".repeat(8000);
  let refused = 0;
  for (let n = 0; n < 120; n++) {
    const answer = ask(world, leader, client.putRequest("a/x", value));
    if (answer.kind !== "done") refused++;
  }
  expect(refused).toBeGreaterThan(0);
  expect(leader.marks.proposalRefusedForSpace).toBeGreaterThan(0);
  expect(client.get("a/x")).not.toBe(null);
  for (const node of world.nodes) node.disk.capacityBytes = Infinity;
  world.ticks(3000);
  client.put("a/x", "room");
  expect(client.get("a/x")).toBe("room");
  expect(world.nodes.map(({ stoppedWith }) => stoppedWith)).toEqual(["", "", ""]);
});

test("host: large proposals: what no batch can hold is refused, and the rest is split", () => {
  const world = new World(3);
  startAll(world, 1);
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const tooLarge = ask(world, client.leader(), client.putRequest("a/x", "v".repeat(120_000)));
  expect(tooLarge).toMatchObject({ kind: "refused", reason: "tooLarge" });
  const slow = world.nodes.find((node) => node !== client.leader())!;
  slow.diskSpeed = 0;
  for (let n = 0; n < 12; n++) client.put(`a/${n}`, "v".repeat(40_000));
  slow.diskSpeed = 8;
  client.put("a/y", "end");
  world.until("the slow one has caught up", () => {
    const [mine, theirs] = [slow, client.leader()].map(({ host }) => host!.viewOf(groupId(1))!);
    return mine!.applied === theirs!.applied;
  });
  expect(slow.stoppedWith).toBe("");
});

test("host: an entry that no batch of a follower's can hold: it waits for a snapshot", () => {
  const world = new World(3);
  const small = world.node(3);
  const sizes = { segmentBytes: 1_048_576, batchBytesMax: 524_288 };
  for (const node of world.nodes) if (node !== small) node.wal = sizes;
  // The small one never leads: it would refuse what is proposed.
  world.passes = (from, _to, { kind }) => !(from === small.id && kind === "preVote");
  startAll(world, 1, { raft: { snapshotEveryEntries: 8, trailingEntries: 0 } });
  const client = new Client(world, 1);
  client.put("a/x", "v".repeat(200_000));
  world.ticks(1_000);
  expect(small.stoppedWith).toBe("");
  expect(small.marks.entryTooLarge).toBeGreaterThan(0);
  expect(small.events).toContain("entryTooLarge");
  for (let n = 0; n < 8; n++) client.put("a/x", `v${n}`);
  const key = groupId(1);
  const applied = (node: Node): number => node.host!.viewOf(key)!.applied;
  world.until("it has caught up", () => applied(small) === applied(client.leader()));
  expect(small.marks.snapshotInstalled).toBe(1);
});

test("host: a replica whose id is dead here is not made again, whoever invites it", () => {
  const world = new World(4);
  const parts = { founding: [world.founding(1, [1, 2, 3])] };
  for (const node of world.nodes) node.start(multiRaft(parts));
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const key = groupId(1);
  const gone = world.nodes.slice(0, 3).find((node) => node !== client.leader())!;
  const { replica } = gone.host!.viewOf(key)!;
  const changes = [{ op: "remove", replica } as const];
  const request = { kind: "change", group: key, changes, at: null } as const;
  expect(askAsAdmin(world, client.leader(), request)).toMatchObject({ kind: "done" });
  world.until("it is gone", () => gone.host!.viewOf(key) === null);
  const invite = { kind: "invite", group: key, incarnation: incarnation(1), replica } as const;
  const frame = binaryCodec().encode(
    { ...invite, disk: gone.diskId, configuration: emptyBytes },
    1,
  );
  for (let boot = 0; boot < 2; boot++) {
    gone.host!.frameArrived(client.leader().id, frame);
    world.ticks(500);
    expect(gone.host!.viewOf(key)).toBe(null);
    expect(gone.marks.strayReplicaRefused).toBeGreaterThan(boot);
    gone.kill();
    gone.start(multiRaft(parts));
    world.until("it runs", () => gone.host!.stage === "running");
  }
});
