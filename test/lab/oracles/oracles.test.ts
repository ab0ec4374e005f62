import { describe, expect, it } from "vitest";
import { entryType } from "../../../src/core/entry.js";
import { groupId, incarnation, replicaId } from "../../../src/core/ids.js";
import { allOracles } from "../../../src/lab/oracles/index.js";
import { bounded } from "../../../src/lab/oracles/bounded.js";
import { configurationAgreement } from "../../../src/lab/oracles/configuration-agreement.js";
import { commitInOwnTerm } from "../../../src/lab/oracles/commit-in-own-term.js";
import { configurationSafety } from "../../../src/lab/oracles/configuration-safety.js";
import { electionSafety } from "../../../src/lab/oracles/election-safety.js";
import { invariant } from "../../../src/lab/oracles/invariant.js";
import { leaderAppendOnly } from "../../../src/lab/oracles/leader-append-only.js";
import { leaderCompleteness } from "../../../src/lab/oracles/leader-completeness.js";
import { leaderSendsItsLog } from "../../../src/lab/oracles/leader-sends-its-log.js";
import { leaseSafety } from "../../../src/lab/oracles/lease-safety.js";
import { linearizability } from "../../../src/lab/oracles/linearizability.js";
import { logMatching } from "../../../src/lab/oracles/log-matching.js";
import { monotonic } from "../../../src/lab/oracles/monotonic.js";
import { noLostWrite } from "../../../src/lab/oracles/no-lost-write.js";
import { removedIsDead } from "../../../src/lab/oracles/removed-is-dead.js";
import { sessionsExactlyOnce } from "../../../src/lab/oracles/sessions-exactly-once.js";
import { slotOwnership } from "../../../src/lab/oracles/slot-ownership.js";
import { stateMachineSafety } from "../../../src/lab/oracles/state-machine-safety.js";
import {
  configuration,
  entry,
  first,
  judge,
  node1,
  node2,
  operation,
  persist,
  recovered,
  value,
  view,
} from "./fakes.js";
import type { Oracle } from "../../../src/lab/oracle.js";
import type { Operation } from "../../../src/lab/operation.js";
import type { RaftMessage } from "../../../src/core/raft/messages.js";

/** No oracle of these looks at it. */
const noFrame = new Uint8Array(0);

