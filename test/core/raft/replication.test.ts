/** Raft thesis sections 3.5, 3.6.2 and 10.2: replication, commitment, durability. */
import { describe, expect, test } from "vitest";
import type { Entry } from "../../../src/core/entry.js";
import type { NodeId, ReplicaId, RequestId, Term, Token } from "../../../src/core/ids.js";
import type { Append } from "../../../src/core/raft/messages.js";
import { Cluster } from "./cluster.js";

const entries = (from: number, ...terms: number[]): Entry[] =>
  terms.map((term, at) => ({
    term: term as Term,
    index: (from + at) as never,
    type: 1,
    keyEpoch: 0,
    payload: Uint8Array.of(term),
  }));

/** An append from replica 3 to replica 1. */
function append(term: number, prev: [number, number], what: Entry[], commit = 0): Append {
  return {
    kind: "append",
    group: 1 as never,
    incarnation: 1 as never,
    from: 3 as ReplicaId,
    to: 1 as ReplicaId,
    term: term as Term,
    request: 900 as RequestId,
    session: 5,
    prevIndex: prev[0] as never,
    prevTerm: prev[1] as never,
    commit: commit as never,
    entries: what,
  };
}

/** A follower alone with the test, which speaks for its leader. */
function follower(...messages: Append[]): { cluster: Cluster; send: (m: Append) => void } {
  const cluster = new Cluster({ size: 3 });
  cluster.node(2).crash();
  cluster.node(3).crash();
  const send = (message: Append): void => {
    cluster.node(1).input({ kind: "message", from: 3 as NodeId, message });
    cluster.run(2_000);
  };
  for (const message of messages) send(message);
  return { cluster, send };
}

const replies = (cluster: Cluster): unknown[] =>
  cluster.sent.map(({ message: m }) =>
    m.kind === "appendReply" ? (m.accepted ? m.match : [m.hintIndex, m.hintTerm]) : m.kind,
  );
const terms = (cluster: Cluster): number[] => cluster.node(1).raft.state.log.terms;

