/** What an admin asks of a node beside changes of members, and what it tells a client of the map. */
import { expect, test } from "vitest";
import { bytesKey, utf8Decode, utf8Encode } from "../../../src/core/bytes.js";
import { groupId, index } from "../../../src/core/ids.js";
import { type MultiRaftParts, multiRaft } from "../../../src/core/node/multi-raft-node.js";
import { decodeConfiguration } from "../../../src/core/raft/configuration-codec.js";
import type { MapVersion } from "../../../src/core/state-machine.js";
import { encodeClientRequest } from "../../../src/core/store/client-protocol.js";
import { type GroupLifeEntry, encodeGroupLifeEntry } from "../../../src/core/store/group-life.js";
import { type GroupStatus, decodeGroupStatus } from "../../../src/core/store/group-status.js";
import { KvStore } from "../../../src/core/store/kv.js";
import { slotCountDefault } from "../../../src/core/store/slots.js";
import { decodeSlotsPiece } from "../../../src/core/store/slots-piece.js";
import { acceptance } from "../store/world.js";
import { Client, ask, askAsAdmin } from "./client.js";
import { type Node, World } from "./world.js";

/** A map that is whatever an admin last said. */
class MapMachine extends KvStore {
  #version = 0;
  #bytes = new Uint8Array(0);
  readonly heard: string[] = [];

  admin(bytes: Uint8Array, who: string, atUs: number, at: number): Uint8Array {
    this.#version++;
    this.#bytes = bytes.slice();
    this.heard.push(`${who} at ${atUs}, entry ${at}`);
    return utf8Encode("noted");
  }

