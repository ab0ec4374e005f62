/** What the steward asks for where a change may still be undone, or a disk or a node is lost. */
import { describe, expect, it } from "vitest";
import { type Index, type Term, nodeId, replicaId } from "../../../src/core/ids.js";
import type { Member } from "../../../src/core/raft/configuration.js";
import { encodeConfiguration } from "../../../src/core/raft/configuration-codec.js";
import type { Errand, Outcome } from "../../../src/core/steward/errand.js";
import { joining, leading, renewing, swapping } from "../../../src/core/steward/member-errands.js";
import { burying, erasing, founding } from "../../../src/core/steward/replica-errands.js";
import { encodeGroupStatus } from "../../../src/core/store/group-status.js";
import { CountedMarks } from "../counted-marks.js";
import { type TestMap, group, madeMap } from "../map/maps.js";

const disk = (node: number): number => node * 10;
const member = (replica: number, node: number, on = disk(node)): Member => {
  return { replica: replicaId(replica), node: nodeId(node), disk: on };
};
const founders = [member(1, 1), member(2, 2), member(3, 3)];

interface Stands {
  readonly voters?: readonly Member[];
  readonly outgoing?: readonly Member[];
  readonly learners?: readonly Member[];
  readonly commit?: number;
  readonly configurationIndex?: number;
}

/** What the errand does next when it sees the group stand so. */
function look(errand: Errand, test: TestMap, stands: Stands): Outcome | { readonly asks: unknown } {
  expect(errand.next(test.map.state)?.request).toMatchObject({ kind: "status" });
  const { voters = founders, outgoing = [], learners = [] } = stands;
  const { commit = 5, configurationIndex = 5 } = stands;
  const bytes = encodeGroupStatus({
    term: 1 as Term,
    leader: replicaId(1),
    configuration: encodeConfiguration({
      voters,
      outgoing,
      learners,
      learnersNext: [],
      autoLeave: outgoing.length > 0,
      nextReplicaId: replicaId(100),
    }),
    configurationIndex: configurationIndex as Index,
    commit: commit as Index,
    members: [],
  });
  const outcome = errand.take({ kind: "done", bytes });
  if (outcome.kind !== "on") return outcome;
  return { asks: errand.next(test.map.state)!.request };
}

const later = { kind: "later" };
const done = { kind: "done", fact: { kind: "none" } };

function changes(...all: readonly unknown[]): unknown {
  return { asks: expect.objectContaining({ kind: "change", changes: all }) };
}

function withNewDisk(test: TestMap, node: number, on: number): TestMap {
  test.ask({ kind: "setNode", node: nodeId(node), disk: on, weight: 1, zone: "", address: "" });
  return test;
}

function withLost(test: TestMap, node: number): TestMap {
  expect(test.ask({ kind: "declareLost", node: nodeId(node) }).kind).toBe("ok");
  return test;
}

describe("a change that is not committed", () => {
  it("is no ground to go on from: the next leader may not have it", () => {
    const marks = new CountedMarks();
    const test = madeMap(5, 1);
    const learners = [member(4, 4)];
    const join = joining(group(2), nodeId(4), { laggingMax: 32, marks });
    expect(look(join, test, { learners, configurationIndex: 6 })).toEqual(later);
    expect(look(join, test, { learners })).toEqual(done);
    expect(marks.of("unsettledMembersAwaited")).toBe(1);
  });

  it("nor is a joint one", () => {
    const step = { kind: "swap", group: group(2), enter: nodeId(4), leave: nodeId(1) } as const;
    const swap = swapping(step, new CountedMarks());
    const voters = [founders[1]!, founders[2]!, member(4, 4)];
    expect(look(swap, madeMap(5, 1), { voters, outgoing: founders })).toEqual(later);
    expect(look(swap, madeMap(5, 1), { voters })).toEqual({
      kind: "done",
      fact: { kind: "members", members: voters },
    });
  });
});

