/** Whatever is asked of a map, in whatever order, some things always hold. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type GroupId, groupId, nodeId } from "../../../src/core/ids.js";
import type { MapCommand } from "../../../src/core/map/commands.js";
import { ClusterMap } from "../../../src/core/map/cluster-map.js";
import type { MapState } from "../../../src/core/map/state.js";
import type { Job } from "../../../src/core/map/types.js";
import { TestMap, madeMap } from "./maps.js";

const slotCount = 16;
const anyGroup = fc.integer({ min: 1, max: 6 }).map(groupId);
const anyNode = fc.integer({ min: 1, max: 6 }).map(nodeId);
const anySlots = fc
  .tuple(fc.integer({ min: 0, max: slotCount - 1 }), fc.integer({ min: 1, max: slotCount }))
  .map(([from, count]) => ({ from, to: Math.min(slotCount + 1, from + count) }));

const command: fc.Arbitrary<MapCommand> = fc.oneof(
  fc.record({
    kind: fc.constant("create" as const),
    group: fc.oneof(fc.constant(0 as const), anyGroup),
    weight: fc.integer({ min: 1, max: 3 }),
    nodes: fc.oneof(fc.constant([]), fc.array(anyNode, { maxLength: 3 })),
    replication: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ kind: fc.constant("destroy" as const), group: anyGroup }),
  fc.record({ kind: fc.constant("moveSlots" as const), slots: anySlots, to: anyGroup }),
  fc.record({ kind: fc.constant("split" as const), group: anyGroup, slots: anySlots }),
  fc.record({ kind: fc.constant("merge" as const), group: anyGroup, into: anyGroup }),
  fc.record({
    kind: fc.constant("moveReplica" as const),
    group: anyGroup,
    leave: anyNode,
    enter: fc.oneof(fc.constant(0 as const), anyNode),
  }),
  fc.record({
    kind: fc.constantFrom("drain" as const, "renew" as const, "declareLost" as const),
    node: anyNode,
  }),
  fc.record({
    kind: fc.constant("setNode" as const),
    node: anyNode,
    disk: fc.integer({ min: 100, max: 103 }),
    weight: fc.constant(1),
    zone: fc.constant(""),
    address: fc.constant(""),
  }),
  fc.constant({ kind: "spread" as const }),
  fc.constant({ kind: "balanceLeaders" as const }),
  fc.record({ kind: fc.constant("cancel" as const), job: fc.integer({ min: 0, max: 8 }) }),
);

/** Ask for something, or let a job that runs take its next step. */
const act = fc.oneof(command, fc.record({ step: fc.integer({ min: 0, max: 15 }) }));

function perform(test: TestMap, drawn: MapCommand | { readonly step: number }): void {
  if ("kind" in drawn) {
    test.ask(drawn);
    return;
  }
  const jobs = test.map.state.jobs.all();
  if (jobs.length > 0) test.advance(jobs[drawn.step % jobs.length]!.id);
}

function epochsOf({ owners }: Readonly<MapState>): number[] {
  return owners.flatMap(({ from, to, epoch }) => Array.from({ length: to - from }, () => epoch));
}

/** By hand, from what the steps say. */
function groupsOf(job: Job): Set<GroupId> {
  const groups = new Set<GroupId>();
  for (const step of job.steps) {
    if ("group" in step) groups.add(step.group);
    if (!("move" in step)) continue;
    groups.add(step.move.to);
    if (step.move.from !== 0) groups.add(step.move.from);
  }
  return groups;
}

function check(state: Readonly<MapState>): void {
  const busy = new Set<GroupId>();
  for (const job of state.jobs.all()) {
    for (const group of groupsOf(job)) {
      expect(busy.has(group), `two jobs at work on group ${group}`).toBe(false);
      expect(state.groups.get(group), `a job works on group ${group}`).toBeDefined();
      busy.add(group);
    }
  }
  for (const { group } of state.owners) {
    expect(state.groups.get(group)?.phase, `group ${group} has slots`).toBe("live");
  }
  for (const { members } of state.groups.all()) {
    expect(new Set(members.map(({ node }) => node)).size).toBe(members.length);
    for (const { node } of members) expect(state.nodes.get(node)!.state).not.toBe("left");
  }
}

it("one job at a time on a group; slots belong to live groups, their epochs only rise", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const test = madeMap(6, 2, slotCount);
      for (const drawn of acts) {
        const before = epochsOf(test.map.state);
        const ownersBefore = test.map.state.owners;
        perform(test, drawn);
        const after = epochsOf(test.map.state);
        expect(after.every((epoch, slot) => epoch >= before[slot]!)).toBe(true);
        if (test.map.state.owners !== ownersBefore) expect(after).not.toEqual(before);
        check(test.map.state);
      }
      // What is left comes to an end, also when all of it is cancelled first.
      for (const { id } of test.map.state.jobs.all()) test.ask({ kind: "cancel", job: id });
      for (const { id } of test.map.state.jobs.all()) test.finish(id);
      check(test.map.state);
    }),
    { numRuns: 300, seed: 11 },
  );
});

it("a map that was taken over as bytes is the same map", () => {
  fc.assert(
    fc.property(
      fc.array(act, { maxLength: 30 }),
      fc.array(act, { maxLength: 10 }),
      (acts, more) => {
        const test = madeMap(6, 2, slotCount);
        for (const drawn of acts) perform(test, drawn);
        const all = { from: 0, to: slotCount };
        const other = new ClusterMap({ hit: () => {} });
        expect(other.importSlots(all, test.map.exportSlots(all))).toBe(true);
        expect(other.digest()).toEqual(test.map.digest());
        expect(other.map()).toEqual(test.map.map());
        const twin = new TestMap(other, other.map().version);
        for (const drawn of more) perform(twin, drawn);
        for (const { id } of other.state.jobs.all()) twin.finish(id);
        check(other.state);
      },
    ),
    { numRuns: 100, seed: 12 },
  );
});

it("any bytes are answered and change nothing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const { map } = madeMap(3, 1);
      const before = map.digest();
      expect(map.admin(bytes, "somebody", 0, 99).length).toBeGreaterThan(0);
      expect(map.digest()).toEqual(before);
      expect(
        map.importSlots({ from: 0, to: 1 }, bytes.length === 0 ? new Uint8Array(1) : bytes),
      ).toBe(false);
      expect(map.digest()).toEqual(before);
    }),
    { numRuns: 200, seed: 13 },
  );
});
