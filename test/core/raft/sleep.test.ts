/** docs/decisions/0005: when a replica sleeps, and what wakes it. */
import { describe, expect, test } from "vitest";
import type { Boot, Index, NodeId, ReplicaId, RequestId, Term } from "../../../src/core/ids.js";
import { entryType } from "../../../src/core/entry.js";
import type { RaftInput } from "../../../src/core/raft/raft.js";
import { Alone, type Effect, entriesTo, only, sent } from "./alone.js";

const sleepAfterUs = 1_000_000;
const heartbeatUs = 100_000;

function awake(entries = 3): Alone {
  const alone = new Alone({ entries: entriesTo(entries), raft: { sleepAfterUs } });
  expect(alone.raft.view.asleep).toBe(true);
  alone.step({ kind: "wake" });
  return alone;
}

/** Replica 1 leads, and all of the follower's log is committed and applied. */
function follower(): Alone {
  const alone = awake();
  alone.append(1, 3, [], 3);
  alone.step({ kind: "applied", index: 3 as Index });
  return alone;
}

function askedToSleep(alone: Alone, lastIndex = 3, boot = 7): Effect[] {
  const end = { lastIndex: lastIndex as Index, lastTerm: 1 as Term };
  return alone.hear(1, "sleep", { session: 1, ...end, boot: boot as Boot });
}

/** It leads alone with all peers at the end of its log. */
function leader(): Alone {
  const alone = awake(0);
  alone.lead();
  alone.durable();
  alone.acknowledge();
  alone.step({ kind: "applied", index: 1 as Index });
  return alone;
}

/** Peer 1 gets what it lacks and says so. */
function catchUp(alone: Alone): void {
  const peer = alone.raft.state.peers.find(({ replica }) => replica === 1)!;
  const request = peer.inflight[peer.inflightHead]! as RequestId;
  const agreed = { hintIndex: 0 as Index, hintTerm: 0 as Term, damaged: false };
  const { session } = peer;
  const match = alone.raft.view.last;
  alone.hear(1, "appendReply", { request, session, accepted: true, match, ...agreed });
}

function agree(alone: Alone, replica: number): Effect[] {
  const peer = alone.raft.state.peers.find((each) => each.replica === replica)!;
  const request = peer.heartbeats.at(-2) as RequestId;
  return alone.hear(replica, "asleep", { request, session: peer.session, boot: 4 as Boot });
}

/** Heartbeats that are answered until `us` have passed. */
function quietFor(alone: Alone, us: number): Effect[] {
  let effects: Effect[] = [];
  for (let passedUs = 0; passedUs < us; passedUs += heartbeatUs) {
    alone.answerBeats();
    effects = alone.timerAfter(heartbeatUs);
  }
  return effects;
}

describe("sleep: a follower", () => {
  test("sleep: asked with its whole log applied: agrees, and has no deadline", () => {
    const alone = follower();
    const effects = askedToSleep(alone);
    expect(sent(effects, "asleep")).toHaveLength(1);
    expect(only(effects, "wakeAt")).toEqual([{ kind: "wakeAt", at: Infinity }]);
    expect(alone.raft.view.asleep).toBe(true);
    expect(alone.raft.state.log.entries).toEqual([]);
  });

  test("sleep: asked for more than it has, or than it has applied: answers as to a heartbeat", () => {
    const short = follower();
    expect(sent(askedToSleep(short, 4), "heartbeatReply")).toHaveLength(1);
    const behind = awake();
    behind.append(1, 3, [], 3);
    expect(sent(askedToSleep(behind), "heartbeatReply")).toHaveLength(1);
    expect([short.raft.view.asleep, behind.raft.view.asleep]).toEqual([false, false]);
    expect(short.marks.of("sleepNotAgreed")).toBe(1);
  });

  test("sleep: asked again by the same start of its leader: sleeps on, and promises anew", () => {
    const alone = follower();
    askedToSleep(alone);
    const promisedUs = alone.raft.state.promisedUntilUs;
    expect(sent(askedToSleep(alone), "asleep")).toHaveLength(1);
    expect(alone.raft.view.asleep).toBe(true);
    expect(alone.raft.state.promisedUntilUs).toBeGreaterThan(promisedUs);
  });

  const requests: readonly (readonly [string, RaftInput])[] = [
    ["a read by lease", { kind: "read", request: 9 as RequestId, mode: "lease" }],
    ["a forwarded read", { kind: "read", request: 9 as RequestId, mode: "index" }],
    [
      "a proposal",
      { kind: "propose", request: 9 as RequestId, type: entryType.data, payload: new Uint8Array() },
    ],
    ["a change", { kind: "change", request: 9 as RequestId, changes: [] }],
    ["a transfer", { kind: "transfer", request: 9 as RequestId, to: 3 as ReplicaId }],
    ["its node", { kind: "wake" }],
    ["a permission", { kind: "permitted", permissions: { mayLead: false, mayApply: true } }],
  ];
  test.each(requests)("sleep: woken by %s: tells its leader and watches it", (_name, input) => {
    const alone = follower();
    askedToSleep(alone);
    const effects = alone.step(input);
    expect(alone.raft.view.asleep).toBe(false);
    expect(sent(effects, "wake").map(({ to }) => to)).toEqual([1]);
    expect(only(effects, "wakeAt")).toHaveLength(1);
  });

  test("sleep: woken by its leader: tells nobody", () => {
    const alone = follower();
    askedToSleep(alone);
    const effects = alone.hear(1, "heartbeat", { session: 1, commit: 3 as Index });
    expect(alone.raft.view.asleep).toBe(false);
    expect(sent(effects, "wake")).toEqual([]);
  });

  test("sleep: woken by a candidate: does not take its own deafness for its leader's silence", () => {
    const alone = follower();
    askedToSleep(alone);
    alone.nowUs += 5_000_000;
    const end = { lastIndex: 3 as Index, lastTerm: 1 as Term };
    const effects = alone.hear(3, "preVote", { term: 2 as Term, ...end });
    expect(sent(effects, "preVoteReply").map(({ granted }) => granted)).toEqual([false]);
    expect(alone.raft.view.asleep).toBe(false);
  });

  test("sleep: a message for another replica: sleeps on", () => {
    const alone = follower();
    askedToSleep(alone);
    alone.hear(1, "heartbeat", { session: 1, commit: 3 as Index, to: 3 as ReplicaId });
    expect(alone.raft.view.asleep).toBe(true);
  });
});

