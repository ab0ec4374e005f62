import {
  fault,
  mixedWorkload,
  oneMinute,
  second,
  split,
  times,
  type Scenario,
  smallLog,
} from "quorumlab/lab";

export const majorityPartition: Scenario = {
  name: "majority-partition",
  about: "the cluster falls into two halves again and again; the larger one must go on",
  cluster: { nodes: 5, groups: { min: 1, max: 3 }, replication: 5, raft: {}, wal: smallLog },
  workload: mixedWorkload,
  faults: {
    swarm: ["loss", "duplicate", "delay", "kill"],
    swarmFaultsMax: 3,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 4 * second, maxUs: 8 * second },
      ).map((atUs, n) => {
        const [majority, minority] = split(draw, nodes, 3);
        const forUs = draw.integer(second, 5 * second);
        return fault({ kind: "cut", atUs, forUs, nodes: majority, peers: minority }, n);
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