describe("replication", () => {
  test("replication: proposals: applied in order by all", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    const requests = Array.from({ length: 100 }, (_, at) => leader.propose(at));
    cluster.run(1_000_000);
    for (const request of requests) expect(leader.ended(request)).toBe("committed");
    for (const node of cluster.nodes.values()) {
      expect(node.applied).toEqual(Array.from({ length: 100 }, (_, at) => at));
    }
  });

  test("replication: many proposals while appends are in flight: limits hold, and they share", () => {
    const cluster = new Cluster({ size: 3, raft: { inflightMessagesMax: 2 } });
    const leader = cluster.elect();
    cluster.run(500_000);
    const before = cluster.sent.length;
    for (let n = 0; n < 64; n++) leader.propose(n);
    cluster.run(1_000);
    const appends = cluster.sent.slice(before).filter(({ message }) => message.kind === "append");
    expect(appends.length).toBe(4);
    cluster.run(50_000);
    expect(leader.applied.length).toBe(64);
  });

  test("replication: a conflicting suffix: cut, and only from the first entry that differs", () => {
    const { cluster } = follower(
      append(1, [0, 0], entries(1, 1, 1, 1)),
      append(2, [1, 1], entries(2, 1, 2, 2)),
    );
    expect(terms(cluster)).toEqual([1, 1, 2, 2]);
    expect(replies(cluster)).toEqual([3, 4]);
    expect(cluster.node(1).disk.entries.map(({ term }) => term)).toEqual([1, 1, 2, 2]);
  });

  test("replication: an old or empty append: cuts nothing, proves only itself", () => {
    const { cluster } = follower(
      append(1, [0, 0], entries(1, 1, 1, 1)),
      append(1, [0, 0], entries(1, 1)),
      append(1, [2, 1], []),
    );
    expect(terms(cluster)).toEqual([1, 1, 1]);
    expect(replies(cluster)).toEqual([3, 1, 2]);
  });

  test("replication: a gap or a conflict before it: refused with where the logs may agree", () => {
    const { cluster } = follower(
      append(3, [0, 0], entries(1, 1, 1, 3, 3)),
      append(3, [9, 3], entries(10, 3)),
      append(4, [4, 2], entries(5, 4)),
    );
    expect(replies(cluster)).toEqual([4, [4, 3], [2, 1]]);
  });

  test("replication: the leader's commit is beyond what the append proves: only that is taken", () => {
    const { cluster, send } = follower(append(1, [0, 0], entries(1, 1, 1, 1), 2));
    expect(cluster.node(1).raft.view.commit).toBe(2);
    send(append(2, [1, 1], [], 3));
    expect(cluster.node(1).raft.view.commit).toBe(2);
  });

  test("replication: entries out of order or of a later term: the message is dropped", () => {
    const { cluster } = follower(
      append(1, [0, 0], entries(2, 1)),
      append(1, [0, 0], entries(1, 2)),
      append(2, [0, 0], entries(1, 2, 1)),
    );
    expect(terms(cluster)).toEqual([]);
    expect(replies(cluster)).toEqual([]);
  });

  test("replication: an append that is not durable: is acknowledged to nobody", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.node(1).holdDisk = true;
    const message = append(1, [0, 0], entries(1, 1));
    cluster.node(1).input({ kind: "message", from: 3 as NodeId, message });
    cluster.run(10_000);
    expect(replies(cluster)).toEqual([]);
    cluster.node(1).finishWrites();
    expect(replies(cluster)).toEqual([1]);
  });

  test("replication: written, cut, written anew: the first write's token proves nothing", () => {
    const cluster = new Cluster({ size: 3 });
    const node = cluster.node(1);
    node.holdDisk = true;
    const say = (message: Append): void =>
      node.input({ kind: "message", from: 3 as NodeId, message });
    say(append(1, [0, 0], entries(1, 1, 1)));
    say(append(2, [0, 0], entries(1, 2, 2)));
    node.input({ kind: "persisted", token: 1 as Token });
    expect(node.raft.view.durable).toBe(0);
    expect(cluster.marks.of("lateTokenAfterTruncation")).toBe(1);
    node.input({ kind: "persisted", token: 2 as Token });
    expect(node.raft.view.durable).toBe(2);
  });

  test("replication: the leader's disk is slow: followers alone make the quorum", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    leader.holdDisk = true;
    const request = leader.propose(1);
    cluster.run(100_000);
    expect(leader.ended(request)).toBe("committed");
    expect(leader.applied).toEqual([]);
    leader.finishWrites();
    cluster.run(1_000);
    expect(leader.applied).toEqual([1]);
  });

  test("replication: one follower and the leader's own disk hang: nothing is committed", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    const other = cluster.node((leader.replica % 3) + 1);
    leader.holdDisk = true;
    other.holdDisk = true;
    const request = leader.propose(1);
    cluster.run(300_000);
    expect(leader.ended(request)).toBeUndefined();
    other.finishWrites();
    cluster.run(10_000);
    expect(leader.ended(request)).toBe("committed");
  });

  test("replication: figure 3.7: an older term's entry is committed only beneath one of our own", () => {
    const cluster = new Cluster({ size: 3, raft: { appendEntriesMax: 1 } });
    const leader = cluster.elect();
    cluster.run(300_000);
    // Entry 2 reaches nobody; its leader crashes, and leads again in a later term.
    cluster.isolate(leader.replica);
    leader.propose(1);
    leader.crash(1);
    leader.start();
    for (const node of cluster.nodes.values()) {
      const permissions = { mayLead: node === leader, mayApply: true };
      node.input({ kind: "permitted", permissions });
    }
    // Now entry 2 spreads, but not the blank entry of the new term.
    cluster.deliver = (_from, _to, message) =>
      message.kind !== "append" || message.entries.every(({ index }) => index < 3);
    cluster.run(3_000_000);
    expect(leader.raft.state.termStart).toBe(3);
    expect(leader.raft.state.peers.map(({ match }) => match)).toEqual([2, 2]);
    expect(leader.raft.view.commit).toBeLessThan(2);
    cluster.heal();
    cluster.run(1_000_000);
    expect(leader.raft.view.commit).toBe(3);
  });

  test("replication: a leader that lost its place: open proposals are unknown, not lost in silence", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    cluster.run(300_000);
    cluster.isolate(leader.replica);
    const request = leader.propose(1);
    cluster.run(3_000_000);
    expect(leader.ended(request)).toBe("unknown");
    expect(leader.ended(leader.propose(2))).toBe("notLeader");
  });

  test("replication: limits of a proposal: refused by name, and room comes back", () => {
    const raft = { uncommittedBytesMax: 100, entryBytesMax: 1_000, pendingProposalsMax: 2 };
    const cluster = new Cluster({ size: 3, raft });
    const leader = cluster.elect();
    const open = [leader.propose(1), leader.propose(2)];
    expect(leader.ended(leader.propose(3))).toBe("overloaded");
    cluster.run(100_000);
    expect(open.map((request) => leader.ended(request))).toEqual(["committed", "committed"]);
    expect(leader.raft.state.uncommittedBytes).toBe(0);
    const large = { kind: "propose", request: 77 as RequestId, type: 1 } as const;
    leader.input({ ...large, payload: new Uint8Array(1_001) });
    expect(leader.ended(77)).toBe("tooLarge");
    leader.input({ ...large, request: 78 as RequestId, type: 2, payload: new Uint8Array(0) });
    expect(leader.ended(78)).toBe("badChange");
  });

  test("replication: no room on a follower: nothing acknowledged, and it catches up later", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    const full = cluster.node((leader.replica % 3) + 1);
    cluster.run(300_000);
    full.full = true;
    for (let n = 0; n < 5; n++) leader.propose(n);
    cluster.run(2_000_000);
    expect(leader.applied.length).toBe(5);
    expect(full.raft.view.durable).toBe(1);
    expect(full.raft.view.waitsFor()).toBe("room on its disk");
    full.full = false;
    cluster.run(2_000_000);
    expect(full.applied).toEqual(leader.applied);
  });

  test("replication: no room on the leader: refused, and taken again when there is", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    leader.full = true;
    leader.propose(1);
    cluster.run(100_000);
    expect(leader.ended(leader.propose(2))).toBe("noSpace");
    leader.full = false;
    cluster.run(1_000_000);
    const request = leader.propose(3);
    cluster.run(100_000);
    expect(leader.ended(request)).toBe("committed");
  });

  test("replication: an entry of an unknown type: nothing from there on is applied", () => {
    const what = entries(1, 1, 1).map((e, at) => ({ ...e, type: (at === 1 ? 99 : 1) as never }));
    const { cluster } = follower(append(1, [0, 0], what, 2));
    const { view } = cluster.node(1).raft;
    expect([view.commit, view.applied]).toEqual([2, 1]);
    expect(cluster.node(1).events).toContain("unknownEntryType");
    expect(view.waitsFor()).toContain("type of entry 2");
  });

  test("replication: a follower far behind: entries that left memory are read from disk", () => {
    const cluster = new Cluster({ size: 3, raft: { cacheBytesMax: 200 } });
    const leader = cluster.elect();
    const slow = cluster.node((leader.replica % 3) + 1);
    slow.crash();
    for (let n = 0; n < 200; n++) {
      leader.propose(n);
      cluster.run(5_000);
    }
    expect(leader.raft.state.log.entries.length).toBeLessThan(10);
    slow.start();
    cluster.run(3_000_000);
    expect(slow.applied).toEqual(leader.applied);
    expect(cluster.marks.of("logReadFromDisk")).toBeGreaterThan(0);
  });

  test("replication: a reordered or repeated acknowledgement: match never falls", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    const from = (leader.replica % 3) + 1;
    for (let n = 0; n < 5; n++) leader.propose(n);
    cluster.run(100_000);
    const peer = leader.raft.state.peers.find(({ replica }) => replica === from)!;
    const { match } = peer;
    for (const { message } of cluster.sent.filter((sent) => sent.from === from)) {
      leader.input({ kind: "message", from: from as NodeId, message });
    }
    expect(peer.match).toBe(match);
    expect(cluster.marks.of("staleRequestDropped")).toBeGreaterThan(0);
  });

  test("replication: a way there and back longer than the resending: entries are committed", () => {
    const cluster = new Cluster({ size: 3, latencyUs: 180_000 });
    cluster.run(5_000_000);
    const leader = cluster.elect();
    const requests = Array.from({ length: 5 }, (_, n) => leader.propose(n));
    cluster.run(3_000_000);
    expect(requests.map((request) => leader.ended(request))).toEqual(
      requests.map(() => "committed"),
    );
    expect(cluster.marks.of("lateAppendCounted")).toBeGreaterThan(0);
  });
});
