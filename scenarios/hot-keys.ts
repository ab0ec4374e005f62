import {
  fault,
  mappedCluster,
  mixedWorkload,
  networkNoise,
  second,
  times,
  type Scenario,
} from "quorumlab/lab";

export const hotKeys: Scenario = {
  name: "hot-keys",
  about: "nearly all that clients ask is about two keys of one slot, which moves to and fro",
  // Of so few slots each move takes the one that all is about every second time.
  cluster: { ...mappedCluster, groups: 2, map: { slotCount: 2, zones: 1 } },
  workload: { ...mixedWorkload, thinkUs: { min: 20_000, max: 200_000 }, hotKeys: 900 },
  faults: {
    swarm: [...networkNoise, "cut", "kill", "pause", "transferLeader"],
    swarmFaultsMax: 5,
    plan: (draw, { attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 4 * second },
        { minUs: second / 2, maxUs: 2 * second },
      ).map((atUs, n) => {
        const kind = draw.chance(800) ? "moveSlots" : "cancelJob";
        return fault({ kind, atUs }, n);
      }),
  },
  phases: { attackUs: 30 * second },
  expect: "ok",
};
