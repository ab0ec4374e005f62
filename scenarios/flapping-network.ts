import {
  fault,
  mixedWorkload,
  oneMinute,
  second,
  smallCluster,
  split,
  times,
  type Scenario,
} from "quorumlab/lab";

export const flappingNetwork: Scenario = {
  name: "flapping-network",
  about: "links go down and up faster than elections end",
  cluster: smallCluster,
  workload: mixedWorkload,
  faults: {
    swarm: ["loss", "duplicate", "delay", "reorder", "fullQueue", "corrupt"],
    swarmFaultsMax: 5,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 4 * second, maxUs: 8 * second },
      ).map((atUs, n) => {
        const [some, others] = split(draw, nodes, draw.integer(1, 2));
        const forUs = draw.integer(2 * second, 5 * second);
        return fault({ kind: "flap", atUs, forUs, nodes: some, peers: others }, n);
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
