/** Logs at their limit, and leaders without room on their disks: what may stall, and what may not. */
import { describe, expect, test } from "vitest";
import { checkRaftOptions, raftDefaults } from "../../../src/core/raft/options.js";
import { Cluster } from "./cluster.js";

const small = { logEntriesMax: 12, snapshotEveryEntries: 6, trailingEntries: 2 };

describe("a full log", () => {
  test("full log: limits that leave no room to compact: refused in words", () => {
    const options = { ...raftDefaults, ...small };
    expect(checkRaftOptions(options)).toEqual([]);
    expect(checkRaftOptions({ ...options, logEntriesMax: 8 })).toEqual([
      "logEntriesMax is not above snapshotEveryEntries and trailingEntries together",
    ]);
  });

  test("full log: full of what is not committed when its leader dies: the next one commits it", () => {
    const cluster = new Cluster({ size: 3, raft: { ...small, inflightMessagesMax: 64 } });
    const leader = cluster.elect();
    cluster.run(300_000);
    cluster.deliver = (_from, _to, message) => message.kind !== "appendReply";
    let refused = 0;
    for (let n = 0; n < 30; n++) {
      const request = leader.propose(n);
      cluster.run(2_000);
      if (leader.ended(request) === "overloaded") refused++;
    }
    expect(refused).toBeGreaterThan(15);
    const behind = [...cluster.nodes.values()].filter((node) => node !== leader);
    for (const { raft } of behind) expect(raft.state.log.terms.length).toBe(small.logEntriesMax);
    leader.crash();
    cluster.heal();
    const next = cluster.elect();
    const request = next.propose(99);
    cluster.run(1_000_000);
    // Refused or not: what the log is full of was committed, and there is room again.
    const again = next.ended(request) === "committed" ? request : next.propose(99);
    cluster.run(1_000_000);
    expect(next.ended(again)).toBe("committed");
    for (const { raft, applied } of behind) {
      expect(applied.at(-1)).toBe(99);
      expect(raft.state.log.terms.length).toBeLessThan(small.logEntriesMax);
    }
    expect(cluster.marks.of("logFull")).toBeGreaterThan(0);
  });

  test("full log: appends that fit in part: the part is taken and acknowledged", () => {
    const cluster = new Cluster({ size: 3, raft: { ...small, resendUs: 50_000 } });
    const leader = cluster.elect();
    cluster.run(300_000);
    const slow = cluster.node((leader.replica % 3) + 1);
    // It takes entries and applies nothing, and no snapshot comes: its log cannot be compacted.
    cluster.deliver = (_from, _to, message) => message.kind !== "snapshotChunk";
    slow.input({ kind: "permitted", permissions: { mayLead: true, mayApply: false } });
    for (let n = 0; n < 30; n++) {
      leader.propose(n);
      cluster.run(n % 7 === 0 ? 200_000 : 100);
    }
    cluster.run(1_000_000);
    expect(slow.raft.state.log.terms.length).toBe(small.logEntriesMax);
    expect(slow.raft.view.durable).toBe(small.logEntriesMax);
    slow.input({ kind: "permitted", permissions: { mayLead: true, mayApply: true } });
    cluster.heal();
    cluster.run(3_000_000);
    expect(slow.applied).toEqual(leader.applied);
  });
});

describe("a leader without room", () => {
  test("no room: the leader's disk alone: leadership goes to a voter that has some", () => {
    const cluster = new Cluster({ size: 3 });
    const leader = cluster.elect();
    cluster.run(2_000_000);
    leader.full = true;
    for (let n = 0; n < 20 && cluster.leader === leader; n++) {
      leader.propose(n);
      cluster.run(200_000);
    }
    expect(cluster.marks.of("passedOnForSpace")).toBe(1);
    expect(cluster.leader).not.toBe(leader);
    const request = cluster.leader!.propose(50);
    cluster.run(500_000);
    expect(cluster.leader!.ended(request)).toBe("committed");
  });

  test("no room: on every disk: reads go on, and leaders change no faster than elections", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect();
    cluster.run(2_000_000);
    const { term } = cluster.leader!.raft.view;
    for (const node of cluster.nodes.values()) node.full = true;
    for (let n = 0; n < 100; n++) {
      cluster.leader?.propose(n);
      cluster.run(50_000);
    }
    expect(cluster.leader!.raft.view.term - term).toBeLessThanOrEqual(6);
    const request = cluster.leader!.read("index");
    cluster.run(500_000);
    expect(cluster.leader!.reads.has(request) || cluster.leader!.ended(request)).toBeTruthy();
  });
});
