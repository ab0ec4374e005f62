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
      ).flatMap((atUs, n) => {
        const kind = draw.pick(["moveSlots", "moveSlots", "moveSlots", "spreadSlots"] as const);
        const moved = fault({ kind, atUs }, n);
        if (!draw.chance(400)) return [moved];
        // Soon enough to meet any step of the move.
        const soonUs = draw.integer(0, 700 * millisecond);
        return [moved, fault({ kind: "cancelJob", atUs: atUs + soonUs }, n)];
      }),
  },
  phases: { attackUs: 36 * second },
  expect: "ok",
};
