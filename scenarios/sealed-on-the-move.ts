import {
  fault,
  mappedCluster,
  networkNoise,
  oneMinute,
  second,
  secretWorkload,
  times,
  tokenTrouble,
  type Scenario,
} from "quorumlab/lab";

export const sealedOnTheMove: Scenario = {
  name: "sealed-on-the-move",
  about:
    "slots and replicas move between sealed groups, each with keys of its own, which change too",
  cluster: { ...mappedCluster, sealed: 1_000 },
  workload: { ...secretWorkload, thinkUs: { min: 50_000, max: 400_000 } },
  faults: {
    swarm: [...networkNoise, "cut", "kill", "pause", ...tokenTrouble],
    swarmFaultsMax: 6,
    plan: (draw, { groups, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs - 8 * second },
        { minUs: second, maxUs: 4 * second },
      ).map((atUs, n) => {
        const kind = draw.pick([
          "moveSlots",
          "moveSlots",
          "splitGroup",
          "mergeGroups",
          "moveReplica",
          "rotateKeys",
        ] as const);
        return fault({ kind, atUs, group: draw.integer(0, groups.length - 1) }, n);
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
