import { mixedWorkload, oneMinute, smallCluster, type Scenario } from "quorumlab/lab";

export const calmCluster: Scenario = {
  name: "calm-cluster",
  about: "nothing goes wrong: one leader per group, every operation answered",
  cluster: smallCluster,
  workload: mixedWorkload,
  faults: { swarm: [], swarmFaultsMax: 0 },
  phases: oneMinute,
  expect: "ok",
};
