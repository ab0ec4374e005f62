import {
  fault,
  mappedCluster,
  mixedWorkload,
  networkNoise,
  oneMinute,
  second,
  times,
  type Scenario,
} from "quorumlab/lab";

export const groupsComeAndGo: Scenario = {
  name: "groups-come-and-go",
  about:
    "every kind of job at once: groups are made, split, merged, moved and destroyed under fire",
  cluster: mappedCluster,
  workload: mixedWorkload,
  faults: {
    swarm: [
      ...networkNoise,
      "cut",
      "cutOneWay",
      "kill",
      "killInStart",
      "pause",
      "slowNode",
      "slowDisk",
      "drift",
      "tornWrite",
    ],
    swarmFaultsMax: 8,
    plan: (draw, { attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 10 * second },
        { minUs: second, maxUs: 3 * second },
      ).flatMap((atUs, n) => {
        const kind = draw.pick(jobs);
        const job = fault({ kind, atUs }, n);
        if (kind !== "drainNode") return [job];
        return [job, fault({ kind: "joinNode", atUs: atUs + 2 * second }, n)];
      }),
  },
  phases: oneMinute,
  expect: "ok",
};

const jobs = [
  "moveSlots",
  "splitGroup",
  "mergeGroups",
  "createGroup",
  "createGroup",
  "destroyGroup",
  "spreadSlots",
  "moveReplica",
  "drainNode",
  "cancelJob",
] as const;