describe("sleep: a leader", () => {
  test("sleep: a peer lags: never asks", () => {
    const alone = leader();
    expect(sent(quietFor(alone, 3 * sleepAfterUs), "sleep")).toEqual([]);
  });

  test("sleep: all hold all: asks, and sleeps when all have agreed, without a lease", () => {
    const alone = leader();
    catchUp(alone);
    expect(sent(quietFor(alone, sleepAfterUs / 2), "sleep")).toEqual([]);
    expect(sent(quietFor(alone, sleepAfterUs), "sleep")).toHaveLength(2);
    agree(alone, 1);
    expect(alone.raft.view.leaseUntilUs).toBeGreaterThan(0);
    expect(alone.raft.view.asleep).toBe(false);
    const effects = agree(alone, 3);
    expect(only(effects, "wakeAt")).toEqual([{ kind: "wakeAt", at: Infinity }]);
    expect(alone.raft.view.asleep).toBe(true);
    expect(alone.raft.view.leaseUntilUs).toBe(0);
    const reading = alone.step({ kind: "read", request: 9 as RequestId, mode: "lease" });
    expect(only(reading, "readReady")).toEqual([]);
    expect(sent(reading, "heartbeat").map(({ to }) => to)).toEqual([1, 3]);
  });

  test("sleep: one does not agree: after an election timeout those who sleep are woken", () => {
    const alone = leader();
    catchUp(alone);
    quietFor(alone, 1.5 * sleepAfterUs);
    agree(alone, 1);
    let woken: number[] = [];
    for (let n = 0; n < 20 && woken.length === 0; n++) {
      alone.answerBeats();
      woken = sent(alone.timerAfter(heartbeatUs), "heartbeat").map(({ to }) => to);
    }
    expect(woken).toContain(1);
    expect(alone.marks.of("sleepGivenUp")).toBe(1);
  });

  test("sleep: a follower has woken: speaks to all, and has a timeout to hear of them", () => {
    const alone = leader();
    catchUp(alone);
    quietFor(alone, 1.5 * sleepAfterUs);
    agree(alone, 1);
    agree(alone, 3);
    alone.nowUs += 60_000_000;
    expect(sent(alone.hear(3, "wake", {}), "heartbeat").map(({ to }) => to)).toEqual([1, 3]);
    alone.timerAfter(heartbeatUs);
    expect(alone.role).toBe("leader");
  });

  test("sleep: alone in its group: asks nobody", () => {
    const alone = new Alone({ raft: { sleepAfterUs } });
    alone.step({ kind: "wake" });
    const one = alone.raft.state.configuration.voters.filter(({ replica }) => replica === 2);
    Object.assign(alone.raft.state, {
      configuration: { ...alone.raft.state.configuration, voters: one },
    });
    alone.campaign();
    alone.durable();
    alone.durable();
    alone.step({ kind: "applied", index: 1 as Index });
    expect(alone.role).toBe("leader");
    for (let n = 0; n < 20 && !alone.raft.view.asleep; n++) alone.timerAfter(heartbeatUs);
    expect(alone.raft.view.asleep).toBe(true);
  });
});

test("sleep: a start: tells all members that it knows when it is woken", () => {
  const alone = new Alone({ entries: entriesTo(3), raft: { sleepAfterUs } });
  const effects = alone.step({ kind: "wake" });
  expect(only(effects, "send").map(({ to }) => to)).toEqual([1, 3] as unknown as NodeId[]);
  expect(sent(effects, "wake")).toHaveLength(2);
});
