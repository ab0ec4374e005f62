import { describe, expect, test } from "vitest";
import { Cluster } from "./cluster.js";

describe("election", () => {
  test("election: three start: one leader, whose blank entry is committed everywhere", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    cluster.run(1_000_000);
    expect(leader.raft.view.term).toBe(1);
    for (const node of cluster.nodes.values()) {
      expect(node.raft.view.leader).toBe(leader.replica);
      expect(node.raft.view.commit).toBe(1);
      expect(node.raft.view.applied).toBe(1);
    }
  });
  test("election: one alone: leads and commits by itself", () => {
    const cluster = new Cluster({ size: 1 });
    const leader = cluster.elect();
    const request = leader.propose(7);
    cluster.run(10_000);
    expect(leader.ended(request)).toBe("committed");
    expect(leader.applied).toEqual([7]);
  });
});
describe("replication", () => {
  test("replication: proposals: applied in order on all", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    const requests = Array.from({ length: 100 }, (_, at) => leader.propose(at));
    cluster.run(1_000_000);
    for (const request of requests) expect(leader.ended(request)).toBe("committed");
    for (const node of cluster.nodes.values()) {
      expect(node.applied).toEqual(Array.from({ length: 100 }, (_, at) => at));
    }
  });
});
