import {
  around,
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

export const membersAndKeys: Scenario = {
  name: "members-and-keys",
  about:
    "who joins gets the keys first, and who has left knows no key that is in use; their HSMs are in trouble meanwhile",
  cluster: {
    ...sealedCluster,
    nodes: 5,
    groups: { min: 1, max: 2 },
    // Of two members both may be replaced at once: nobody who knows the keys stays.
    replication: { min: 2, max: 3 },
  },
  workload: { ...secretWorkload, thinkUs: { min: 20_000, max: 300_000 } },
  faults: {
    swarm: [...networkNoise, "kill", "cut", "pause", "wipe", ...tokenTrouble],
    swarmFaultsMax: 5,
    plan: (draw, { groups, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 2 * second, maxUs: 5 * second },
      ).map((atUs, n) => {
        const kind = draw.pick([
          "addLearner",
          "promote",
          "removeMember",
          "removeLeader",
          "replaceMembers",
          "rotateKeys",
        ] as const);
        return fault({ kind, atUs, group: around([...groups.keys()], n) }, n);
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