  map(): MapVersion {
    return { version: this.#version, bytes: this.#bytes };
  }
}

function startAll(world: World, groups: number, parts: MultiRaftParts = {}): Client {
  const members = world.nodes.map(({ id }) => id);
  const founding = Array.from({ length: groups }, (_, at) => world.founding(at + 1, members));
  for (const node of world.nodes) node.start(multiRaft({ founding, ...parts }));
  return new Client(world, 1);
}

function statusOf(world: World, node: Node): GroupStatus {
  const answer = askAsAdmin(world, node, { kind: "status", group: groupId(1) });
  if (answer.kind !== "readResult") throw new Error(JSON.stringify(answer));
  const status = decodeGroupStatus(answer.bytes);
  if (status.kind === "undecodable") throw new Error(status.code);
  return status;
}

test("admin: status: the leader tells how far each member is; others name the leader", () => {
  const world = new World(3);
  const client = startAll(world, 1);
  client.put("a/x", "one");
  const leader = client.leader();
  const view = leader.host!.viewOf(groupId(1))!;
  const slow = world.nodes.find((node) => node !== leader)!;
  const other = world.nodes.find((node) => node !== leader && node !== slow)!;
  world.ticks(200);
  world.passes = (_from, to) => to !== slow.id;
  const { last } = view;
  client.put("a/x", "two");
  world.ticks(50);
  const status = statusOf(world, leader);
  expect(status).toMatchObject({ term: view.term, leader: view.replica, commit: view.commit });
  expect(status.configurationIndex).toBe(view.configurationIndex);
  expect(decodeConfiguration(status.configuration)).toEqual({ ok: view.configuration });
  const matches = status.members.map(({ replica, match }) => [replica as number, match]);
  expect(new Map(matches as [number, number][])).toEqual(
    new Map([
      [leader.id as number, view.last as number],
      [slow.id as number, last as number],
      [other.id as number, view.last as number],
    ]),
  );
  // What only the leader holds counts for itself.
  world.passes = () => false;
  const put = encodeClientRequest(client.putRequest("a/x", "three"));
  leader.host!.request("request", world.nextRequest(), put);
  world.ticks(20);
  const own = statusOf(world, leader).members.find((member) => member.replica === view.replica)!;
  expect(own.match).toBe(view.last);
  expect(view.commit).toBeLessThan(view.last);
  const hint = askAsAdmin(world, other, { kind: "status", group: groupId(1) });
  expect(hint).toEqual({ kind: "refused", reason: "notLeader", leader: leader.id });
  const absent = askAsAdmin(world, leader, { kind: "status", group: groupId(9) });
  expect(absent).toMatchObject({ reason: "noGroup" });
});

test("admin: status: a leader that has committed nothing of its term: not yet", () => {
  const world = new World(3);
  const client = startAll(world, 1);
  client.put("a/x", "one");
  const old = client.leader();
  old.kill();
  // Votes pass, entries don't: the next leader commits nothing.
  world.passes = (_from, _to, message) => message.kind !== "append";
  const leads = (): Node | undefined =>
    world.nodes.find(({ host }) => host?.viewOf(groupId(1))?.role === "leader");
  world.until("another leader", () => leads() !== undefined);
  const answer = askAsAdmin(world, leads()!, { kind: "status", group: groupId(1) });
  expect(answer).toMatchObject({ kind: "refused", reason: "notReady" });
});

test("admin: a change for another configuration than the newest: refused, again and late too", () => {
  const world = new World(4);
  const founding = [world.founding(1, [1, 2, 3])];
  for (const node of world.nodes) node.start(multiRaft({ founding: node.id < 4 ? founding : [] }));
  const client = new Client(world, 1);
  client.put("a/x", "one");
  const joiner = world.node(4);
  const add = { op: "addLearner", node: joiner.id, disk: joiner.diskId } as const;
  const { configurationIndex: at } = statusOf(world, client.leader());
  const change = { kind: "change", group: groupId(1), changes: [add], at } as const;
  const other = { kind: "refused", reason: "otherConfiguration", leader: client.leader().id };
  const wrong = { ...change, at: index(at + 1) };
  expect(askAsAdmin(world, client.leader(), wrong)).toEqual(other);
  // The founding stands at no index.
  expect(at).toBe(0);
  expect(askAsAdmin(world, client.leader(), change)).toMatchObject({ kind: "done" });
  expect(askAsAdmin(world, client.leader(), change)).toEqual(other);
  const { configurationIndex: now } = statusOf(world, client.leader());
  expect(now).toBeGreaterThan(0);
  const { learners } = client.leader().host!.viewOf(groupId(1))!.configuration;
  const { replica } = learners[0]!;
  const removal = { ...change, changes: [{ op: "remove", replica }], at: now } as const;
  expect(askAsAdmin(world, client.leader(), removal)).toMatchObject({ kind: "done" });
  expect(askAsAdmin(world, client.leader(), removal)).toMatchObject({
    reason: "otherConfiguration",
  });
  expect(client.leader().marks).toHaveProperty("changeForOtherConfiguration");
  const follower = world.nodes.find((node) => node.id < 4 && node !== client.leader())!;
  expect(askAsAdmin(world, follower, wrong)).toMatchObject({ reason: "notLeader" });
});

test("admin: the map: changed through the log with who and when, told to clients at once", () => {
  const world = new World(3);
  const machines: MapMachine[] = [];
  const machine: MultiRaftParts["machine"] = (_group, _incarnation) => {
    const made = new MapMachine({ slotCount: slotCountDefault, marks: world.node(1) });
    machines.push(made);
    return made;
  };
  // A replica that sleeps gives its machine up, and makes another when it wakes.
  const client = startAll(world, 1, { machine, raft: { sleepAfterUs: 0 } });
  const node = client.leader();
  expect(ask(world, node, { kind: "map", known: 0 })).toMatchObject({ version: 0 });
  const bytes = utf8Encode("a map");
  const asked = { kind: "map", group: groupId(1), bytes } as const;
  const before = world.nowUs;
  const answer = askAsAdmin(world, client.leader(), asked);
  if (answer.kind !== "done") throw new Error(answer.kind);
  expect(utf8Decode(answer.bytes)).toBe("noted");
  world.until("all have it", () => machines.every(({ heard }) => heard.length === 1));
  expect(new Set(machines.flatMap(({ heard }) => heard)).size).toBe(1);
  const [, atUs] = /^admin at (\d+), entry \d+$/.exec(machines[0]!.heard[0]!)!;
  expect(Number(atUs)).toBeGreaterThan(before);
  expect(Number(atUs)).toBeLessThanOrEqual(world.nowUs);
  for (const any of world.nodes) {
    expect(ask(world, any, { kind: "map", known: 0 })).toEqual({ kind: "map", version: 1, bytes });
    const known = ask(world, any, { kind: "map", known: 1 });
    expect(known).toEqual({ kind: "map", version: 1, bytes: new Uint8Array(0) });
  }
});

test("admin: the map: asked where no replica of the meta group is: refused; one without a map: 0", () => {
  const world = new World(2);
  world.node(1).start(multiRaft({ founding: [world.founding(1, [1])] }));
  world.node(2).start(multiRaft({ founding: [world.founding(2, [2])] }));
  world.ticks(500);
  expect(ask(world, world.node(2), { kind: "map", known: 0 })).toMatchObject({ reason: "noGroup" });
  const none = { kind: "map", version: 0, bytes: new Uint8Array(0) };
  expect(ask(world, world.node(1), { kind: "map", known: 0 })).toEqual(none);
});

test("admin: slots move between groups of nodes: read in pieces from any replica, served on", () => {
  const world = new World(3);
  const slots = { from: 0, to: slotCountDefault };
  const owned: MultiRaftParts["owned"] = (group) =>
    group === groupId(1) ? slots : { from: 0, to: 0 };
  const client = startAll(world, 2, { owned });
  client.put("a/x", "one");
  const [a, b] = [groupId(1), groupId(2)];
  world.until("two leaders", () => world.leaderOf(a) !== null && world.leaderOf(b) !== null);
  const life = (group: typeof a, entry: GroupLifeEntry) =>
    askAsAdmin(world, world.leaderOf(group)!, {
      kind: "life",
      group,
      payload: encodeGroupLifeEntry(entry),
    });
  const read = (node: Node, offset: number, epoch = 7) => {
    const asked = { kind: "readSlots", group: a, slots, epoch, offset, bytesMax: 30 } as const;
    const answer = askAsAdmin(world, node, asked);
    if (answer.kind !== "readResult") throw new Error(JSON.stringify(answer));
    const piece = decodeSlotsPiece(answer.bytes);
    if (piece.kind === "undecodable") throw new Error(piece.code);
    return piece;
  };
  expect(() => read(client.leader(), 0)).toThrow("badEpoch");
  expect(life(a, { kind: "exportSlots", slots, epoch: 7 })).toMatchObject({ kind: "done" });
  expect(ask(world, client.leader(), client.getRequest("a/x"))).toEqual({
    kind: "moved",
    epoch: 7,
  });
  const { total, checksum } = read(client.leader(), 0);
  const parts: Uint8Array[] = [];
  for (let offset = 0, turn = 0; offset < total; turn++) {
    const { bytes } = read(world.nodes[turn % 3]!, offset);
    parts.push(bytes);
    offset += bytes.length;
  }
  expect(parts.length).toBeGreaterThan(2);
  for (const entry of acceptance(slots, 7, { total, checksum, parts })) {
    expect(life(b, entry)).toMatchObject({ kind: "done" });
  }
  const moved = { ...client.getRequest("a/x"), group: b, epoch: 7 } as const;
  const answer = ask(world, world.leaderOf(b)!, moved as never);
  if (answer.kind !== "readResult") throw new Error(answer.kind);
  expect(bytesKey(answer.bytes)).toContain("one");
  expect(life(a, { kind: "dropSlots", slots, epoch: 7 })).toMatchObject({ kind: "done" });
  expect(life(a, { kind: "retire" })).toMatchObject({ kind: "done" });
  const refused = ask(world, client.leader(), client.getRequest("a/x"));
  expect(refused).toMatchObject({ kind: "refused", reason: "retired" });
});
