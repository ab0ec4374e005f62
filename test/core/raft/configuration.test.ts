import { describe, expect, it } from "vitest";
import { replicaId } from "../../../src/core/ids.js";
import {
  type Configuration,
  checkConfiguration,
  emptyConfiguration,
  isJoint,
  isLearner,
  isVoter,
  memberOf,
  members,
  replicasMax,
  voterIds,
} from "../../../src/core/raft/configuration.js";
import { first, member } from "./configurations.js";

const joint: Configuration = {
  voters: [member(1), member(4)],
  outgoing: [member(1), member(2), member(3)],
  learners: [member(5)],
  learnersNext: [member(3)],
  autoLeave: true,
  nextReplicaId: replicaId(6),
};

describe("configuration", () => {
  it("configuration: joint: each replica is asked for by its part", () => {
    expect(isJoint(joint)).toBe(true);
    const ids = [1, 2, 3, 4, 5, 6].map(replicaId);
    expect(ids.filter((id) => isVoter(joint, id))).toEqual([1, 2, 3, 4]);
    expect(ids.filter((id) => isLearner(joint, id))).toEqual([5]);
    expect(ids.map((id) => memberOf(joint, id)?.replica)).toEqual([1, 2, 3, 4, 5, undefined]);
    expect(voterIds(joint)).toEqual([1, 2, 3, 4]);
    expect(members(joint).map(({ replica }) => replica)).toEqual([1, 2, 3, 4, 5]);
  });

  it("configuration: sound ones: no invariant is reported", () => {
    expect(checkConfiguration(joint)).toEqual([]);
    expect(checkConfiguration(first(3))).toEqual([]);
    expect(checkConfiguration(first(replicasMax))).toEqual([]);
  });

  it("configuration: a replica replaced in place: old and new may share the node while joint", () => {
    const outgoing = [member(1), member(2), member(3)];
    const voters = [member(1), member(2), member(6, 3)];
    const replaced = { ...joint, voters, outgoing, learnersNext: [], nextReplicaId: replicaId(7) };
    expect(checkConfiguration(replaced)).toEqual([]);
  });

  const plain = first(3);
  const many = Array.from({ length: replicasMax + 1 }, (_, at) => member(at + 1));
  const planted: [string, Configuration, number[]][] = [
    ["no voter", emptyConfiguration, [1]],
    ["voters out of order", { ...plain, voters: plain.voters.toReversed() }, [2]],
    ["a voter twice", { ...joint, voters: [member(4), member(4)] }, [2]],
    ["a learner that is a voter", { ...plain, learners: [plain.voters[0]!] }, [3]],
    ["a learner that is an outgoing voter", { ...joint, learners: [member(2)] }, [3]],
    ["a next learner that is no outgoing voter", { ...joint, learnersNext: [member(5)] }, [4]],
    ["a next learner that stays a voter", { ...joint, learnersNext: [member(1)] }, [4]],
    ["autoLeave while not joint", { ...plain, autoLeave: true }, [5]],
    ["next learners while not joint", { ...plain, learnersNext: [member(9)] }, [4, 5, 8]],
    ["one replica on two disks", { ...joint, voters: [member(1, 1, 7), member(4)] }, [6]],
    ["one replica on two nodes", { ...joint, voters: [member(1, 8), member(4)] }, [6]],
    ["a node with voter and learner", { ...joint, learners: [member(5, 4)] }, [7]],
    ["replica 0", { ...joint, learners: [member(0, 5)] }, [8]],
    ["a replica not given out yet", { ...joint, nextReplicaId: replicaId(5) }, [8]],
    ["a disk that is no id", { ...joint, learners: [member(5, 5, 0.5)] }, [8]],
    ["too many", { ...plain, voters: many, nextReplicaId: replicaId(999) }, [9]],
  ];
  it.each(planted)(
    "configuration: %s: exactly the broken invariants are named",
    (_, bad, broken) => {
      expect(checkConfiguration(bad)).toEqual(broken);
    },
  );
});
