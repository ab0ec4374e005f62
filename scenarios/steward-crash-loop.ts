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

export const stewardCrashLoop: Scenario = {
  name: "steward-crash-loop",
  about: "many jobs at once, taken back at random, by a steward whose node dies again and again",
  cluster: {
    ...mappedCluster,
    nodes: { min: 5, max: 6 },
    groups: { min: 4, max: 6 },
    raft: { snapshotEveryEntries: 32, trailingEntries: 8 },
  },
  workload: mixedWorkload,
  faults: {
    swarm: [...networkNoise, "cut", "pause", "slowDisk", "tornWrite"],
    swarmFaultsMax: 4,
    plan: (draw, { attackUs }) => [
      ...times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 6 * second },
        { minUs: second / 5, maxUs: second },
      ).map((atUs, n) => fault({ kind: draw.pick(jobs), atUs }, n)),
      ...times(
        draw,
        { fromUs: 3 * second, toUs: attackUs - 4 * second },
        { minUs: second, maxUs: 3 * second },
      ).map((atUs, n) => {
        const forUs = draw.integer(50 * millisecond, second);
        return fault({ kind: "kill", atUs, forUs }, n);
      }),
    ],
  },
  phases: { attackUs: 30 * second },
  expect: "ok",
};

const jobs = [
  "moveSlots",
  "moveSlots",
  "splitGroup",
  "mergeGroups",
  "createGroup",
  "moveReplica",
  "balanceLeaders",
  "cancelJob",
  "cancelJob",
  "cancelJob",
] as const;
