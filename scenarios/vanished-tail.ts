import {
  fault,
  mixedWorkload,
  oneMinute,
  second,
  smallCluster,
  times,
  type Scenario,
} from "quorumlab/lab";

export const vanishedTail: Scenario = {
  name: "vanished-tail",
  about: "the newest synced bytes of a majority are gone without a trace after a crash",
  cluster: smallCluster,
  workload: mixedWorkload,
  faults: {
    swarm: [],
    swarmFaultsMax: 0,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 5 * second, toUs: attackUs },
        { minUs: 6 * second, maxUs: 10 * second },
      ).flatMap((atUs, n) => [
        fault({ kind: "vanishTail", atUs, nodes, amount: draw.integer(1, 4) }, n),
        fault({ kind: "kill", atUs: atUs + 1, forUs: second / 2, nodes }, n),
      ]),
  },
  phases: oneMinute,
  expect: "violation",
};
