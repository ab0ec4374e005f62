import { describe, expect, it } from "vitest";
import { nodeId } from "../../../src/core/ids.js";
import { ownerAt } from "../../../src/core/map/owners.js";
import { decodeRouting } from "../../../src/core/map/routing.js";
import { TestMap, group, madeMap } from "./maps.js";

const facts = { kind: "setNode", weight: 1, zone: "", address: "" } as const;

const kindsOf = (steps: readonly { readonly kind: string }[]): string[] =>
  steps.map(({ kind }) => kind);

describe("the making of a map", () => {
  it("gives every slot to a group, each at an epoch of its own, none to the map's own group", () => {
    const { owners, epoch } = madeMap(3, 2).map.state;
    expect(owners.every((span) => span.group > 1 && span.epoch > 0)).toBe(true);
    expect(new Set(owners.map((span) => span.epoch)).size).toBe(owners.length);
    expect(Math.max(...owners.map((span) => span.epoch))).toBe(epoch);
  });

  it("happens once", () => {
    const test = madeMap(3, 1);
    const again = { kind: "make", slotCount: 8, nodes: [], groups: [] } as const;
    expect(test.ask(again)).toEqual({ kind: "refused", reason: "exists", job: 0 });
  });

  it("comes before anything else", () => {
    const test = new TestMap();
    const node = { node: nodeId(1), disk: 10, weight: 1, zone: "", address: "" };
    expect(test.ask({ kind: "setNode", ...node })).toMatchObject({ reason: "notMade" });
    expect(test.map.state.nodes.size).toBe(0);
  });
});

describe("a move of slots", () => {
  it("changes the owner when the new one has accepted, at a higher epoch", () => {
    const test = madeMap(3, 2);
    const before = ownerAt(test.map.state.owners, 3);
    const to = group(before.group === 2 ? 3 : 2);
    const job = test.begin({ kind: "moveSlots", slots: { from: 3, to: 4 }, to });
    expect(kindsOf(job.steps)).toEqual(["release", "stage", "accept", "drop"]);
    test.advance(job.id);
    test.advance(job.id);
    expect(ownerAt(test.map.state.owners, 3)).toMatchObject({ group: before.group });
    test.advance(job.id);
    const after = ownerAt(test.map.state.owners, 3);
    expect(after.group).toBe(to);
    expect(after.epoch).toBeGreaterThan(before.epoch);
  });

  it("keeps what the release has kept for the accept", () => {
    const test = madeMap(3, 2);
    const { group: from } = ownerAt(test.map.state.owners, 0);
    const to = group(from === 2 ? 3 : 2);
    const job = test.begin({ kind: "moveSlots", slots: { from: 0, to: 1 }, to });
    test.advance(job.id);
    expect(test.job(job.id)!.kept).toEqual({ total: 10, checksum: 20 });
  });

  it("holds both groups: another job on either is refused and names it", () => {
    const test = madeMap(3, 2);
    const { group: from } = ownerAt(test.map.state.owners, 0);
    const to = group(from === 2 ? 3 : 2);
    const job = test.begin({ kind: "moveSlots", slots: { from: 0, to: 1 }, to });
    const merge = { kind: "merge", group: group(2), into: group(3) } as const;
    expect(test.ask(merge)).toEqual({ kind: "refused", reason: "busy", job: job.id });
    test.finish(job.id);
    expect(test.ask(merge).kind).toBe("ok");
  });

  it.each(["release", "stage"])(
    "cancelled at %s, the old owner serves again, at a new epoch",
    (at) => {
      const test = madeMap(3, 2);
      const before = ownerAt(test.map.state.owners, 0);
      const to = group(before.group === 2 ? 3 : 2);
      const job = test.begin({ kind: "moveSlots", slots: { from: 0, to: 1 }, to });
      if (at === "stage") test.advance(job.id);
      expect(test.ask({ kind: "cancel", job: job.id }).kind).toBe("ok");
      expect(kindsOf(test.job(job.id)!.steps)).toEqual(["abandon", "reclaim"]);
      test.finish(job.id);
      const after = ownerAt(test.map.state.owners, 0);
      expect(after.group).toBe(before.group);
      expect(after.epoch).toBeGreaterThan(job.steps.length > 0 ? before.epoch + 1 : 0);
      expect(test.job(job.id)!.state).toBe("undone");
    },
  );

  it("is finished when it is cancelled too late", () => {
    const test = madeMap(3, 2);
    const { group: from } = ownerAt(test.map.state.owners, 0);
    const to = group(from === 2 ? 3 : 2);
    const job = test.begin({ kind: "moveSlots", slots: { from: 0, to: 1 }, to });
    test.advance(job.id);
    test.advance(job.id);
    const cancelled = test.ask({ kind: "cancel", job: job.id });
    expect(cancelled).toEqual({ kind: "refused", reason: "tooLate", job: job.id });
  });

  it("is not advanced by a late report", () => {
    const test = madeMap(3, 2);
    const { group: from } = ownerAt(test.map.state.owners, 0);
    const to = group(from === 2 ? 3 : 2);
    const job = test.begin({ kind: "moveSlots", slots: { from: 0, to: 1 }, to });
    test.advance(job.id);
    const late = { kind: "advance", job: job.id, turn: 0, fact: { kind: "none" } } as const;
    expect(test.ask(late)).toEqual({ kind: "refused", reason: "stale", job: job.id });
    expect(test.job(job.id)!.at).toBe(1);
  });
});

