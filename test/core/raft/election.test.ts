/** Raft thesis chapter 3.4, 3.6.1, 4.2.3 and 9.6: elections. */
import { describe, expect, test } from "vitest";
import type { NodeId, ReplicaId, RequestId, Term } from "../../../src/core/ids.js";
import type { RaftMessage, Vote } from "../../../src/core/raft/messages.js";
import { Alone, entriesTo } from "./alone.js";
import { Cluster } from "./cluster.js";

const longestTimeoutUs = 1_000_000;

/** What `replica` answered to the requests of this test, of one kind. */
function said<Kind extends RaftMessage["kind"]>(
  cluster: Cluster,
  replica: number,
  kind: Kind,
): Extract<RaftMessage, { kind: Kind }>[] {
  return cluster.sent
    .filter(({ from, message }) => from === replica && message.kind === kind)
    .map(({ message }) => message as Extract<RaftMessage, { kind: Kind }>)
    .filter(({ request }) => request === ours);
}

const ours = 900;

function vote(from: number, to: number, term: number, more: Partial<Vote> = {}): Vote {
  return {
    kind: "vote",
    group: 1 as never,
    incarnation: 1 as never,
    from: from as ReplicaId,
    to: to as ReplicaId,
    term: term as Term,
    request: ours as RequestId,
    lastIndex: 1_000 as never,
    lastTerm: 1_000 as never,
    transfer: false,
    ...more,
  };
}

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

  test("election: one alone: leads only after its own vote is durable", () => {
    const cluster = new Cluster({ size: 1 });
    cluster.node(1).holdDisk = true;
    cluster.run(2 * longestTimeoutUs);
    expect(cluster.node(1).raft.view.role).toBe("candidate");
    cluster.node(1).finishWrites();
    const leader = cluster.elect();
    const request = leader.propose(7);
    cluster.run(10_000);
    expect(leader.ended(request)).toBe("committed");
    expect(leader.applied).toEqual([7]);
  });

  test("election: the leader is cut off: another is elected, the old one steps down by itself", () => {
    const cluster = new Cluster({ size: 3 });
    const old = cluster.elect();
    cluster.run(500_000);
    cluster.isolate(old.replica);
    cluster.run(3 * longestTimeoutUs);
    expect(old.raft.view.role).not.toBe("leader");
    expect(cluster.leader!.raft.view.term).toBeGreaterThan(1);
    expect(cluster.marks.of("checkQuorumStepDown")).toBe(1);
  });

  test("election: a cut-off follower returns: pre-vote has kept its term, the leader stays", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    const follower = cluster.node(leader.replica === 1 ? 2 : 1);
    cluster.isolate(follower.replica);
    cluster.run(10 * longestTimeoutUs);
    expect(follower.raft.view.role).toBe("preCandidate");
    expect(follower.raft.view.term).toBe(1);
    cluster.heal();
    cluster.run(2 * longestTimeoutUs);
    expect(leader.raft.view.role).toBe("leader");
    expect(leader.raft.view.term).toBe(1);
  });

  test("election: a live leader was heard: a vote of a higher term changes nothing", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    const [a, b] = [1, 2, 3].filter((id) => id !== leader.replica) as [number, number];
    cluster.run(300_000);
    cluster.node(a).input({ kind: "message", from: b as NodeId, message: vote(b, a, 9) });
    expect(cluster.node(a).raft.view.term).toBe(1);
    expect(cluster.marks.of("voteRefusedByLease")).toBe(1);
  });

  test("election: a pre-vote is refused while the disk owes too much: the later term waits", () => {
    const alone = new Alone({ raft: { pendingWritesMax: 1 } });
    alone.append(1, 0, entriesTo(1), 0);
    const later = { term: 5 as Term, granted: false };
    alone.hear(3, "preVoteReply", later);
    expect(alone.raft.view.term).toBe(1);
    alone.durable();
    alone.hear(3, "preVoteReply", later);
    expect(alone.raft.view.term).toBe(5);
  });

  test("election: the leader asked for it: no promise stands against the vote", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    const [a, b] = [1, 2, 3].filter((id) => id !== leader.replica) as [number, number];
    cluster.run(300_000);
    const message = vote(b, a, 9, { transfer: true });
    cluster.node(a).input({ kind: "message", from: b as NodeId, message });
    expect(cluster.node(a).raft.view.vote).toBe(b);
  });

  test("election: a restarted follower: grants nothing while it may have made a promise", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    const [a, b] = [1, 2, 3].filter((id) => id !== leader.replica) as [number, number];
    cluster.run(300_000);
    cluster.node(a).crash();
    cluster.node(a).start();
    cluster.node(a).input({ kind: "message", from: b as NodeId, message: vote(b, a, 9) });
    expect(cluster.node(a).raft.view.term).toBe(1);
  });

  test("election: a second candidate of the term: refused, and the first again granted", () => {
    const cluster = new Cluster({ size: 5 });
    const voter = cluster.node(1);
    for (const from of [2, 3, 2]) {
      voter.input({ kind: "message", from: from as NodeId, message: vote(from, 1, 5) });
    }
    cluster.run(2_000);
    expect(said(cluster, 1, "voteReply").map(({ to, granted }) => [to, granted])).toEqual([
      [2, true],
      [3, false],
      [2, true],
    ]);
  });

  test("election: a vote that is not durable: is said to nobody, again neither", () => {
    const cluster = new Cluster({ size: 3 });
    const voter = cluster.node(1);
    voter.holdDisk = true;
    voter.input({ kind: "message", from: 2 as NodeId, message: vote(2, 1, 5) });
    voter.input({ kind: "message", from: 2 as NodeId, message: vote(2, 1, 5) });
    cluster.run(100_000);
    expect(said(cluster, 1, "voteReply")).toEqual([]);
    voter.finishWrites();
    expect(said(cluster, 1, "voteReply").map(({ granted }) => granted)).toEqual([true, true]);
  });

  test.each([
    ["an older last term, though longer", 99, 1, false],
    ["the same term, shorter", 1, 2, false],
    ["the same term and length", 2, 2, true],
    ["the same term, longer", 3, 2, true],
    ["a later last term, though shorter", 0, 3, true],
  ])("election: the candidate's log has %s: vote granted %s", (_what, index, term, granted) => {
    const cluster = new Cluster({ size: 3 });
    const voter = cluster.node(1);
    voter.input({
      kind: "message",
      from: 3 as NodeId,
      message: {
        ...vote(3, 1, 2),
        kind: "append",
        session: 1,
        prevIndex: 0 as never,
        prevTerm: 0 as never,
        commit: 0 as never,
        entries: [1, 2].map((at) => ({
          term: at as Term,
          index: at as never,
          type: 0,
          keyEpoch: 0,
          payload: new Uint8Array(0),
        })),
      },
    });
    cluster.nowUs += 600_000;
    const message = vote(2, 1, 5, { lastIndex: index as never, lastTerm: term as never });
    voter.input({ kind: "message", from: 2 as NodeId, message });
    cluster.run(2_000);
    expect(said(cluster, 1, "voteReply").map((reply) => reply.granted)).toEqual([granted]);
  });

  test("election: answers of an older round or term: count for nothing", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.deliver = (_from, _to, message) => message.kind !== "vote";
    cluster.runUntil(() => cluster.node(1).raft.view.role === "candidate");
    const candidate = cluster.node(1);
    const { term, state } = { term: candidate.raft.view.term, state: candidate.raft.state };
    const reply = { ...vote(2, 1, term), kind: "voteReply", granted: true } as const;
    const stale = { ...reply, request: (state.electionRequest - 1) as RequestId };
    candidate.input({ kind: "message", from: 2 as NodeId, message: stale });
    expect(candidate.raft.view.role).toBe("candidate");
    const right = { ...reply, request: state.electionRequest as RequestId };
    const older = { ...right, term: (term - 1) as Term };
    candidate.input({ kind: "message", from: 2 as NodeId, message: older });
    expect(candidate.raft.view.role).toBe("candidate");
    candidate.finishWrites();
    cluster.run(1_000);
    candidate.input({ kind: "message", from: 2 as NodeId, message: right });
    expect(candidate.raft.view.role).toBe("leader");
  });

  test("election: a refused pre-vote of a higher term: the candidate learns the term", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.node(2).input({ kind: "message", from: 3 as NodeId, message: vote(3, 2, 40) });
    const permissions = { mayLead: false, mayApply: true };
    cluster.node(2).input({ kind: "permitted", permissions });
    cluster.isolate(3);
    cluster.run(20 * longestTimeoutUs);
    expect(cluster.leader!.raft.view.term).toBeGreaterThan(40);
    expect(cluster.marks.of("preVoteRefusalTaughtTerm")).toBeGreaterThan(0);
  });

  test("election: granting a pre-vote: leaves the timer as it was", () => {
    const cluster = new Cluster({ size: 3 });
    const voter = cluster.node(1);
    const deadlineUs = voter.raft.state.electionDeadlineUs;
    const message = { ...vote(2, 1, 1), kind: "preVote" } as const;
    voter.input({ kind: "message", from: 2 as NodeId, message });
    cluster.run(0);
    expect(said(cluster, 1, "preVoteReply").map(({ granted }) => granted)).toEqual([true]);
    expect(voter.raft.state.electionDeadlineUs).toBe(deadlineUs);
    expect(voter.raft.view.term).toBe(0);
  });

  test("election: for another group, incarnation or replica: dropped", () => {
    const cluster = new Cluster({ size: 3 });
    const voter = cluster.node(1);
    for (const wrong of [{ group: 2 }, { incarnation: 2 }, { to: 3 }, { from: 1 }]) {
      const message = { ...vote(2, 1, 5), ...wrong } as Vote;
      voter.input({ kind: "message", from: 2 as NodeId, message });
    }
    expect(voter.raft.view.term).toBe(0);
    expect(cluster.marks.of("foreignMessageDropped")).toBe(4);
  });

  test("election: chain of links, the middle sees both ends: a leader stands", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.deliver = (from, to) => from === 2 || to === 2;
    cluster.run(10 * longestTimeoutUs);
    const leader = cluster.leader!;
    const term = leader.raft.view.term;
    cluster.run(20 * longestTimeoutUs);
    expect(cluster.leader!.raft.view.term).toBe(term);
    const request = leader.propose(1);
    cluster.run(1_000_000);
    expect(leader.ended(request)).toBe("committed");
  });
});
