import {
  fault,
  mixedWorkload,
  oneMinute,
  second,
  smallCluster,
  times,
  type Scenario,
} from "quorumlab/lab";

export const rollingRestart: Scenario = {
  name: "rolling-restart",
  about: "all nodes restart in turn, as in an upgrade, under load",
  cluster: smallCluster,
  workload: mixedWorkload,
  faults: {
    swarm: ["loss", "delay", "slowDisk", "slowNode"],
    swarmFaultsMax: 3,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 10 * second, maxUs: 16 * second },
      ).map((atUs, n) => fault({ kind: "rollingRestart", atUs, forUs: 8 * second, nodes }, n)),
  },
  phases: oneMinute,
  expect: "ok",
};
