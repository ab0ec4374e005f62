import { fault, networkNoise, second, smallCluster, times, type Scenario } from "quorumlab/lab";

export const sealed: Scenario = {
  name: "sealed",
  about: "what users write is sealed, keys change under load, and HSMs are away, slow and silent",
  cluster: {
    ...smallCluster,
    sealed: 1_000,
    raft: { snapshotEveryEntries: 64, trailingEntries: 16 },
  },
  workload: {
    clients: { min: 3, max: 6 },
    thinkUs: { min: 100_000, max: 700_000 },
    keys: { min: 6, max: 12 },
    mix: { get: 4, put: 5, cas: 2, delete: 1, range: 1 },
    valueBytes: { min: 32, max: 64 },
    followerReads: 150,
    secrets: true,
  },
  faults: {
    swarm: [
      ...networkNoise,
      "cut",
      "kill",
      "pause",
      "wipe",
      "tokenAway",
      "tokenSlow",
      "tokenSilent",
    ],
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
  phases: { attackUs: 40 * second },
  expect: "ok",
};
