/** What a replica does, and does not, while the data keys that it needs are away. */
import { expect, test } from "vitest";
import { groupId } from "../../../src/core/ids.js";
import { withKeys, withoutKeyInForce, withoutKeys } from "../../../src/core/node/replica-inputs.js";
import type { RaftOptions } from "../../../src/core/raft/options.js";
import type { RaftView } from "../../../src/core/raft/view.js";
import { Client, ask, askAsAdmin } from "./client.js";
import { SealedWorld } from "./sealed-world.js";
import type { Node } from "./world.js";

const group = groupId(1);
const viewOf = (node: Node): RaftView => node.host!.viewOf(group)!;
const permittedSteps = ({ stepKinds }: Node): number =>
  stepKinds.filter((kind) => kind === "permitted").length;

/** Three nodes with a key and a value; nobody sleeps. */
class Scene {
  readonly world: SealedWorld;
  readonly client: Client;
  readonly leader: Node;
  readonly keyless: Node;
  readonly third: Node;

  constructor(raft: Partial<RaftOptions> = {}) {
    this.world = new SealedWorld(3, { sleepAfterUs: 0, ...raft });
    this.client = new Client(this.world, 1);
    this.client.put("a/x", "one");
    this.world.ticks(100);
    this.leader = this.client.leader();
    const others = this.world.nodes.filter((node) => node !== this.leader);
    [this.keyless, this.third] = others as [Node, Node];
  }

  /** A new key is in force, which this node's HSM was not there to unwrap. */
  static withoutNewKey(): Scene {
    const scene = new Scene();
    scene.keysOf(scene.keyless).goAway();
    scene.rotate();
    return scene;
  }

  rotate(knowers: readonly Node[] = this.world.nodes): void {
    const epoch = this.world.epochOf(this.leader);
    askAsAdmin(this.world, this.leader, { kind: "rotateKeys", group });
    const know = (): boolean => knowers.every((node) => this.world.epochOf(node) > epoch);
    this.world.until("the new key is known", know);
    this.world.ticks(20);
  }

  keysOf(node: Node): ReturnType<SealedWorld["keysOf"]> {
    return this.world.keysOf(node);
  }

  permissionsOf(node: Node): unknown {
    return this.world.stateOf(node).permissions;
  }

  catchesUp(node: Node): void {
    const { last } = viewOf(this.client.leader());
    this.world.until("it has applied all", () => viewOf(node).applied >= last);
  }
}

test("replica without keys: without the one in force it does not lead, and applies what it can open", () => {
  const scene = Scene.withoutNewKey();
  const { keyless } = scene;
  expect(scene.permissionsOf(keyless)).toEqual(withoutKeyInForce);
  scene.rotate();
  expect(scene.world.epochOf(keyless)).toBe(3);
  expect(viewOf(keyless).applied).toBe(viewOf(scene.leader).applied);
  expect(permittedSteps(keyless)).toBe(1);
});

test("replica without keys: without that of the next entry it applies nothing, while its acknowledgements count", () => {
  const scene = Scene.withoutNewKey();
  const { world, client, keyless, third } = scene;
  const { applied } = viewOf(keyless);
  third.kill();
  for (const value of ["two", "three", "four"]) client.put("a/x", value);
  world.ticks(200);
  expect(scene.permissionsOf(keyless)).toEqual(withoutKeys);
  expect(viewOf(keyless)).toMatchObject({ applied });
  expect(viewOf(keyless).commit).toBeGreaterThanOrEqual(applied + 3);
  expect(viewOf(keyless).waitsFor()).toContain("permission to apply");
  // What was handed over is given back: something else may come in its place.
  expect(world.stateOf(keyless).applyingTo).toBe(0);
  expect(permittedSteps(keyless)).toBe(2);
});

