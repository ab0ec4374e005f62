import { describe, expect, it } from "vitest";
import { crc32 } from "../../../src/core/crc32.js";
import { nodeId, replicaId } from "../../../src/core/ids.js";
import type { Configuration } from "../../../src/core/raft/configuration.js";
import { encodeConfiguration } from "../../../src/core/raft/configuration-codec.js";
import { ownerAt } from "../../../src/core/map/owners.js";
import type { ClientAnswer } from "../../../src/core/store/client-protocol.js";
import { encodeGroupStatus } from "../../../src/core/store/group-status.js";
import { encodeSlotsPiece } from "../../../src/core/store/slots-piece.js";
import { type TestMap, group, madeMap, membersOf } from "../map/maps.js";
import { type Answering, type Asked, StewardWorld, done, refused, someState } from "./world.js";

const kept = { total: someState.length, checksum: crc32(someState) };

/** Groups that do what they are asked, and give up `someState`. */
const willing: Answering = ({ request, kind }) => {
  if (kind === "exportSlots") return piece(new Uint8Array(), "done");
  if (request.kind !== "readSlots") return done;
  return piece(someState.slice(request.offset, request.offset + request.bytesMax), "readResult");
};

function piece(bytes: Uint8Array, kind: "done" | "readResult"): ClientAnswer {
  return { kind, bytes: encodeSlotsPiece({ ...kept, bytes }) };
}

function moving(test: TestMap): {
  readonly job: number;
  readonly from: number;
  readonly to: number;
} {
  const { group: from } = ownerAt(test.map.state.owners, 0);
  const to = group(from === 2 ? 3 : 2);
  const { id } = test.begin({ kind: "moveSlots", slots: { from: 0, to: 1 }, to });
  return { job: id, from, to };
}

const pieces = Math.ceil(someState.length / 4);

describe("a move of slots", () => {
  it("is released, carried over in pieces, accepted and dropped, in this order", () => {
    const test = madeMap(3, 2);
    const { job, to } = moving(test);
    const world = new StewardWorld(test, willing);
    world.begin();
    world.run();
    const carried = Array.from({ length: pieces }, () => ["readSlots", "stageSlots"]).flat();
    expect(world.kinds).toEqual(["exportSlots", ...carried, "acceptSlots", "dropSlots"]);
    expect(test.job(job)!.state).toBe("done");
    expect(ownerAt(test.map.state.owners, 0).group).toBe(to);
  });

  it("goes on where the map says, with a steward that knows nothing of the one before", () => {
    const test = madeMap(3, 2);
    const { job } = moving(test);
    const first = new StewardWorld(test, willing);
    first.begin();
    first.run(() => test.job(job)!.at === 2);
    const second = new StewardWorld(test, willing);
    second.begin();
    second.run();
    expect(second.kinds).toEqual(["acceptSlots", "dropSlots"]);
    expect(test.job(job)!.state).toBe("done");
  });

  it("is not accepted while pieces are missing", () => {
    const test = madeMap(3, 2);
    const { job } = moving(test);
    const world = new StewardWorld(test, (asked) =>
      asked.kind === "stageSlots" ? refused(0) : willing(asked),
    );
    world.begin();
    world.run(() => false, 200);
    expect(world.kinds).not.toContain("acceptSlots");
    expect(test.job(job)!.at).toBe(1);
  });

  it("taken back, the new owner gives it up before the old one serves again", () => {
    const test = madeMap(3, 2);
    const { job, from, to } = moving(test);
    const world = new StewardWorld(test, willing);
    world.begin();
    world.run(() => test.job(job)!.at === 1);
    test.ask({ kind: "cancel", job });
    world.asked.length = 0;
    world.steward.look(test.map.state);
    world.run();
    const asked = world.asked.map(({ kind, request }) => [
      kind,
      "group" in request && request.group,
    ]);
    expect(asked.filter(([kind]) => kind !== "readSlots")).toEqual([
      ["abandonSlots", to],
      ["keepSlots", from],
    ]);
    expect(test.job(job)!.state).toBe("undone");
  });
});

describe("whom it asks", () => {
  const leaderIs3: Answering = (asked) => (asked.node === 3 ? willing(asked) : refused(3));

  it("follows the leader that it is told of, also for the steps to come", () => {
    const test = madeMap(3, 2);
    moving(test);
    const world = new StewardWorld(test, leaderIs3);
    world.begin();
    world.run();
    const strays = world.asked.filter(({ node }) => node !== 3);
    // Once for each of the two groups.
    expect(strays.map(({ kind }) => kind)).toEqual(["exportSlots", "stageSlots"]);
  });

  it("asks another member when one stays silent", () => {
    const test = madeMap(3, 2);
    const { job } = moving(test);
    const world = new StewardWorld(test, (asked) => (asked.node === 3 ? willing(asked) : null));
    world.begin();
    world.run();
    expect(test.job(job)!.state).toBe("done");
    expect(new Set(world.asked.map(({ node }) => node))).toEqual(new Set([1, 2, 3]));
  });

  it("reports again when a report was lost", () => {
    const test = madeMap(3, 2);
    const { job } = moving(test);
    const world = new StewardWorld(test, willing);
    world.reports = false;
    world.begin();
    world.run(() => false, 20);
    expect(test.job(job)!.at).toBe(0);
    world.reports = true;
    world.run();
    expect(test.job(job)!.state).toBe("done");
    // What is done is reported, not done again.
    expect(world.kinds.filter((kind) => kind === "exportSlots")).toHaveLength(1);
  });

  it("drops what comes after it has lost its office", () => {
    const test = madeMap(3, 2);
    const { job } = moving(test);
    const world = new StewardWorld(test, willing);
    world.begin();
    world.steward.look(null);
    world.run();
    expect(test.job(job)!.at).toBe(0);
    expect(world.marks).toContain("lateNodeAnswerDropped");
  });
});

