import {
  fault,
  networkNoise,
  oneMinute,
  sealedCluster,
  second,
  secretWorkload,
  times,
  tokenTrouble,
  type Scenario,
} from "quorumlab/lab";

export const sealed: Scenario = {
  name: "sealed",
  about: "what users write is sealed, keys change under load, and HSMs are away, slow and silent",
  cluster: sealedCluster,
  workload: secretWorkload,
  faults: {
    swarm: [...networkNoise, "cut", "kill", "pause", "wipe", ...tokenTrouble],
    swarmFaultsMax: 8,
    plan: (draw, { groups, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs - 2 * second },
        { minUs: 4 * second, maxUs: 12 * second },
      ).map((atUs, n) =>
        fault({ kind: "rotateKeys", atUs, group: draw.integer(0, groups.length - 1) }, n),
      ),
  },
  phases: oneMinute,
  expect: "ok",
};