describe("a swap", () => {
  const step = { kind: "swap", group: group(2), enter: nodeId(4), leave: nodeId(1) } as const;
  const remove = { op: "remove", replica: 1 };

  it("promotes the learner and removes who leaves, in one change", () => {
    const learners = [member(4, 4)];
    const promote = { op: "promote", replica: 4 };
    const swap = swapping(step, new CountedMarks());
    expect(look(swap, madeMap(5, 1), { learners })).toEqual(changes(promote, remove));
  });

  it("never leaves the group a voter short: without the learner it adds a voter", () => {
    const add = { op: "addVoter", node: 4, disk: disk(4) };
    const swap = swapping(step, new CountedMarks());
    expect(look(swap, madeMap(5, 1), {})).toEqual(changes(add, remove));
  });

  it("does not promote a learner whose disk is lost", () => {
    const test = withNewDisk(madeMap(5, 1), 4, 77);
    const learners = [member(4, 4)];
    const swap = swapping(step, new CountedMarks());
    expect(look(swap, test, { learners })).toEqual(
      changes({ op: "remove", replica: 4 }, { op: "addVoter", node: 4, disk: 77 }, remove),
    );
  });
});

describe("a node with another disk", () => {
  const step = { kind: "renew", group: group(2), node: nodeId(3), replica: replicaId(3) } as const;

  it("gets a new voter in the place of the old one, in one change", () => {
    const test = withNewDisk(madeMap(5, 1), 3, 77);
    const renew = renewing(step, new CountedMarks());
    const add = { op: "addVoter", node: 3, disk: 77 };
    expect(look(renew, test, {})).toEqual(changes(add, { op: "remove", replica: 3 }));
    const voters = [founders[0]!, founders[1]!, member(9, 3, 77)];
    renew.take({ kind: "done", bytes: new Uint8Array() });
    const members = { kind: "members", members: voters };
    expect(look(renew, test, { voters })).toEqual({ kind: "done", fact: members });
  });

  it("is not waited for as the learner that it was on the disk before", () => {
    const marks = new CountedMarks();
    const test = withNewDisk(madeMap(5, 1), 4, 77);
    const join = joining(group(2), nodeId(4), { laggingMax: 32, marks });
    const remove = { op: "remove", replica: 4 };
    expect(look(join, test, { learners: [member(4, 4)] })).toEqual(changes(remove));
    expect(marks.of("lostLearnerRemoved")).toBe(1);
    join.take({ kind: "done", bytes: new Uint8Array() });
    const add = { op: "addLearner", node: 4, disk: 77 };
    expect(look(join, test, {})).toEqual(changes(add));
  });

  it("is not asked to make a replica on the old one, nor to lead with it", () => {
    const test = withNewDisk(madeMap(3, 1), 2, 77);
    expect(asked(founding(test.map.state, group(2), new CountedMarks()), test)).toEqual([1, 3]);
    const lead = leading(group(2), nodeId(2), new CountedMarks());
    expect(look(lead, test, {})).toEqual(done);
  });
});

describe("a lost node", () => {
  it("is asked for nothing, from when it is declared lost", () => {
    const marks = new CountedMarks();
    const test = madeMap(3, 1);
    const erase = erasing(test.map.state, group(2), marks);
    expect(erase.next(test.map.state)?.to).toEqual({ node: 1 });
    withLost(test, 1);
    expect(asked(erase, test)).toEqual([2, 3]);
    expect(asked(founding(test.map.state, group(2), marks), test)).toEqual([2, 3]);
    const step = { kind: "bury", group: group(2), node: nodeId(1), replica: replicaId(1) } as const;
    expect(asked(burying(test.map.state, step, marks), test)).toEqual([]);
    expect(marks.of("lostMemberNotAsked")).toBe(3);
  });

  it("is asked again once it is back", () => {
    const test = withNewDisk(withLost(madeMap(3, 1), 1), 1, disk(1));
    const erase = erasing(test.map.state, group(2), new CountedMarks());
    expect(asked(erase, test)).toEqual([1, 2, 3]);
  });
});

/** Whom it asks until it is done, if each does what it is asked for. */
function asked(errand: Errand, test: TestMap): unknown[] {
  const nodes: unknown[] = [];
  for (;;) {
    const question = errand.next(test.map.state);
    if (question === null) return nodes;
    nodes.push("node" in question.to ? question.to.node : 0);
    if (errand.take({ kind: "done", bytes: new Uint8Array() }).kind === "done") return nodes;
  }
}
