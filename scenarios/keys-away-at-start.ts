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

export const keysAwayAtStart: Scenario = {
  name: "keys-away-at-start",
  about:
    "nodes start while their HSMs are away, at times all of them at once, and serve when the keys are back",
  cluster: sealedCluster,
  workload: secretWorkload,
  faults: {
    swarm: [...networkNoise, "kill", "tokenSilent"],
    swarmFaultsMax: 3,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 5 * second, toUs: attackUs - 8 * second },
        { minUs: 8 * second, maxUs: 12 * second },
      ).flatMap((atUs, n) => {
        const struck = draw.chance(400) ? nodes : draw.some(nodes, draw.integer(1, nodes.length));
        const forUs = draw.integer(2 * second, 6 * second);
        const dies = { atUs: atUs + second / 4, forUs: second / 2, nodes: struck };
        return [
          fault({ kind: "tokenAway", atUs, forUs, nodes: struck }, n),
          fault({ kind: "kill", ...dies }, n),
        ];
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
