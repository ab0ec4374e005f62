import { expect, test } from "vitest";
import { groupId } from "../../../src/core/ids.js";
import { multiRaft } from "../../../src/core/node/multi-raft-node.js";
import { Client, askAsAdmin } from "./client.js";
import { type Node, World } from "./world.js";

const key = groupId(1);

function snapshotsOn({ disk }: Node): string[] {
  const names = disk.files().map(({ name }) => name);
  return names.filter((name) => name.startsWith("snapshot."));
}

/** Three nodes, each of which has taken a snapshot. */
function started(): { world: World; client: Client; start: (node: Node) => void } {
  const world = new World(3);
  const raft = { snapshotEveryEntries: 8, trailingEntries: 0 };
  const parts = { founding: [world.founding(1, [1, 2, 3])], raft };
  const start = (node: Node): void => {
    node.start(multiRaft(parts));
    world.until("it runs", () => node.host!.stage === "running");
  };
  for (const node of world.nodes) start(node);
  const client = new Client(world, 1);
  for (let n = 0; n < 30; n++) client.put(`a/${n}`, "value");
  world.until("snapshots", () => world.nodes.every((node) => snapshotsOn(node).length > 0));
  world.ticks(200);
  return { world, client, start };
}

test("dead replicas: a crash cut the removal short: the next start removes the snapshot", () => {
  const { world, client, start } = started();
  const gone = world.nodes.find((node) => node !== client.leader())!;
  const { replica } = gone.host!.viewOf(key)!;
  gone.disk.fail = (kind) => (kind === "remove" ? "ioError" : null);
  const changes = [{ op: "remove", replica } as const];
  askAsAdmin(world, client.leader(), { kind: "change", group: key, changes, at: null });
  world.until("it is gone", () => gone.host!.viewOf(key) === null);
  world.ticks(100);
  expect(snapshotsOn(gone).length).toBeGreaterThan(0);
  gone.kill();
  gone.disk.fail = () => null;
  start(gone);
  world.ticks(100);
  expect(gone.marks.deadSnapshotRemoved).toBe(1);
  expect(snapshotsOn(gone)).toEqual([]);
});

test("dead replicas: a vote is lost: the snapshot of its replica goes", () => {
  const { world, client, start } = started();
  const lost = world.nodes.find((node) => node !== client.leader())!;
  lost.kill();
  for (const { name, sizeBytes } of lost.disk.files()) {
    if (!name.startsWith("segment.")) continue;
    for (let at = 1024; at < sizeBytes; at++) lost.disk.rot(name, at, 0xa5);
  }
  start(lost);
  world.ticks(100);
  expect(lost.host!.viewOf(key)).toBe(null);
  expect(lost.host!.status().forgotten).toBe(true);
  expect(lost.marks.deadSnapshotRemoved).toBe(1);
  expect(snapshotsOn(lost)).toEqual([]);
});
