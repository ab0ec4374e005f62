/** Raft thesis chapter 5, and damage found at the start. */
import { describe, expect, test } from "vitest";
import type { Index, NodeId, RequestId, Term } from "../../../src/core/ids.js";
import { digestOf, pack, unpack } from "../../../src/core/plain.js";
import { Cluster, type TestNode } from "./cluster.js";

function lagging(raft = {}): { cluster: Cluster; leader: TestNode; slow: TestNode } {
  const options = { snapshotEveryEntries: 10, trailingEntries: 2, snapshotChunkBytes: 4 };
  const cluster = new Cluster({ size: 3, raft: { ...options, ...raft } });
  const leader = cluster.elect();
  const slow = cluster.node((leader.replica % 3) + 1);
  cluster.run(300_000);
  slow.crash();
  for (let n = 0; n < 35; n++) {
    leader.propose(n);
    cluster.run(5_000);
  }
  return { cluster, leader, slow };
}

describe("snapshots", () => {
  test("snapshots: a follower behind the log: gets one in chunks, then the rest of the log", () => {
    const { cluster, leader, slow } = lagging();
    expect(leader.raft.view.first).toBeGreaterThan(10);
    slow.start();
    cluster.run(2_000_000);
    expect(slow.applied).toEqual(leader.applied);
    expect(cluster.marks.of("snapshotInstalled")).toBe(1);
    const chunks = cluster.sent.filter(({ message }) => message.kind === "snapshotChunk");
    expect(chunks.length).toBeGreaterThan(5);
  });

  test("snapshots: chunks lost, doubled and late: the whole arrives all the same", () => {
    const { cluster, leader, slow } = lagging();
    let count = 0;
    cluster.deliver = () => ++count % 5 > 0;
    cluster.delay = () => (count % 3) * 400_000;
    slow.start();
    cluster.run(20_000_000);
    cluster.heal();
    cluster.delay = () => 0;
    cluster.run(3_000_000);
    expect(slow.applied).toEqual(cluster.leader!.applied);
    expect(leader.applied.length).toBe(35);
  });

  test("snapshots: each way takes longer than a chunk waits for its answer: it arrives", () => {
    const { cluster, leader, slow } = lagging();
    cluster.delay = () => 200_000;
    slow.start();
    cluster.run(20_000_000);
    expect(cluster.marks.of("lateSnapshotReplyCounted")).toBeGreaterThan(0);
    expect(slow.applied).toEqual(leader.applied);
  });

  test("snapshots: late acceptances while one is under way that then breaks off: it goes on", () => {
    const raft = { snapshotEveryEntries: 10, trailingEntries: 2, inflightMessagesMax: 128 };
    const cluster = new Cluster({ size: 3, raft });
    const leader = cluster.elect();
    const slow = cluster.node((leader.replica % 3) + 1);
    const other = cluster.node((slow.replica % 3) + 1);
    const peer = () => leader.raft.state.peers.find(({ replica }) => replica === slow.replica)!;
    cluster.run(300_000);
    // What it says of appends and chunks is late, its beats are not.
    cluster.delay = (from, _to, message) =>
      from === slow.replica && message.kind !== "heartbeatReply" ? 500_000 : 0;
    for (let n = 0; n < 54; n++) {
      leader.propose(n);
      cluster.run(5_000);
    }
    cluster.runUntil(() => peer().mode === "snapshot", 3_000_000);
    expect(peer().mode).toBe("snapshot");
    cluster.deliver = (_from, _to, message) => message.kind !== "snapshotChunk";
    cluster.run(3_000_000);
    // Its file cannot be read once.
    const { files } = leader.disk;
    const at = leader.raft.state.snapshot!.index;
    const bytes = files.get(at)!;
    files.set(at, new Uint8Array(0));
    cluster.runUntil(() => peer().sending === null, 3_000_000);
    files.set(at, bytes);
    cluster.deliver = () => true;
    cluster.delay = () => 0;
    other.crash();
    const request = leader.propose(99);
    cluster.run(10_000_000);
    expect(leader.ended(request)).toBe("committed");
  });

  test("snapshots: a chunk from the middle: begins nothing", () => {
    const { cluster, leader, slow } = lagging();
    slow.start();
    cluster.runUntil(() => slow.raft.state.receiving !== null);
    const { message } = cluster.sent.find((sent) => sent.message.kind === "snapshotChunk")!;
    if (message.kind !== "snapshotChunk") return;
    const other = { ...message.snapshot, checksum: 1 };
    const input = { ...message, offset: 8, snapshot: other, request: 900 as RequestId };
    slow.input({ kind: "message", from: leader.replica as NodeId, message: input });
    expect(slow.raft.state.receiving!.snapshot.checksum).toBe(message.snapshot.checksum);
    expect(cluster.marks.of("snapshotChunkWithoutStart")).toBe(1);
  });

  test("snapshots: a snapshot that does not verify: refused, and sent again", () => {
    const { cluster, leader, slow } = lagging();
    const index = leader.raft.state.snapshot!.index;
    const whole = leader.disk.files.get(index)!;
    leader.disk.files.set(index, new Uint8Array(whole.length));
    slow.start();
    cluster.run(1_000_000);
    expect(cluster.marks.of("snapshotRefused")).toBeGreaterThan(0);
    leader.disk.files.set(index, whole);
    cluster.run(2_000_000);
    expect(slow.applied).toEqual(leader.applied);
  });

  test("snapshots: over a longer log that does not agree: that log is void", () => {
    const cluster = new Cluster({
      size: 3,
      raft: { snapshotEveryEntries: 10, trailingEntries: 2 },
    });
    const slow = cluster.node(3);
    slow.crash();
    const leader = cluster.elect();
    for (let n = 0; n < 35; n++) {
      leader.propose(n);
      cluster.run(5_000);
    }
    // As if a leader that nobody remembers had left it there.
    const entry = { type: 1, keyEpoch: 0, payload: new Uint8Array(1), term: 0 as Term } as const;
    slow.disk.entries = Array.from({ length: 60 }, (_, at) => ({
      ...entry,
      index: (at + 1) as Index,
    }));
    cluster.checker.forget();
    slow.start();
    cluster.run(3_000_000);
    expect(cluster.marks.of("snapshotOverLongerLog")).toBe(1);
    expect(slow.applied).toEqual(leader.applied);
    expect(slow.disk.term).toBe(leader.raft.view.term);
  });

  test("snapshots: of what is committed already: acknowledged, nothing is cut", () => {
    const { cluster, leader, slow } = lagging();
    slow.start();
    cluster.run(2_000_000);
    const { last } = slow.raft.view;
    const { message } = cluster.sent.find((sent) => sent.message.kind === "snapshotChunk")!;
    slow.input({ kind: "message", from: leader.replica as NodeId, message });
    expect(slow.raft.view.last).toBe(last);
    expect(cluster.marks.of("snapshotBehindCommit")).toBe(1);
  });

  test("snapshots: a restart after one: state, log and configuration are there", () => {
    const { cluster, leader } = lagging();
    const { configuration } = leader.raft.view;
    leader.crash();
    leader.start();
    expect(leader.raft.view.configuration).toEqual(configuration);
    cluster.run(5_000_000);
    expect(leader.applied.length).toBe(35);
  });

  test("snapshots: the state is plain data at any time", () => {
    const { cluster, leader, slow } = lagging();
    slow.start();
    for (let n = 0; n < 20; n++) {
      cluster.run(3_000);
      for (const { raft } of [leader, slow]) {
        const unpacked = unpack(pack(raft.state));
        expect("ok" in unpacked && digestOf(unpacked.ok)).toEqual(digestOf(raft.state));
      }
    }
  });
});

