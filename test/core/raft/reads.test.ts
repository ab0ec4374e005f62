/** Raft thesis section 6.4: reads that go through no log. */
import { describe, expect, test } from "vitest";
import type { NodeId } from "../../../src/core/ids.js";
import { Cluster, type TestNode } from "./cluster.js";

function started(): { cluster: Cluster; leader: TestNode; follower: TestNode } {
  const cluster = new Cluster({ size: 3 });
  const leader = cluster.elect();
  leader.propose(1);
  cluster.run(300_000);
  return { cluster, leader, follower: cluster.node((leader.replica % 3) + 1) };
}

describe("reads", () => {
  test("reads: on the leader: ready after a round of a quorum, not before", () => {
    const { cluster, leader } = started();
    const read = leader.read("index");
    expect(leader.reads.has(read)).toBe(false);
    cluster.run(10_000);
    expect(leader.reads.get(read)).toBe(2);
  });

  test("reads: on a deposed leader that does not know it: never ready", () => {
    const { cluster, leader } = started();
    cluster.isolate(leader.replica);
    const read = leader.read("index");
    cluster.run(5_000_000);
    expect(leader.reads.has(read)).toBe(false);
    expect(leader.ended(read)).toBe("notLeader");
  });

  test("reads: on a new leader: wait for the first commit of its term", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.runUntil(() => cluster.leader !== undefined);
    const leader = cluster.leader!;
    cluster.deliver = (_from, _to, message) => message.kind !== "appendReply";
    const read = leader.read("index");
    cluster.run(300_000);
    expect(leader.reads.has(read)).toBe(false);
    cluster.heal();
    cluster.run(1_000_000);
    expect(leader.reads.get(read)).toBe(1);
  });

  test("reads: answers to beats from before the read: confirm nothing", () => {
    const { cluster, leader } = started();
    cluster.deliver = (from) => from === leader.replica;
    cluster.run(150_000);
    const beats = cluster.sent.filter(
      ({ from, message }) => from !== leader.replica && message.kind === "heartbeatReply",
    );
    const read = leader.read("index");
    for (const { from, message } of beats) {
      leader.input({ kind: "message", from: from as NodeId, message });
    }
    expect(leader.reads.has(read)).toBe(false);
  });

  test("reads: on a follower: the leader gives the index", () => {
    const { cluster, leader, follower } = started();
    leader.propose(2);
    cluster.run(10_000);
    const read = follower.read("index");
    cluster.run(10_000);
    expect(follower.reads.get(read)).toBe(3);
  });

  test("reads: on a follower cut off: refused in time", () => {
    const { cluster, follower } = started();
    cluster.isolate(follower.replica);
    const read = follower.read("index");
    cluster.run(3_000_000);
    expect(["timeout", "notLeader"]).toContain(follower.ended(read));
  });

  test("reads: an answer from before a restart: counts for no read of now", () => {
    const { cluster, leader, follower } = started();
    const { replica } = follower;
    cluster.delay = (_from, to, message) =>
      to === replica && message.kind === "readIndexReply" ? 200_000 : 0;
    follower.read("index");
    cluster.run(50_000);
    follower.crash();
    follower.start();
    cluster.delay = () => 0;
    cluster.run(120_000);
    leader.propose(7);
    cluster.run(10_000);
    cluster.deliver = (_from, _to, message) => message.kind !== "readIndex";
    const read = follower.read("index");
    cluster.run(100_000);
    expect(follower.reads.has(read)).toBe(false);
  });

  test("reads: by lease: at once while a quorum answered lately, refused when it did not", () => {
    const { cluster, leader } = started();
    const read = leader.read("lease");
    expect(leader.reads.get(read)).toBe(2);
    cluster.isolate(leader.replica);
    cluster.run(430_000);
    expect(leader.raft.view.role).toBe("leader");
    expect(leader.ended(leader.read("lease"))).toBe("noLease");
  });

  test("reads: the lease: counts from when the answered beat was sent, less the drift of clocks", () => {
    const { cluster, leader } = started();
    const { electionTimeoutMinUs } = cluster.options;
    const sentUs = leader.raft.state.peers
      .map(({ liveness }) => liveness.ackedSentUs)
      .sort((a, b) => a - b)[1]!;
    expect(leader.raft.view.leaseUntilUs).toBe(sentUs + electionTimeoutMinUs - 62_500);
    const newest = leader.raft.state.peers
      .map(({ liveness }) => liveness.lastHeardUs)
      .sort((a, b) => a - b)[1]!;
    expect(sentUs).toBeLessThan(newest);
  });

  test("reads: one replica alone: at once", () => {
    const cluster = new Cluster({ size: 1 });
    const leader = cluster.elect();
    const read = leader.read("index");
    expect(leader.reads.get(read)).toBe(1);
  });
});
