import { describe, expect, it } from "vitest";
import { boot, index, term } from "../../../src/core/ids.js";
import { durableQuorum } from "../../../src/lab/oracles/durable-quorum.js";
import { durableState } from "../../../src/lab/oracles/durable-state.js";
import { entry, first, hardState, judge, node1, node2, persist, recovered, view } from "./fakes.js";
import type { RaftMessage } from "../../../src/core/raft/messages.js";

/** No oracle of these looks at it. */
const noFrame = new Uint8Array(0);

/** What is said rests on what is on disk: what these accept, and what they report. */
describe("oracles of durability: each accepts what is right and reports what is planted", () => {
  it("durable-state: a vote that is said before it is on disk, and one that recovery forgot", () => {
    const reply = {
      kind: "voteReply",
      group: 1,
      incarnation: 1,
      from: 1,
      to: 2,
      term: 3,
      granted: true,
    };
    const vote = persist(1, { hardState: hardState(3, 2) });
    const said = (durable: boolean) =>
      judge(durableState, (oracle) => {
        oracle.submitted(node1, 1, [vote]);
        if (durable) oracle.durable(node1, 1);
        oracle.released(node1, node2, reply as unknown as RaftMessage, noFrame);
      });
    const recovery = (hard: NonNullable<ReturnType<typeof hardState>>) =>
      judge(durableState, (oracle) => {
        oracle.submitted(node1, 1, [vote]);
        oracle.durable(node1, 1);
        oracle.replicaStarted(node1, first, view({}), recovered({ hardState: hard }));
      });
    expect(said(true)).toEqual([]);
    expect(said(false)).toEqual(["voteReply before the vote was durable"]);
    expect(recovery({ term: term(3), vote: 2, commit: index(0) })).toEqual([]);
    expect(recovery({ term: term(3), vote: 0, commit: index(0) })).toEqual([
      "recovery without its vote",
    ]);
  });

  it("durable-state: an acknowledgement while the disk still holds what was to be replaced", () => {
    const reply = {
      kind: "appendReply",
      group: 1,
      incarnation: 1,
      from: 2,
      to: 1,
      term: 3,
      accepted: true,
      match: 1,
    };
    const course = (ofTerm: number, onDisk = 3) =>
      judge(durableState, (oracle) => {
        oracle.stepped(node1, view({ role: "leader", term: 3, log: [[3, 7]] }), 0, 0);
        const held = persist(2, { hardState: hardState(onDisk), entries: [entry(1, ofTerm)] });
        oracle.submitted(node2, 1, [held]);
        oracle.durable(node2, 1);
        oracle.released(node2, node1, reply as unknown as RaftMessage, noFrame);
      });
    expect(course(3)).toEqual([]);
    expect(course(2)).toEqual(["appendReply before the leader's entries was durable"]);
    // One write took a later leader's entry along, in place of the one that is acknowledged.
    expect(course(4, 4)).toEqual([]);
  });

  it("durable-state: a request for votes before the candidate's own is on disk", () => {
    const request = { kind: "vote", group: 1, incarnation: 1, from: 1, to: 2, term: 3 };
    const course = (...held: NonNullable<ReturnType<typeof hardState>>[]) =>
      judge(durableState, (oracle) => {
        held.forEach((hard, n) => {
          oracle.submitted(node1, n, [persist(1, { hardState: hard })]);
          oracle.durable(node1, n);
        });
        oracle.released(node1, node2, request as unknown as RaftMessage, noFrame);
      });
    const own = { term: term(3), vote: 1, commit: index(0) };
    expect(course(own)).toEqual([]);
    expect(course({ ...own, term: term(4), vote: 0 })).toEqual([]);
    expect(course({ ...own, vote: 0 })).toEqual(["vote before its own vote was durable"]);
  });

  it("durable-quorum: a commit that one of three disks holds", () => {
    const course = (replicas: readonly number[]) =>
      judge(durableQuorum, (oracle) => {
        replicas.forEach((replica, n) => {
          const node = replica === 1 ? node1 : node2;
          oracle.submitted(node, n, [persist(replica, { entries: [entry(1, 1)] })]);
          oracle.durable(node, n);
        });
        oracle.stepped(node1, view({ role: "leader", log: [[1, 7]], commit: 1 }), 0, 0);
      });
    expect(course([1, 2])).toEqual([]);
    expect(course([1])).toEqual(["committed without a durable majority"]);
  });

  it("durable-quorum: a write that a crash cut short counts if it is found at the start, and else not", () => {
    const second = boot(2);
    const course = (of: Parameters<typeof recovered>[0]) =>
      judge(durableQuorum, (oracle) => {
        for (const [node, replica] of [
          [node1, 1],
          [node2, 2],
        ] as const) {
          oracle.submitted(node, replica, [persist(replica, { entries: [entry(1, 1)] })]);
        }
        oracle.durable(node1, 1);
        oracle.replicaStarted(node2, second, view({ replica: 2 }), recovered(of));
        oracle.submitted(node2, 9, []);
        oracle.durable(node2, 9);
        oracle.stepped(node1, view({ role: "leader", log: [[1, 7]], commit: 1 }), 0, 0);
      });
    expect(course({ entries: [entry(1, 1)] })).toEqual([]);
    expect(course({ entries: [] })).toEqual(["committed without a durable majority"]);
  });

  it("durable-quorum: a later sync of the node does not revive a batch that died of a replica that stays away", () => {
    const course = (died: boolean) =>
      judge(durableQuorum, (oracle) => {
        oracle.submitted(node1, 1, [persist(1, { entries: [entry(1, 1)] })]);
        oracle.durable(node1, 1);
        oracle.submitted(node2, 2, [persist(2, { entries: [entry(1, 1)] })]);
        if (died) oracle.crashed(node2);
        oracle.submitted(node2, 9, []);
        oracle.durable(node2, 9);
        oracle.stepped(node1, view({ role: "leader", log: [[1, 7]], commit: 1 }), 0, 0);
      });
    expect(course(false)).toEqual([]);
    expect(course(true)).toEqual(["committed without a durable majority"]);
  });

  it("durable-quorum: what rotted after it was acknowledged had been held", () => {
    const course = (damagedThrough: number) =>
      judge(durableQuorum, (oracle) => {
        for (const node of [node1, node2]) {
          oracle.submitted(node, node, [persist(node, { entries: [entry(1, 1)] })]);
          oracle.durable(node, node);
        }
        const found = recovered({ damagedThrough: index(damagedThrough) });
        oracle.replicaStarted(node2, boot(2), view({ replica: 2 }), found);
        oracle.stepped(node1, view({ role: "leader", log: [[1, 7]], commit: 1 }), 0, 0);
      });
    expect(course(1)).toEqual([]);
    expect(course(0)).toEqual(["committed without a durable majority"]);
  });
});