describe("damage", () => {
  function damaged(
    from: number,
    also: (hurt: TestNode) => void = () => {},
    raft = {},
  ): { cluster: Cluster; leader: TestNode; hurt: TestNode } {
    const cluster = new Cluster({ size: 3, raft });
    const leader = cluster.elect();
    const hurt = cluster.node((leader.replica % 3) + 1);
    for (let n = 0; n < 10; n++) leader.propose(n);
    cluster.run(300_000);
    hurt.crash();
    hurt.damage(from);
    also(hurt);
    hurt.start();
    return { cluster, leader, hurt };
  }

  test("damage: entries are lost: a leader refills them, and the replica counts again", () => {
    const { cluster, leader, hurt } = damaged(4);
    expect(hurt.raft.view.damaged).toBe(true);
    cluster.run(2_000_000);
    expect(hurt.raft.view.damaged).toBe(false);
    expect(hurt.events).toContain("repaired");
    expect(hurt.applied).toEqual(leader.applied);
    expect(leader.raft.state.peers.every((peer) => !peer.damaged)).toBe(true);
  });

  test("damage: nothing is left, not even who the members are: a snapshot says so again", () => {
    const { cluster, leader, hurt } = damaged(1, ({ disk }) => {
      disk.snapshot = { ...disk.snapshot, configuration: new Uint8Array(0) };
    });
    expect(hurt.raft.state.configuration.voters).toEqual([]);
    cluster.run(2_000_000);
    expect(cluster.marks.of("snapshotInstalled")).toBe(1);
    expect(hurt.raft.view.damaged).toBe(false);
    expect(hurt.raft.state.configuration).toEqual(leader.raft.state.configuration);
    expect(hurt.applied).toEqual(leader.applied);
  });

  test("damage: the first probe is lost: it is asked again, and gets no needless snapshot", () => {
    const { cluster, leader, hurt } = damaged(4);
    const probes = () => cluster.sent.filter(({ to, message }) => isProbe(to, message)).length;
    const isProbe = (to: number, { kind }: { kind: string }) =>
      to === hurt.node && kind === "append";
    cluster.deliver = (_from, to, message) => !isProbe(to, message);
    const before = probes();
    cluster.runUntil(() => probes() > before + 2);
    cluster.heal();
    cluster.run(2_000_000);
    expect(hurt.raft.view.damaged).toBe(false);
    expect(hurt.applied).toEqual(leader.applied);
    expect(cluster.marks.of("snapshotInstalled")).toBe(0);
  });

  test("damage: a second time while it is refilled: it is asked again what it has", () => {
    const slowly = { appendEntriesMax: 2, inflightMessagesMax: 1 };
    const { cluster, leader, hurt } = damaged(4, () => {}, slowly);
    const peer = () => leader.raft.state.peers.find(({ replica }) => replica === hurt.replica)!;
    cluster.runUntil(() => peer().damaged && peer().match > 3);
    expect(peer().match).toBeLessThan(8);
    hurt.crash();
    hurt.damage(2);
    hurt.start();
    cluster.run(3_000_000);
    expect(hurt.raft.view.damaged).toBe(false);
    expect(hurt.applied).toEqual(leader.applied);
  });

  test("damage: no leader to refill it: it neither stands nor votes", () => {
    const { cluster, leader, hurt } = damaged(4);
    leader.crash();
    cluster.run(10_000_000);
    expect(cluster.leader).toBeUndefined();
    expect(hurt.raft.view.role).toBe("follower");
    expect(cluster.marks.of("damagedRefusesVote")).toBeGreaterThan(0);
    leader.start();
    cluster.run(5_000_000);
    expect(hurt.raft.view.damaged).toBe(false);
    expect(cluster.leader).toBeDefined();
  });

  test("damage: it answers while refilled: its answers make no quorum", () => {
    const { cluster, leader, hurt } = damaged(4);
    const third = [1, 2, 3].find((id) => id !== leader.replica && id !== hurt.replica)!;
    cluster.node(third).crash();
    // What would repair it never becomes durable.
    hurt.holdDisk = true;
    const request = leader.propose(99);
    cluster.run(800_000);
    expect(leader.ended(request)).not.toBe("committed");
    expect(cluster.marks.of("peerDamaged")).toBe(1);
  });
});
