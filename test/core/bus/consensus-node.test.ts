import { expect, test } from "vitest";
import { ConsensusNode } from "../../../src/core/bus/consensus-node.js";
import { proposalsMax } from "../../../src/core/bus/proposer.js";
import type { Commit, LeaderElected, ProposeOutcome } from "../../../src/core/bus/topics.js";
import { utf8Decode, utf8Encode } from "../../../src/core/bytes.js";
import { type GroupId, groupId } from "../../../src/core/ids.js";
import { type MultiRaftParts, multiRaft } from "../../../src/core/node/multi-raft-node.js";
import type { NodeOptions } from "../../../src/core/node/options.js";
import { decodeKvCommand, encodeKvCommand } from "../../../src/core/store/commands.js";
import { Client } from "../node/client.js";
import { World } from "../node/world.js";

const one = groupId(1);

/** A world whose nodes are embedded. */
class Embedded {
  readonly world: World;
  readonly nodes: ConsensusNode[] = [];
  readonly elected: LeaderElected[][] = [];
  readonly #groups: number;
  readonly #parts: MultiRaftParts;

  constructor(nodes: number, groups: number, parts: MultiRaftParts = {}) {
    this.world = new World(nodes);
    this.#groups = groups;
    this.#parts = parts;
    for (let at = 0; at < nodes; at++) this.start(at);
  }

