import {
  fault,
  mappedCluster,
  millisecond,
  mixedWorkload,
  networkNoise,
  second,
  times,
  type Scenario,
} from "quorumlab/lab";

export const deposedOwner: Scenario = {
  name: "deposed-owner",
  about:
    "slots leave a group whose leader is cut off and answers by a lease that it believes to have",
  cluster: {
    ...mappedCluster,
    groups: 2,
    // Long against the time that a move takes: a lease outlives it.
    raft: { electionTimeoutMinUs: 600 * millisecond, electionTimeoutMaxUs: 800 * millisecond },
  },
  // Few keys, and hardly anything but reads by lease: who is asked last has written before.
  workload: {
    ...mixedWorkload,
    thinkUs: { min: 20_000, max: 150_000 },
    keys: 4,
    mix: { get: 8, put: 3 },
    leaseReads: 850,
    followerReads: 0,
  },
  faults: {
    swarm: [...networkNoise, "slowNode"],
    swarmFaultsMax: 3,
    plan: (draw, { nodes, groups, attackUs }) => [
      ...nodes.map((node, n) => {
        // Half of the bound to either side keeps any two clocks within it.
        const amount = draw.integer(-20_000, 20_000);
        return fault({ kind: "drift", atUs: 0, forUs: attackUs, nodes: [node], amount }, n);
      }),
      ...times(
        draw,
        { fromUs: 3 * second, toUs: attackUs - 5 * second },
        { minUs: 2 * second, maxUs: 4 * second },
      ).flatMap((atUs, n) => {
        const group = draw.integer(1, groups.length - 1);
        const falls = atUs + draw.integer(-200 * millisecond, 300 * millisecond);
        const forUs = draw.integer(500 * millisecond, 2 * second);
        const kind = draw.pick(["cut", "cut", "cutOneWay", "pause"] as const);
        return [
          fault({ kind: "moveSlots", atUs }, n),
          fault({ kind, atUs: falls, forUs, peers: nodes, group }, n),
        ];
      }),
    ],
  },
  phases: { attackUs: 30 * second },
  expect: "ok",
};
