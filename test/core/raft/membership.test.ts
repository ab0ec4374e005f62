/** Raft thesis chapter 4 and section 3.10: who belongs to the group, and who leads it. */
import { describe, expect, test } from "vitest";
import type { NodeId, ReplicaId } from "../../../src/core/ids.js";
import { isJoint } from "../../../src/core/raft/configuration.js";
import { Cluster, type TestNode } from "./cluster.js";

/** The nodes on which they live. */
const voters = (at: TestNode): number[] =>
  at.raft.view.configuration.voters.map(({ node }) => node);
const addVoter = (node: number) => ({ op: "addVoter", node: node as NodeId, disk: 1 }) as const;
const remove = (replica: number) => ({ op: "remove", replica: replica as ReplicaId }) as const;

function started(size: number): { cluster: Cluster; leader: TestNode } {
  const cluster = new Cluster({ size });
  const leader = cluster.elect();
  for (let n = 0; n < 5; n++) leader.propose(n);
  cluster.run(300_000);
  return { cluster, leader };
}

describe("membership", () => {
  test("membership: one voter more: the joiner gets the log and a vote", () => {
    const { cluster, leader } = started(3);
    const joiner = cluster.add(4);
    const request = leader.change(addVoter(4));
    cluster.run(500_000);
    expect(leader.ended(request)).toBe("committed");
    expect(joiner.applied).toEqual([0, 1, 2, 3, 4]);
    expect(voters(joiner)).toEqual([1, 2, 3, 4]);
  });

  test("membership: several voters at once: through a joint configuration, left once", () => {
    const { cluster, leader } = started(3);
    cluster.add(4);
    cluster.add(5);
    const others = [1, 2, 3].filter((id) => id !== leader.replica);
    const request = leader.change(addVoter(4), addVoter(5), ...others.map(remove));
    expect(isJoint(leader.raft.view.configuration)).toBe(true);
    expect(leader.ended(leader.change(addVoter(6)))).toBe("changePending");
    const joint = leader.raft.view.last;
    cluster.run(1_000_000);
    expect(leader.ended(request)).toBe("committed");
    expect(voters(leader)).toEqual([leader.replica, 4, 5]);
    expect(leader.raft.view.last).toBe(joint + 1);
    for (const id of others) expect(cluster.node(id).events).toContain("removed");
  });

  test("membership: the new half of a joint configuration is away: nothing is committed", () => {
    const { cluster, leader } = started(3);
    const others = [1, 2, 3].filter((id) => id !== leader.replica);
    const request = leader.change(addVoter(4), addVoter(5), ...others.map(remove));
    cluster.run(400_000);
    expect(leader.ended(request)).toBeUndefined();
    expect(leader.raft.view.commit).toBeLessThan(leader.raft.view.configurationIndex);
    cluster.add(4);
    cluster.add(5);
    cluster.run(5_000_000);
    expect(voters(cluster.leader!)).toEqual([leader.replica, 4, 5]);
  });

  test("membership: a new leader before its first commit: no change yet", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.runUntil(() => cluster.leader !== undefined);
    const leader = cluster.leader!;
    expect(leader.ended(leader.change(addVoter(4)))).toBe("notReady");
  });

  test("membership: a second change before the first is committed: refused", () => {
    const { cluster, leader } = started(3);
    cluster.isolate(leader.replica);
    leader.change(addVoter(4));
    expect(leader.ended(leader.change(remove(1)))).toBe("changePending");
  });

  test("membership: the leader is removed: it leads until that is committed, then another does", () => {
    const { cluster, leader } = started(3);
    const request = leader.change(remove(leader.replica));
    expect(leader.raft.view.role).toBe("leader");
    cluster.run(100_000);
    expect(leader.ended(request)).toBe("committed");
    expect(leader.raft.view.role).toBe("follower");
    expect(cluster.marks.of("leaderRemoved")).toBe(1);
    cluster.run(200_000);
    expect(cluster.leader!.replica).not.toBe(leader.replica);
    cluster.run(5_000_000);
    expect(leader.raft.view.role).toBe("follower");
    expect(cluster.leader!.raft.view.term).toBe(2);
  });

  test("membership: the leader is removed and cut off before that spreads: it may lead once more", () => {
    const { cluster, leader } = started(2);
    cluster.isolate(leader.replica);
    leader.change(remove(leader.replica));
    cluster.run(5_000_000);
    cluster.heal();
    cluster.run(5_000_000);
    const survivor = cluster.node(leader.replica === 1 ? 2 : 1);
    expect(cluster.leader).toBe(survivor);
    expect(voters(survivor)).toEqual([survivor.replica]);
  });

  test("membership: a learner: follows, has no vote, and may be promoted", () => {
    const { cluster, leader } = started(3);
    const learner = cluster.add(4);
    leader.change({ op: "addLearner", node: 4 as NodeId, disk: 1 });
    cluster.run(500_000);
    expect(learner.applied).toEqual([0, 1, 2, 3, 4]);
    cluster.isolate(4);
    cluster.run(5_000_000);
    expect(learner.raft.view.role).toBe("follower");
    expect(learner.raft.view.term).toBe(1);
    // Who has not caught up, or may be gone, gets no vote.
    leader.change({ op: "promote", replica: learner.replica as ReplicaId });
    cluster.heal();
    cluster.run(500_000);
    expect(voters(learner)).toEqual([1, 2, 3]);
    leader.change({ op: "promote", replica: learner.replica as ReplicaId });
    cluster.run(500_000);
    expect(voters(learner)).toEqual([1, 2, 3, 4]);
  });

  test("membership: everyone crashes within a joint configuration: it is found again and left", () => {
    const { cluster, leader } = started(3);
    cluster.add(4);
    const others = [1, 2, 3].filter((id) => id !== leader.replica);
    leader.change(addVoter(4), addVoter(5), remove(others[0]!));
    cluster.runUntil(() =>
      [...cluster.nodes.values()].every((n) => n.alive && isJoint(n.raft.view.configuration)),
    );
    for (const node of cluster.nodes.values()) node.crash(9);
    for (const node of cluster.nodes.values()) node.start();
    expect(cluster.marks.of("recoveredInJoint")).toBeGreaterThan(0);
    cluster.add(5);
    cluster.run(5_000_000);
    expect(voters(cluster.leader!)).toEqual(
      [leader.replica, others[1]!, 4, 5].sort((a, b) => a - b),
    );
  });
});