  start(at: number, options: Partial<NodeOptions> = {}): ConsensusNode {
    const { world } = this;
    const members = world.nodes.map(({ id }) => id);
    const founding = Array.from({ length: this.#groups }, (_, n) => {
      return world.founding(n + 1, members);
    });
    const logic = multiRaft({ founding, ...this.#parts });
    world.nodes[at]!.start(logic, options, (parts) => {
      const node = new ConsensusNode(parts);
      this.nodes[at] = node;
      const elected: LeaderElected[] = [];
      this.elected[at] = elected;
      node.bus.subscribe("consensus.leader.elected", (leader) => elected.push(leader));
      return node.host;
    });
    return this.nodes[at]!;
  }

  /** Where the leader is that every node knows. */
  leader(group: GroupId = one): number {
    const { world, nodes } = this;
    const knows = (node: ConsensusNode, leader: number): boolean =>
      node.status(group)?.leaderNode === leader;
    world.until("a leader that all know", () => {
      const leader = world.leaderOf(group);
      return leader !== null && nodes.every((node) => knows(node, leader.id));
    });
    return world.leaderOf(group)!.id - 1;
  }

  put(at: number, key: string, value: string, group: GroupId = one): ProposeOutcome {
    const outcomes: ProposeOutcome[] = [];
    this.nodes[at]!.propose(put(group, key, value), (outcome) => outcomes.push(outcome));
    this.world.until("an outcome", () => outcomes.length > 0);
    this.world.ticks(50);
    expect(outcomes.length).toBe(1);
    return outcomes[0]!;
  }
}

function put(group: GroupId, key: string, value: string) {
  const bytes = utf8Encode(key);
  const command = encodeKvCommand({ kind: "put", key: bytes, value: utf8Encode(value) });
  return { group, key: bytes, command };
}

/** The values of the puts among what was committed. */
function valuesOf(commits: readonly Commit[]): string[] {
  return commits.flatMap((commit) => {
    if (commit.kind !== "command") return [];
    const decoded = decodeKvCommand(commit.command);
    return decoded.kind === "put" ? [utf8Decode(decoded.value)!] : [];
  });
}

test("embedding: what the leader proposes is done once, applied everywhere, and told to all", () => {
  const cluster = new Embedded(3, 1);
  const heard = cluster.nodes.map((node) => {
    const commits: Commit[] = [];
    node.onCommit(one, (commit) => commits.push(commit));
    return commits;
  });
  const leader = cluster.leader();
  const values = ["a", "b", "c"];
  for (const value of values) expect(cluster.put(leader, "k", value).kind).toBe("done");
  cluster.world.until("all have applied it", () =>
    cluster.nodes.every((node) => node.status(one)!.lag === 0 && node.status(one)!.commit >= 5),
  );
  for (const commits of heard) {
    expect(valuesOf(commits)).toEqual(values);
    const indices = commits.map(({ index }) => index);
    expect(indices).toEqual(indices.map((_, at) => at + 1));
  }
  expect(new Client(cluster.world, 1).get("k")).toBe("c");
});

test("embedding: a follower refuses and says who leads; the same proposal is then done there", () => {
  const cluster = new Embedded(3, 1);
  const leader = cluster.leader();
  const follower = (leader + 1) % 3;
  expect(cluster.nodes[follower]!.isLeader(one)).toBe(false);
  const refused = cluster.put(follower, "k", "x");
  expect(refused).toEqual({ kind: "refused", reason: "notLeader", leader: leader + 1 });
  expect(cluster.nodes[leader]!.isLeader(one)).toBe(true);
  expect(cluster.put(leader, "k", "x").kind).toBe("done");
});

test("embedding: a group that is not here, a node that does not run: refused at once", () => {
  const cluster = new Embedded(3, 1);
  const leader = cluster.leader();
  const elsewhere = cluster.put(leader, "k", "x", groupId(9));
  expect(elsewhere).toEqual({ kind: "refused", reason: "noGroup", leader: 0 });
  expect(cluster.nodes[leader]!.status(groupId(9))).toBeNull();
  expect(cluster.nodes[leader]!.isLeader(groupId(9))).toBe(false);
  cluster.world.nodes[leader]!.kill();
  const starting = cluster.start(leader);
  const outcomes: ProposeOutcome[] = [];
  starting.propose(put(one, "k", "x"), (outcome) => outcomes.push(outcome));
  expect(outcomes).toEqual([{ kind: "refused", reason: "notReady", leader: 0 }]);
});

test("embedding: leaders are told of once for each term, on every node", () => {
  const cluster = new Embedded(3, 1);
  const first = cluster.leader();
  cluster.world.nodes[first]!.kill();
  cluster.world.until("another leader", () => {
    const leader = cluster.world.leaderOf(one);
    return leader !== null && leader.id !== first + 1;
  });
  cluster.world.ticks(200);
  for (const at of [0, 1, 2].filter((node) => node !== first)) {
    const told = cluster.elected[at]!;
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(new Set(told.map(({ term }) => term)).size).toBe(told.length);
    expect(told[0]).toMatchObject({ group: 1, incarnation: 1, node: first + 1 });
    expect(told.at(-1)!.node).toBe(cluster.world.leaderOf(one)!.id);
    expect(cluster.nodes[at]!.metrics(one)!.leaderChanges).toBe(told.length);
  }
});

test("embedding: over the bus: propose, status and health under their names", () => {
  const cluster = new Embedded(3, 2);
  const leader = cluster.leader();
  const { bus } = cluster.nodes[leader]!;
  const outcomes: ProposeOutcome[] = [];
  const done = (outcome: ProposeOutcome): number => outcomes.push(outcome);
  expect(bus.request("consensus.propose", { ...put(one, "k", "x"), done }).kind).toBe("reply");
  cluster.world.until("an outcome", () => outcomes.length > 0);
  expect(outcomes[0]!.kind).toBe("done");
  const status = bus.request("consensus.status", { group: one });
  expect(status).toMatchObject({
    kind: "reply",
    value: { role: "leader", leaderNode: leader + 1, lag: 0, damaged: false },
  });
  const members = status.kind === "reply" ? status.value!.members : [];
  expect(members.map(({ node, role }) => [node, role])).toEqual([
    [1, "voter"],
    [2, "voter"],
    [3, "voter"],
  ]);
  const health = bus.request("consensus.health", null);
  expect(health).toMatchObject({ kind: "reply", value: { stage: "running", healthy: true } });
  expect(health.kind === "reply" && health.value.queues.length > 2).toBe(true);
});

test("embedding: health: replicas by role, as they come and go", () => {
  const cluster = new Embedded(3, 4);
  const groups = [1, 2, 3, 4].map((n) => groupId(n));
  for (const group of groups) cluster.leader(group);
  const counts = cluster.nodes.map((node) => node.health().replicas);
  cluster.nodes.forEach((node, at) => {
    const leads = groups.filter((group) => node.isLeader(group)).length;
    expect(counts[at]).toEqual({
      leader: leads,
      follower: 4 - leads,
      candidate: 0,
      preCandidate: 0,
    });
  });
  expect(cluster.nodes[0]!.clusterState()).toMatchObject({ node: 1, stage: "running", map: null });
});

test("embedding: counters: proposals, commits, entries, elections, snapshots", () => {
  const cluster = new Embedded(3, 1, { raft: { snapshotEveryEntries: 8, trailingEntries: 2 } });
  const leader = cluster.leader();
  for (let n = 0; n < 12; n++) cluster.put(leader, "k", `value-${n}`);
  const metrics = cluster.nodes[leader]!.metrics(one)!;
  const { commit } = cluster.nodes[leader]!.status(one)!;
  // The opening of the session is one more.
  expect(metrics.proposals).toBe(13);
  expect(metrics.commits).toBe(commit);
  expect(metrics.appliedEntries).toBe(commit);
  expect(metrics.appliedBytes).toBeGreaterThan(12 * "value-0".length);
  expect(metrics.elections).toBeGreaterThanOrEqual(1);
  expect(metrics.snapshotsTaken).toBeGreaterThanOrEqual(1);
  expect(metrics.snapshotsRestored).toBe(0);
});

test("embedding: a follower that missed much: told of the snapshot, then of what follows", () => {
  const cluster = new Embedded(3, 1, { raft: { snapshotEveryEntries: 8, trailingEntries: 2 } });
  const leader = cluster.leader();
  const away = (leader + 1) % 3;
  cluster.world.nodes[away]!.kill();
  for (let n = 0; n < 20; n++) cluster.put(leader, "k", `v${n}`);
  const back = cluster.start(away);
  const commits: Commit[] = [];
  back.onCommit(one, (commit) => commits.push(commit));
  cluster.put(leader, "k", "last");
  cluster.world.until("it has caught up", () => valuesOf(commits).includes("last"));
  const restored = commits.filter(({ kind }) => kind === "snapshot");
  // Its own at the start, then the leader's.
  expect(restored.length).toBe(2);
  expect(back.metrics(one)!.snapshotsRestored).toBe(2);
  commits.slice(1).forEach(({ kind, index }, at) => {
    if (kind === "snapshot") expect(index).toBeGreaterThan(commits[at]!.index);
    else expect(index).toBe(commits[at]!.index + 1);
  });
});

test("embedding: leadership is lost with a proposal under way: unknown, and told once", () => {
  const cluster = new Embedded(3, 1);
  const leader = cluster.leader();
  cluster.put(leader, "k", "before");
  cluster.world.passes = (from, to) => from !== leader + 1 && to !== leader + 1;
  const outcomes: ProposeOutcome[] = [];
  cluster.nodes[leader]!.propose(put(one, "k", "lost"), (outcome) => outcomes.push(outcome));
  cluster.world.until("an outcome", () => outcomes.length > 0);
  expect(outcomes[0]!.kind).toBe("unknown");
  cluster.world.passes = () => true;
  cluster.world.ticks(3_000);
  expect(outcomes.length).toBe(1);
});

test("embedding: the session was evicted: another is opened, and the command is done once", () => {
  const cluster = new Embedded(3, 1, { sessions: { sessionsMax: 1 } });
  const leader = cluster.leader();
  const commits: Commit[] = [];
  cluster.nodes[leader]!.onCommit(one, (commit) => commits.push(commit));
  expect(cluster.put(leader, "k", "first").kind).toBe("done");
  new Client(cluster.world, 1).put("other", "x");
  expect(cluster.put(leader, "k", "second").kind).toBe("done");
  // In the log twice: the first time under the session that was gone.
  expect(valuesOf(commits)).toEqual(["first", "x", "second", "second"]);
  expect(new Client(cluster.world, 1).get("k")).toBe("second");
});

test("embedding: callbacks that throw harm nobody", () => {
  const cluster = new Embedded(3, 1);
  const leader = cluster.leader();
  const node = cluster.nodes[leader]!;
  const commits: Commit[] = [];
  node.onCommit(one, () => {
    throw new Error("broken");
  });
  const cancel = node.onCommit(one, (commit) => commits.push(commit))!;
  let told = 0;
  node.propose(put(one, "k", "x"), () => {
    told++;
    throw new Error("broken too");
  });
  cluster.world.until("it is told", () => told > 0);
  expect(valuesOf(commits)).toEqual(["x"]);
  expect(node.failures).toBeGreaterThanOrEqual(2);
  expect(node.host.stage).toBe("running");
  cancel();
  cluster.put(leader, "k", "y");
  expect(valuesOf(commits)).toEqual(["x"]);
});

test("embedding: more proposals than there may be: refused as overloaded", () => {
  const cluster = new Embedded(3, 1);
  const leader = cluster.leader();
  const reasons = new Map<string, number>();
  for (let n = 0; n <= proposalsMax; n++) {
    cluster.nodes[leader]!.propose(put(one, "k", "x"), (outcome) => {
      const reason = outcome.kind === "refused" ? outcome.reason : outcome.kind;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    });
  }
  expect([...reasons]).toEqual([["overloaded", 1]]);
});

test("embedding: the node stops for good: what waits is told", () => {
  const cluster = new Embedded(3, 1);
  const leader = cluster.leader();
  cluster.put(leader, "k", "before");
  const node = cluster.nodes[leader]!;
  const outcomes: ProposeOutcome[] = [];
  cluster.world.nodes[leader]!.disk.fail = (kind) => (kind === "sync" ? "ioError" : null);
  node.propose(put(one, "k", "x"), (outcome) => outcomes.push(outcome));
  cluster.world.until("it stops", () => node.host.stage === "stopped");
  expect(outcomes.map(({ kind }) => kind)).toEqual(["unknown"]);
  expect(node.health()).toMatchObject({ stage: "stopped", healthy: false, queues: [] });
});