describe("groups come and go", () => {
  it("creates one on nodes of its choice, in as many zones as it has replicas", () => {
    const test = madeMap(5, 1);
    const job = test.begin({
      kind: "create",
      group: 0 as never,
      weight: 1,
      nodes: [],
      replication: 3,
    });
    const made = test.map.state.groups.get(3)!;
    expect(made.phase).toBe("founding");
    expect(new Set(made.members.map(({ node }) => node)).size).toBe(3);
    test.finish(job.id);
    expect(test.map.state.groups.get(3)!.phase).toBe("live");
  });

  it("splits one: the new group takes slots over on the same nodes", () => {
    const test = madeMap(3, 1);
    const job = test.begin({ kind: "split", group: group(2), slots: { from: 8, to: 16 } });
    expect(kindsOf(job.steps)).toEqual(["found", "release", "stage", "accept", "drop"]);
    test.finish(job.id);
    expect(ownerAt(test.map.state.owners, 8).group).toBe(3);
    expect(ownerAt(test.map.state.owners, 7).group).toBe(2);
  });

  it("a split that is cancelled before it accepts erases the new group", () => {
    const test = madeMap(3, 1);
    const job = test.begin({ kind: "split", group: group(2), slots: { from: 8, to: 16 } });
    test.advance(job.id);
    test.ask({ kind: "cancel", job: job.id });
    expect(kindsOf(test.job(job.id)!.steps)).toEqual(["abandon", "reclaim", "erase"]);
    test.finish(job.id);
    expect(test.map.state.groups.get(3)).toBeUndefined();
  });

  it("merges one into another and lets it end; its number may live again under a new incarnation", () => {
    const test = madeMap(3, 2);
    const old = test.map.state.groups.get(2)!.incarnation;
    test.finish(test.begin({ kind: "merge", group: group(2), into: group(3) }).id);
    expect(test.map.state.groups.get(2)).toBeUndefined();
    expect(test.map.state.owners.every((span) => span.group === 3)).toBe(true);
    const again = {
      kind: "create",
      group: group(2),
      weight: 1,
      nodes: [],
      replication: 3,
    } as const;
    test.finish(test.begin(again).id);
    expect(test.map.state.groups.get(2)!.incarnation).toBeGreaterThan(old);
  });

  it("destroys none that serves slots, nor its own", () => {
    const test = madeMap(3, 1);
    const refusal = (n: number): unknown => test.ask({ kind: "destroy", group: group(n) });
    expect(refusal(2)).toMatchObject({ reason: "ownsSlots" });
    expect(refusal(1)).toMatchObject({ reason: "needed" });
    expect(refusal(9)).toMatchObject({ reason: "noSuchGroup" });
  });
});

