import {
  fault,
  mixedWorkload,
  oneMinute,
  second,
  smallCluster,
  times,
  type Scenario,
} from "quorumlab/lab";

export const lyingFsync: Scenario = {
  name: "lying-fsync",
  about:
    "syncs answer at once and do nothing, then the power fails: that acknowledgements rest on nothing must be seen",
  cluster: smallCluster,
  workload: mixedWorkload,
  faults: {
    swarm: [],
    swarmFaultsMax: 0,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 4 * second, toUs: attackUs },
        { minUs: 6 * second, maxUs: 10 * second },
      ).flatMap((atUs, n) => [
        fault({ kind: "lyingSync", atUs, forUs: 4 * second, nodes }, n),
        fault({ kind: "kill", atUs: atUs + 3 * second, forUs: second / 2, nodes }, n),
      ]),
  },
  phases: oneMinute,
  expect: "violation",
};
