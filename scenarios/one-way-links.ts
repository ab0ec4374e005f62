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

export const oneWayLinks: Scenario = {
  name: "one-way-links",
  about: "links carry messages in one direction only, so that some hear and are not heard",
  cluster: smallCluster,
  workload: mixedWorkload,
  faults: {
    swarm: ["loss", "delay", "halfOpen"],
    swarmFaultsMax: 3,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 2 * second, maxUs: 5 * second },
      ).map((atUs, n) => {
        const [deaf, others] = split(draw, nodes, 1);
        const forUs = draw.integer(second, 4 * second);
        return draw.chance(500)
          ? fault({ kind: "cutOneWay", atUs, forUs, nodes: deaf, peers: others }, n)
          : fault({ kind: "cutOneWay", atUs, forUs, nodes: others, peers: deaf }, n);
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