describe("nodes come and go", () => {
  it("a drained node has no replica left, the map's own group included", () => {
    const test = madeMap(5, 2);
    const job = test.begin({ kind: "drain", node: nodeId(1) });
    expect(test.map.state.nodes.get(1)!.state).toBe("draining");
    test.finish(job.id);
    expect(test.map.state.nodes.get(1)!.state).toBe("left");
    for (const { members } of test.map.state.groups.all()) {
      expect(members.map(({ node }) => node)).not.toContain(1);
      expect(members).toHaveLength(3);
    }
  });

  it("a drained node's replicas are shared out among the others", () => {
    const test = madeMap(5, 8);
    test.finish(test.begin({ kind: "drain", node: nodeId(1) }).id);
    const loads = new Map<number, number>();
    for (const { members } of test.map.state.groups.all()) {
      for (const { node } of members) loads.set(node, (loads.get(node) ?? 0) + 1);
    }
    // Nine replicas went to nodes 4 and 5, which had none.
    expect(Math.abs(loads.get(4)! - loads.get(5)!)).toBeLessThanOrEqual(1);
  });

  it("a drain that is cancelled ends with the present group, and the node stays", () => {
    const test = madeMap(5, 2);
    const job = test.begin({ kind: "drain", node: nodeId(1) });
    test.advance(job.id);
    expect(test.ask({ kind: "cancel", job: job.id }).kind).toBe("ok");
    expect(kindsOf(test.job(job.id)!.steps)).toEqual(["swap", "bury"]);
    test.finish(job.id);
    expect(test.map.state.nodes.get(1)!.state).toBe("up");
  });

  it("is forgotten only once it has left", () => {
    const test = madeMap(5, 1);
    const forget = { kind: "forgetNode", node: nodeId(1) } as const;
    expect(test.ask(forget)).toMatchObject({ reason: "needed" });
    test.finish(test.begin({ kind: "drain", node: nodeId(1) }).id);
    expect(test.ask(forget).kind).toBe("ok");
    expect(test.map.state.nodes.get(1)).toBeUndefined();
  });

  it("is refused where no node could take its place", () => {
    const test = madeMap(3, 1);
    const drain = { kind: "drain", node: nodeId(1) } as const;
    expect(test.ask(drain)).toMatchObject({ reason: "badNode" });
    expect(test.map.state.nodes.get(1)!.state).toBe("up");
  });

  it("a node with another disk gets new replicas in place of those on the old one", () => {
    const test = madeMap(5, 2);
    expect(test.ask({ kind: "renew", node: nodeId(1) })).toEqual({ kind: "ok", id: 0 });
    test.ask({ ...facts, node: nodeId(1), disk: 77 });
    const job = test.begin({ kind: "renew", node: nodeId(1) });
    expect(kindsOf(job.steps)).toEqual(["renew", "renew", "renew"]);
    test.finish(job.id);
    for (const { members } of test.map.state.groups.all()) {
      expect(members).toHaveLength(3);
      expect(members.find(({ node }) => node === 1)).toMatchObject({ disk: 77 });
    }
    expect(test.ask({ kind: "renew", node: nodeId(1) })).toEqual({ kind: "ok", id: 0 });
  });

  it("gets none while a job is at work on one of their groups", () => {
    const test = madeMap(5, 1);
    test.ask({ ...facts, node: nodeId(1), disk: 77 });
    const { id } = test.begin({ kind: "moveLeader", group: group(2), node: nodeId(2) });
    const renew = { kind: "renew", node: nodeId(1) } as const;
    expect(test.ask(renew)).toEqual({ kind: "refused", reason: "busy", job: id });
  });

  it("a lost node gets no replica, is drained all the same, and may be back later", () => {
    const test = madeMap(5, 1);
    const lost = nodeId(1);
    expect(test.ask({ kind: "declareLost", node: lost })).toEqual({ kind: "ok", id: 0 });
    expect(test.ask({ kind: "renew", node: lost })).toMatchObject({ reason: "noSuchNode" });
    const enter = { kind: "moveReplica", group: group(2), leave: nodeId(2), enter: lost } as const;
    expect(test.ask(enter)).toMatchObject({ reason: "badNode" });
    const job = test.begin({ kind: "drain", node: lost });
    expect(test.map.state.nodes.get(1)!.state).toBe("lost");
    // Known to be back, it is still drained, and so gets nothing new.
    test.ask({ ...facts, node: lost, disk: 10 });
    expect(test.map.state.nodes.get(1)!.state).toBe("draining");
    test.finish(job.id);
    expect(test.map.state.nodes.get(1)!.state).toBe("left");
    expect(test.ask({ kind: "declareLost", node: lost })).toMatchObject({ reason: "noSuchNode" });
    test.ask({ ...facts, node: lost, disk: 10 });
    expect(test.map.state.nodes.get(1)!.state).toBe("up");
  });
});

it("spreads slots again when a group has come", () => {
  const test = madeMap(3, 2, 64);
  const create = {
    kind: "create",
    group: 0 as never,
    weight: 1,
    nodes: [],
    replication: 3,
  } as const;
  test.finish(test.begin(create).id);
  test.finish(test.begin({ kind: "spread" }).id);
  const counts = new Map<number, number>();
  for (const { group: owner, from, to } of test.map.state.owners) {
    counts.set(owner, (counts.get(owner) ?? 0) + to - from);
  }
  expect(new Set(counts.keys())).toEqual(new Set([2, 3, 4]));
  expect(Math.max(...counts.values())).toBeLessThanOrEqual(Math.ceil((64 / 3) * 1.1));
});

it("what clients route by says the same as the map", () => {
  const test = madeMap(3, 2);
  const { version, bytes } = test.map.map();
  const routing = decodeRouting(bytes)!;
  expect(routing.version).toBe(version);
  for (let slot = 0; slot < 16; slot++) {
    const { group: owner, epoch } = ownerAt(test.map.state.owners, slot);
    expect(routing.at(slot)).toEqual({ group: owner, epoch });
  }
  expect(routing.nodesOf(group(2))).toEqual([1, 2, 3]);
});

it("settings are for clients to see; an empty value takes one away", () => {
  const test = madeMap(3, 1);
  const seen = (): unknown => [...decodeRouting(test.map.map().bytes)!.settings];
  test.ask({ kind: "set", name: "mode", value: "slow" });
  test.ask({ kind: "set", name: "limit", value: "5" });
  test.ask({ kind: "set", name: "mode", value: "fast" });
  expect(seen()).toEqual([
    ["limit", "5"],
    ["mode", "fast"],
  ]);
  test.ask({ kind: "set", name: "mode", value: "" });
  expect(seen()).toEqual([["limit", "5"]]);
});
