import {
  around,
  fault,
  mixedWorkload,
  oneMinute,
  second,
  smallCluster,
  times,
  type Scenario,
} from "quorumlab/lab";

export const isolatedLeader: Scenario = {
  name: "isolated-leader",
  about: "the leader alone is cut off and goes on believing, while clients still reach it",
  cluster: smallCluster,
  workload: {
    ...mixedWorkload,
    clients: { min: 4, max: 8 },
    thinkUs: { min: 10_000, max: 160_000 },
    leaseReads: 300,
  },
  faults: {
    swarm: ["delay", "duplicate", "slowLink"],
    swarmFaultsMax: 3,
    plan: (draw, { nodes, groups, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 3 * second, maxUs: 7 * second },
      ).map((atUs, n) => {
        const forUs = draw.integer(second / 2, 4 * second);
        const group = around([...groups.keys()], n);
        return fault({ kind: "cut", atUs, forUs, nodes: [], peers: nodes, group }, n);
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
