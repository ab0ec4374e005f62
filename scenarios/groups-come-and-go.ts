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
        const begun = fault({ kind: draw.pick(jobs), atUs }, n);
        if (!draw.chance(250)) return [begun];
        // Soon enough to meet any step of the job.
        const soonUs = draw.integer(0, 700 * millisecond);
        return [begun, fault({ kind: "cancelJob", atUs: atUs + soonUs }, n)];
      }),
  },
  phases: { attackUs: 40 * second },
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
  "joinNode",
] as const;