test("replica without keys: when the key comes, what waited is begun anew, and it may lead again", () => {
  const scene = Scene.withoutNewKey();
  const { world, client, keyless } = scene;
  for (const value of ["two", "three"]) client.put("a/x", value);
  world.ticks(200);
  scene.keysOf(keyless).comeBack();
  scene.catchesUp(keyless);
  expect(scene.permissionsOf(keyless)).toEqual(withKeys);
  expect(permittedSteps(keyless)).toBe(3);
  expect(client.get("a/x", "follower", keyless)).toBe("three");
});

test("replica without keys: it votes, and is not elected", () => {
  const scene = Scene.withoutNewKey();
  const { world, client, keyless, leader, third } = scene;
  client.put("a/x", "two");
  leader.kill();
  expect(client.leader()).toBe(third);
  expect(client.get("a/x")).toBe("two");
  scene.keysOf(leader).goAway();
  world.startNode(leader);
  world.until("it follows", () => leader.host!.viewOf(group)?.leader === viewOf(third).replica);
  third.kill();
  world.ticks(5_000);
  for (const node of [keyless, leader]) expect(viewOf(node).role).toBe("follower");
  scene.keysOf(keyless).comeBack();
  expect(client.leader()).toBe(keyless);
  expect(client.get("a/x")).toBe("two");
});

test("replica without keys: who starts without that of its own snapshot votes, and has its state when it comes", () => {
  const scene = new Scene({ snapshotEveryEntries: 8, trailingEntries: 0 });
  const { world, client, keyless, leader, third } = scene;
  for (let n = 0; n < 20; n++) client.put("a/x", `v${n}`);
  world.ticks(200);
  keyless.kill();
  scene.keysOf(keyless).goAway();
  keyless.restoredAt.length = 0;
  world.startNode(keyless);
  world.until("it has started", () => keyless.host!.stage === "running");
  leader.kill();
  expect(client.leader()).toBe(third);
  client.put("a/x", "last");
  expect(keyless.marks.startedWithoutKeys).toBe(1);
  expect(scene.permissionsOf(keyless)).toEqual(withoutKeys);
  expect(keyless.restoredAt).toEqual([]);
  scene.keysOf(keyless).comeBack();
  scene.catchesUp(keyless);
  expect(keyless.restoredAt.length).toBe(1);
  expect(scene.permissionsOf(keyless)).toEqual(withKeys);
  expect(client.get("a/x", "follower", keyless)).toBe("last");
});

test("replica without keys: a snapshot from the leader waits for its key", () => {
  const scene = new Scene({ snapshotEveryEntries: 8, trailingEntries: 0 });
  const { world, client, keyless, leader, third } = scene;
  scene.keysOf(keyless).goAway();
  world.passes = (from, to) => from !== keyless.id && to !== keyless.id;
  scene.rotate([leader, third]);
  for (let n = 0; n < 20; n++) client.put("a/x", `v${n}`);
  world.passes = () => true;
  world.until("the snapshot is there", () => keyless.marks.restoreWaitedForKey === 1);
  world.ticks(500);
  expect(keyless.restoredAt).toEqual([]);
  scene.keysOf(keyless).comeBack();
  scene.catchesUp(keyless);
  expect(keyless.restoredAt.length).toBe(1);
  expect(client.get("a/x", "follower", keyless)).toBe("v19");
});

test("replica without keys: once they are revoked nothing is answered and nothing applied, whoever leads", () => {
  const { world, client, leader, third } = new Scene();
  askAsAdmin(world, leader, { kind: "revokeKeys", group });
  world.ticks(100);
  const { applied } = viewOf(third);
  const requests = [client.putRequest("a/x", "two"), client.getRequest("a/x")];
  for (const request of requests)
    expect(ask(world, leader, request)).toMatchObject({ kind: "refused", reason: "keyRevoked" });
  leader.kill();
  const next = client.leader();
  world.until("it has committed something", () => viewOf(next).commit > applied);
  world.ticks(200);
  expect(viewOf(next)).toMatchObject({ applied });
});