describe("members change", () => {
  const three = membersOf([1, 2, 3].map(nodeId));
  const newcomer = { replica: replicaId(9), node: nodeId(4), disk: 40 };

  function standing(of: Partial<Configuration>, match: number, at: number): ClientAnswer {
    const configuration: Configuration = {
      voters: three,
      outgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
      nextReplicaId: replicaId(10),
      ...of,
    };
    const bytes = encodeGroupStatus({
      term: 1 as never,
      leader: replicaId(1),
      configuration: encodeConfiguration(configuration),
      configurationIndex: at as never,
      commit: 100 as never,
      members: [{ replica: newcomer.replica, match: match as never }],
    });
    return { kind: "readResult", bytes };
  }

  it("who enters is asked, too: the last old member may be gone before the map knows of it", () => {
    const test = madeMap(4, 1);
    const leave = nodeId(1);
    const { id } = test.begin({ kind: "moveReplica", group: group(2), leave, enter: nodeId(4) });
    test.advance(id);
    const world = new StewardWorld(test, ({ node, request }) => {
      if (request.kind !== "status") return done;
      const gone = { kind: "refused", reason: "noGroup", leader: 0 } as ClientAnswer;
      return node === 4 ? standing({ voters: [newcomer] }, 95, 8) : gone;
    });
    world.begin();
    world.run(() => test.job(id)!.state === "done", 50);
    expect(test.job(id)!.state).toBe("done");
  });

  it("a learner joins, catches up, and takes the place of a voter in one change", () => {
    const test = madeMap(4, 1);
    const leave = nodeId(1);
    const { id } = test.begin({ kind: "moveReplica", group: group(2), leave, enter: nodeId(4) });
    const swapped = [...three.slice(1), newcomer];
    const stages: ClientAnswer[] = [
      standing({}, 0, 5),
      standing({ learners: [newcomer] }, 10, 6),
      standing({ learners: [newcomer] }, 95, 6),
      standing({ learners: [newcomer] }, 95, 6),
      standing({ voters: swapped, outgoing: three, autoLeave: true }, 95, 7),
      standing({ voters: swapped }, 95, 8),
    ];
    const changes: Asked[] = [];
    const world = new StewardWorld(test, (asked) => {
      if (asked.kind === "change") changes.push(asked);
      return asked.kind === "status" ? stages.shift()! : done;
    });
    world.begin();
    world.run();
    expect(changes.map(({ request }) => request)).toEqual([
      {
        kind: "change",
        group: 2,
        at: 5,
        changes: [{ op: "addLearner", node: 4, disk: 40 }],
      },
      {
        kind: "change",
        group: 2,
        at: 6,
        changes: [
          { op: "promote", replica: 9 },
          { op: "remove", replica: 1 },
        ],
      },
    ]);
    expect(test.job(id)!.state).toBe("done");
    expect(test.map.state.groups.get(2)!.members).toEqual(swapped);
    // The old replica is buried on its node.
    expect(world.asked.at(-1)).toMatchObject({ node: 1, kind: "erase", request: { replica: 1 } });
  });
});

describe("groups come and go", () => {
  it("a group is founded by all of its members, one that does not answer is asked again", () => {
    const test = madeMap(3, 1);
    const nodes = [1, 2, 3].map(nodeId);
    const create = { kind: "create", group: 0, weight: 1, nodes, replication: 3 } as const;
    const { id } = test.begin(create);
    let silent = 3;
    const world = new StewardWorld(test, ({ node }) => (node === 2 && silent-- > 0 ? null : done));
    world.begin();
    world.run();
    expect(world.asked.map(({ node }) => node)).toEqual([1, 2, 2, 2, 2, 3]);
    expect(test.map.state.groups.get(3)!.phase).toBe("live");
    expect(test.job(id)!.state).toBe("done");
  });

  it("a group ends by being closed and then removed from every node", () => {
    const test = madeMap(3, 2);
    test.finish(test.begin({ kind: "merge", group: group(2), into: group(3) }).id);
    const nodes = [1, 2, 3].map(nodeId);
    test.finish(
      test.begin({ kind: "create", group: group(2), weight: 1, nodes, replication: 3 }).id,
    );
    test.begin({ kind: "destroy", group: group(2) });
    const world = new StewardWorld(test, willing);
    world.begin();
    world.run();
    expect(world.kinds).toEqual(["retire", "erase", "erase", "erase"]);
    expect(test.map.state.groups.get(2)).toBeUndefined();
  });
});
