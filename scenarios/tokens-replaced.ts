import {
  fault,
  networkNoise,
  oneMinute,
  sealedCluster,
  second,
  secretWorkload,
  times,
  type Scenario,
} from "quorumlab/lab";

export const tokensReplaced: Scenario = {
  name: "tokens-replaced",
  about:
    "HSMs are replaced by new ones, one node after the other, while members change: each is given the keys of its groups again",
  cluster: { ...sealedCluster, nodes: { min: 3, max: 5 }, groups: { min: 1, max: 2 } },
  workload: { ...secretWorkload, thinkUs: { min: 20_000, max: 300_000 } },
  faults: {
    swarm: [...networkNoise, "kill", "pause", "tokenLapse"],
    swarmFaultsMax: 4,
    plan: (draw, { nodes, groups, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs - 3 * second },
        { minUs: 3 * second, maxUs: 7 * second },
      ).flatMap((atUs, n) => {
        const group = draw.integer(0, groups.length - 1);
        const replaced = fault({ kind: "newToken", atUs, nodes: draw.some(nodes, 1) }, n);
        const kind = draw.pick(["rotateKeys", "addLearner", "promote", "replaceMembers"] as const);
        const besides = fault({ kind, atUs: atUs + draw.integer(0, second), group }, n);
        return draw.chance(500) ? [replaced] : [replaced, besides];
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