/** Each property: a course of events that it must accept, and one that it must not. */
describe("oracles: each accepts what is right and reports what is planted", () => {
  it("slot-ownership: an answer at an epoch that was over, and two groups at one epoch", () => {
    const served = (span: readonly [number, number], group: number, epoch: number): Operation => ({
      ...operation(`1.${span[0]}`, "put", span),
      served: { slot: 7, group, epoch },
    });
    const course = (...operations: readonly Operation[]) =>
      judge(slotOwnership, (oracle) => {
        for (const each of operations) oracle.completed(each, each.completedUs);
      });
    // Overlapping ones may be answered in any order.
    expect(course(served([1, 2], 2, 5), served([3, 9], 3, 6), served([4, 10], 2, 5))).toEqual([]);
    const late = course(served([1, 2], 2, 5), served([3, 4], 3, 6), served([5, 6], 2, 5));
    expect(late).toEqual(["served at an epoch that was over"]);
    const both = course(served([1, 2], 2, 5), served([3, 4], 3, 5));
    expect(both).toEqual(["two groups at one epoch"]);
  });

  it("removed-is-dead: a removed replica that speaks or starts again", () => {
    const heartbeat = {
      kind: "heartbeat",
      group: groupId(1),
      incarnation: incarnation(1),
      from: replicaId(1),
    } as RaftMessage;
    const course = (then: (oracle: Required<Oracle>) => void, durable = true) =>
      judge(removedIsDead, (oracle) => {
        oracle.submitted(node1, 1, [persist(1, { removed: true })]);
        if (durable) oracle.durable(node1, 1);
        then(oracle);
      });
    const speaks = (oracle: Required<Oracle>) => oracle.released(node1, node2, heartbeat, noFrame);
    const starts = (oracle: Required<Oracle>) =>
      oracle.replicaStarted(node1, first, view({ replica: 1 }), recovered({}));
    expect(course(speaks, false)).toEqual([]);
    expect(course((oracle) => oracle.released(node2, node1, heartbeat, noFrame))).toEqual([]);
    expect(course(speaks)).toEqual(["a removed replica spoke"]);
    expect(course(starts)).toEqual(["a removed replica started"]);
    // Another disk has never held it.
    const renewed = course((oracle) => {
      oracle.diskLost(node1);
      starts(oracle);
    });
    expect(renewed).toEqual([]);
  });

  it("election-safety: two leaders of one term", () => {
    const lead = (replica: number, ofTerm: number) =>
      view({ replica, term: ofTerm, role: "leader" });
    const right = judge(electionSafety, (oracle) => {
      oracle.stepped(node1, lead(1, 1), 0, 0);
      oracle.stepped(node2, lead(2, 2), 0, 0);
    });
    const wrong = judge(electionSafety, (oracle) => {
      oracle.stepped(node1, lead(1, 2), 0, 0);
      oracle.stepped(node2, lead(2, 2), 0, 0);
    });
    expect([right, wrong]).toEqual([[], ["two leaders in one term"]]);
  });

  it("leader-append-only: a leader that replaces an entry", () => {
    const lead = (log: [number, number][], changedFrom: number) =>
      view({ role: "leader", term: 2, log, changedFrom });
    const course = (last: [number, number][], changedFrom: number) =>
      judge(leaderAppendOnly, (oracle) => {
        oracle.stepped(
          node1,
          lead(
            [
              [1, 7],
              [2, 8],
            ],
            2,
          ),
          0,
          0,
        );
        oracle.stepped(node1, lead(last, changedFrom), 0, 0);
      });
    expect(
      course(
        [
          [1, 7],
          [2, 8],
          [2, 9],
        ],
        3,
      ),
    ).toEqual([]);
    expect(
      course(
        [
          [1, 7],
          [2, 9],
        ],
        2,
      ),
    ).toEqual(["leader changed what it had appended"]);
  });

  it("log-matching: same index and term after different prefixes", () => {
    const course = (other: [number, number][]) =>
      judge(logMatching, (oracle) => {
        oracle.stepped(
          node1,
          view({
            replica: 1,
            log: [
              [1, 7],
              [2, 8],
            ],
            changedFrom: 1,
          }),
          0,
          0,
        );
        oracle.stepped(node2, view({ replica: 2, log: other, changedFrom: 1 }), 0, 0);
      });
    expect(
      course([
        [1, 7],
        [2, 8],
      ]),
    ).toEqual([]);
    expect(
      course([
        [1, 7],
        [3, 9],
      ]),
    ).toEqual([]);
    expect(
      course([
        [1, 6],
        [2, 8],
      ]),
    ).toEqual(["same index and term, different logs"]);
  });

  it("leader-completeness: a later leader without a committed entry", () => {
    const course = (log: [number, number][]) =>
      judge(leaderCompleteness, (oracle) => {
        oracle.stepped(node1, view({ role: "leader", term: 1, log: [[1, 7]], commit: 1 }), 0, 0);
        oracle.stepped(node2, view({ replica: 2, role: "leader", term: 2, log }), 0, 0);
      });
    expect(
      course([
        [1, 7],
        [2, 8],
      ]),
    ).toEqual([]);
    expect(course([[2, 8]])).toEqual(["leader lacks a committed entry"]);
  });

  it("commit-in-own-term: an older entry that a leader counted by itself", () => {
    const course = (role: "leader" | "follower", commit: number) =>
      judge(commitInOwnTerm, (oracle) => {
        const log: [number, number][] = [
          [1, 7],
          [2, 8],
          [4, 9],
        ];
        oracle.stepped(node1, view({ term: 4, log, commit: 1 }), 0, 0);
        oracle.stepped(node1, view({ role, term: 4, log, commit }), 0, 0);
      });
    // What is committed when the leadership begins, nobody counted in its term.
    expect(course("leader", 1)).toEqual([]);
    expect(course("leader", 3)).toEqual([]);
    expect(course("follower", 2)).toEqual([]);
    expect(course("leader", 2)).toEqual(["an entry of an older term committed by counting"]);
  });

  it("state-machine-safety: different entries committed, and different states", () => {
    const commit = (replica: number, digest: number) =>
      view({ replica, log: [[1, digest]], commit: 1 });
    const entries = (a: number, b: number) =>
      judge(stateMachineSafety, (oracle) => {
        oracle.stepped(node1, commit(1, a), 0, 0);
        oracle.stepped(node2, commit(2, b), 0, 0);
      });
    const states = (a: number, b: number) =>
      judge(stateMachineSafety, (oracle) => {
        oracle.applied(node1, commit(1, 7), [entry(1, 1)], [0, a]);
        oracle.applied(node2, commit(2, 7), [entry(1, 1)], [0, b]);
      });
    expect(entries(7, 7)).toEqual([]);
    expect(entries(7, 8)).toEqual(["different entries committed at one position"]);
    expect(states(3, 3)).toEqual([]);
    expect(states(3, 4)).toEqual(["different states after the same position"]);
  });

  it("monotonic: term, vote, commit and applied that go back", () => {
    const log: [number, number][] = [
      [1, 7],
      [1, 8],
    ];
    const course = (of: object) =>
      judge(monotonic, (oracle) => {
        const before = { term: 2, vote: 1, commit: 2, applied: 1, log };
        oracle.replicaStarted(node1, first, view(before), recovered({}));
        oracle.stepped(node1, view({ ...before, ...of }), 0, 0);
      });
    expect(course({})).toEqual([]);
    expect(course({ term: 3, vote: 0 })).toEqual([]);
    expect(course({ term: 1 })).toEqual(["term went back"]);
    expect(course({ vote: 2 })).toEqual(["vote went back"]);
    expect(course({ commit: 1 })).toEqual(["commit went back"]);
    expect(course({ applied: 0 })).toEqual(["applied went back"]);
  });

  it("configuration-safety: two voters exchanged in one step", () => {
    const course = (after: ReturnType<typeof configuration>, of: object = {}) =>
      judge(configurationSafety, (oracle) => {
        const lead = {
          role: "leader",
          term: 1,
          log: [
            [1, 7],
            [1, 8],
          ],
          commit: 1,
          configurationIndex: 1,
        } as const;
        oracle.stepped(node1, view({ ...lead, configuration: configuration([1, 2, 3]) }), 0, 0);
        oracle.stepped(
          node1,
          view({ ...lead, ...of, configurationIndex: 2, configuration: after }),
          0,
          0,
        );
      });
    expect(course(configuration([1, 2, 3, 4]))).toEqual([]);
    expect(course(configuration([4, 5, 6], [1, 2, 3]))).toEqual([]);
    expect(course(configuration([1, 4, 5]))).toEqual([
      "majorities of successive configurations need not meet",
    ]);
    expect(course(configuration([1, 2]), { commit: 0 })).toEqual([
      "a change began before the one before it was committed",
    ]);
  });

  it("configuration-agreement: a joint entry taken for its incoming half", () => {
    const course = (again: ReturnType<typeof configuration>) =>
      judge(configurationAgreement, (oracle) => {
        const holds = (of: ReturnType<typeof configuration>) =>
          view({ log: [[1, 7]], configurationIndex: 1, configuration: of });
        oracle.stepped(node1, holds(configuration([4, 5], [1, 2])), 0, 0);
        oracle.replicaStarted(node1, first, holds(again), recovered({}));
      });
    expect(course(configuration([4, 5], [1, 2]))).toEqual([]);
    expect(course(configuration([4, 5]))).toEqual(["one entry taken for two configurations"]);
  });

  it("configuration-agreement: a snapshot with a configuration from after its index", () => {
    const course = (snapshotAt: number, of: number) =>
      judge(configurationAgreement, (oracle) => {
        const changed = (at: number, payload: number) => ({
          ...entry(at, 1),
          type: entryType.configuration,
          payload: Uint8Array.of(payload),
        });
        oracle.applied(node1, view({}), [changed(2, 20), entry(3, 1), changed(4, 40)], [0, 0]);
        const snapshot = { index: snapshotAt, configuration: Uint8Array.of(of) };
        const chunk = { kind: "snapshotChunk", group: 1, incarnation: 1, snapshot };
        oracle.released(node1, node2, chunk as unknown as RaftMessage, noFrame);
      });
    expect([...course(3, 20), ...course(4, 40), ...course(5, 40)]).toEqual([]);
    expect(course(3, 40)).toEqual(["a snapshot with the configuration of another index"]);
  });

  it("leader-sends-its-log: an append after an entry that its sender does not hold", () => {
    const course = (prevTerm: number, entryTerm: number, ofTerm = 3) =>
      judge(leaderSendsItsLog, (oracle) => {
        const log = [
          [1, 7],
          [3, 8],
        ] as const;
        const leads = view({ role: "leader", term: 3, log });
        oracle.replicaStarted(node1, first, leads, recovered({}));
        const sent = { term: ofTerm, prevIndex: 1, prevTerm, entries: [entry(2, entryTerm)] };
        const append = { kind: "append", group: 1, incarnation: 1, from: 1, ...sent };
        oracle.released(node1, node2, append as unknown as RaftMessage, noFrame);
      });
    expect(course(1, 3)).toEqual([]);
    // What it sent as the leader of an earlier term may be cut by now.
    expect(course(2, 2, 2)).toEqual([]);
    expect(course(-1, 3)).toEqual(["an append that is not in its sender's log"]);
    expect(course(1, 2)).toEqual(["an append that is not in its sender's log"]);
  });

  it("lease-safety: a second leader while a lease holds", () => {
    const course = (atUs: number) =>
      judge(leaseSafety, (oracle) => {
        oracle.stepped(node1, view({ role: "leader", term: 1, leaseUntilUs: 1_000 }), 0, 0);
        oracle.stepped(node2, view({ replica: 2, role: "leader", term: 2 }), atUs, atUs);
      });
    expect(course(1_001)).toEqual([]);
    expect(course(500)).toEqual(["two leaders, the older one with a lease"]);
  });

  it("bounded: a queue over its limit", () => {
    const course = (size: number) =>
      judge(bounded, (oracle) => {
        const bounds = () => [{ name: "inflight", size, limit: 8 }];
        for (let n = 0; n < 64; n++) oracle.stepped(node1, view({ bounds }), 0, 0);
      });
    expect(course(8)).toEqual([]);
    expect(course(9)).toEqual(["inflight over its limit"]);
  });

  it("bounded: a queue of a host that grows on and on", () => {
    const requests: number[] = [];
    const course = (steps: number) =>
      judge(bounded, (oracle) => {
        for (let n = 0; n < steps; n++) {
          requests.push(n);
          oracle.sized(node1, groupId(1), [{ name: "requests", size: requests.length, limit: 8 }]);
        }
      });
    expect(course(8)).toEqual([]);
    expect(course(1)).toEqual(["requests over its limit"]);
  });

  it("invariant: a node that stopped over its own invariant, not over its disk", () => {
    const course = (reason: string) => judge(invariant, (oracle) => oracle.stopped(node1, reason));
    expect(course("disk: a sync failed")).toEqual([]);
    expect(course("invariant: commit 7 is in the log")).toEqual([
      "invariant: commit n is in the log",
    ]);
  });

  it("no-lost-write: the last read shows what an acknowledged write had replaced", () => {
    const course = (last: string) =>
      judge(noLostWrite, (oracle) =>
        oracle.finished([
          operation("0.0", "put", [0, 10], { value: "a" }),
          operation("0.1", "put", [20, 30], { value: "b" }),
          operation("0.2", "get", [40, 50], { result: value(last) }),
        ]),
      );
    expect(course("b")).toEqual([]);
    expect(course("a")).toEqual(["acknowledged write gone"]);
  });

  it("sessions-exactly-once: a replaced value that comes back", () => {
    const course = (last: string) =>
      judge(sessionsExactlyOnce, (oracle) =>
        oracle.finished([
          operation("0.0", "put", [0, 100], { value: "a" }),
          operation("1.0", "put", [0, 100], { value: "b" }),
          operation("2.0", "get", [10, 20], { result: value("a") }),
          operation("2.1", "get", [30, 40], { result: value("b") }),
          operation("2.2", "get", [50, 60], { result: value(last) }),
        ]),
      );
    expect(course("b")).toEqual([]);
    expect(course("a")).toEqual(["a replaced value came back"]);
  });

  it("linearizability: a read of what was overwritten before it began", () => {
    const course = (last: string) =>
      judge(linearizability, (oracle) =>
        oracle.finished([
          operation("0.0", "put", [0, 10], { value: "a" }),
          operation("0.1", "put", [20, 30], { value: "b" }),
          operation("1.0", "get", [40, 50], { result: value(last) }),
        ]),
      );
    expect(course("b")).toEqual([]);
    expect(course("a")).toEqual(["no linear order"]);
  });

  it("every property has a name of its own and a sentence", () => {
    expect(new Set(allOracles.map((oracle) => oracle.id)).size).toBe(allOracles.length);
    for (const oracle of allOracles) expect(oracle.about.length).toBeGreaterThan(20);
  });
});