describe("transfer", () => {
  test("transfer: the target has the whole log: it leads at once", () => {
    const { cluster, leader } = started(3);
    const to = (leader.replica % 3) + 1;
    const request = leader.transfer(to);
    expect(leader.ended(leader.propose(9))).toBe("transferring");
    cluster.run(50_000);
    expect(cluster.leader!.replica).toBe(to);
    expect(leader.ended(request)).toBe("transferred");
  });

  test("transfer: the target is away: given up in time, and the leader goes on without a lease", () => {
    const { cluster, leader } = started(3);
    const to = (leader.replica % 3) + 1;
    cluster.isolate(to);
    const request = leader.transfer(to);
    cluster.run(1_200_000);
    // It was told, and what it was told may still arrive.
    expect(leader.ended(request)).toBe("unknown");
    expect(cluster.marks.of("transferAborted")).toBe(1);
    const again = leader.propose(9);
    cluster.run(100_000);
    expect(leader.ended(again)).toBe("committed");
    expect(leader.ended(leader.read("lease"))).toBe("noLease");
  });

  test("transfer: the target is away and lacks an entry: refused, for it was never told", () => {
    const { cluster, leader } = started(3);
    const to = (leader.replica % 3) + 1;
    cluster.isolate(to);
    leader.propose(9);
    const request = leader.transfer(to);
    cluster.run(1_200_000);
    expect(leader.ended(request)).toBe("timeout");
  });

  test("transfer: to a stranger or a learner: refused", () => {
    const { leader } = started(3);
    expect(leader.ended(leader.transfer(9))).toBe("badTarget");
  });

  test("transfer: a leader that may not lead any more: hands over, and stands no more", () => {
    const { cluster, leader } = started(3);
    const permissions = { mayLead: false, mayApply: true };
    leader.input({ kind: "permitted", permissions });
    cluster.run(2_000_000);
    expect(cluster.leader!.replica).not.toBe(leader.replica);
    cluster.node(cluster.leader!.replica).crash();
    cluster.run(5_000_000);
    expect(cluster.leader!.replica).not.toBe(leader.replica);
  });
});
