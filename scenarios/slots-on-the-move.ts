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

export const slotsOnTheMove: Scenario = {
  name: "slots-on-the-move",
  about: "slots move between groups, some moves are taken back, while links and leaders fail",
  cluster: mappedCluster,
  workload: mixedWorkload,
  faults: {
    swarm: [...networkNoise, "cut", "cutOneWay", "flap", "kill", "pause", "transferLeader"],
    swarmFaultsMax: 8,
    plan: (draw, { attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 8 * second },
        { minUs: second, maxUs: 3 * second },
      ).map((atUs, n) => {
        const kind = draw.pick([
          "moveSlots",
          "moveSlots",
          "moveSlots",
          "spreadSlots",
          "cancelJob",
        ] as const);
        return fault({ kind, atUs }, n);
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
