/** docs/decisions/0005: nodes watch nodes, for all groups that sleep. */
import { expect, test } from "vitest";
import { binaryCodec } from "../../../src/core/framing/codec.js";
import { type Boot, groupId } from "../../../src/core/ids.js";
import { multiRaft } from "../../../src/core/node/multi-raft-node.js";
import { type Node, World } from "./world.js";

const raft = { sleepAfterUs: 300_000 };
const silenceTicks = 1_000;

function start(groups: number, options = {}): World {
  const world = new World(3);
  const founding = Array.from({ length: groups }, (_, at) => world.founding(at + 1, [1, 2, 3]));
  for (const node of world.nodes) node.start(multiRaft({ raft, founding }), options);
  world.until("all sleep under leaders", () => world.nodes.every((node) => sleeps(node, groups)));
  return world;
}

function sleeps({ host }: Node, groups: number): boolean {
  const views = host?.groupViews() ?? [];
  return views.length === groups && views.every(({ asleep, leader }) => asleep && leader !== 0);
}

function ofInterval(node: Node): number {
  return node.host!.bounds(groupId(1)).find(({ name }) => name === "wakes of an interval")!.size;
}

test.each([1, 20])("beats: %i idle groups: one beat for a pair and interval, nothing else", (n) => {
  const world = start(n);
  const frames = new Map<string, number>();
  world.passes = (from, to, { kind }) => {
    frames.set(`${kind} ${from}-${to}`, (frames.get(`${kind} ${from}-${to}`) ?? 0) + 1);
    return true;
  };
  world.ticks(10_000);
  expect([...frames.keys()].filter((key) => !key.startsWith("beat"))).toEqual([]);
  expect(frames.size).toBeGreaterThanOrEqual(2);
  for (const count of frames.values()) expect(Math.abs(count - 100)).toBeLessThanOrEqual(1);
  expect(world.nodes.every((node) => sleeps(node, n))).toBe(true);
});

test("beats: a node with leaders is gone: others wake, so many at a time, and lead", () => {
  const world = start(12, { wakesMax: 2 });
  const dead = world.leaderOf(groupId(1))!;
  dead.kill();
  const left = world.nodes.filter((node) => node !== dead);
  world.until("all groups have leaders", () =>
    Array.from({ length: 12 }, (_, at) => groupId(at + 1)).every((group) =>
      left.some(({ host }) => host!.viewOf(group)?.role === "leader"),
    ),
  );
  expect(left.some(({ marks }) => (marks.nodeSilent ?? 0) > 0)).toBe(true);
  for (const node of left) expect(ofInterval(node)).toBe(2);
});

test("beats: a node starts anew and beats: who slept under its earlier start is woken", () => {
  const world = start(1);
  const leader = world.leaderOf(groupId(1))!;
  const sleeper = world.nodes.find((node) => node !== leader)!;
  leader.host = null;
  const beat = (boot: number): void => {
    const frame = binaryCodec().encode({ kind: "beat", boot: boot as Boot }, 1);
    sleeper.host!.frameArrived(leader.id, frame);
    world.tick();
  };
  beat(2);
  world.ticks(150);
  expect(sleeper.host!.viewOf(groupId(1))!.asleep).toBe(false);
  expect(sleeper.marks.nodeStartedAnew).toBe(1);
  beat(1);
  expect(sleeper.marks.staleBeatDropped).toBe(1);
});

test("beats: a greeting tells of a new start as well", () => {
  const world = start(1);
  const leader = world.leaderOf(groupId(1))!;
  const sleeper = world.nodes.find((node) => node !== leader)!;
  sleeper.host!.linkUp(leader.id, 2 as Boot, leader.diskId);
  world.ticks(150);
  expect(sleeper.host!.viewOf(groupId(1))!.asleep).toBe(false);
});

test("beats: who stood still hears of others before it judges their silence", () => {
  const world = start(1);
  const leader = world.leaderOf(groupId(1))!;
  const sleeper = world.nodes.find((node) => node !== leader)!;
  // Its clock wakes it only after all that time; what the others said meanwhile is lost.
  world.passes = (_from, to) => to !== sleeper.id;
  const dueUs = sleeper.wakeAtUs;
  sleeper.wakeAtUs = Infinity;
  world.ticks(3 * silenceTicks);
  expect(world.nowUs).toBeGreaterThan(dueUs);
  sleeper.wakeAtUs = world.nowUs;
  world.passes = () => true;
  world.ticks(50);
  expect(sleeper.marks.silenceExcused).toBe(1);
  expect(sleeper.marks.nodeSilent).toBeUndefined();
  world.ticks(silenceTicks);
  expect(sleeper.host!.viewOf(groupId(1))!.asleep).toBe(true);
});
