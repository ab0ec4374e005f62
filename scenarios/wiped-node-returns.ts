import {
  fault,
  mixedWorkload,
  oneMinute,
  second,
  smallCluster,
  times,
  type Scenario,
} from "quorumlab/lab";

export const wipedNodeReturns: Scenario = {
  name: "wiped-node-returns",
  about: "a node loses its disk and comes back as a new replica; nothing it once said may count",
  cluster: smallCluster,
  workload: mixedWorkload,
  faults: {
    swarm: ["delay", "duplicate", "reorder", "cut"],
    swarmFaultsMax: 4,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 5 * second, toUs: attackUs },
        { minUs: 10 * second, maxUs: 15 * second },
      ).map((atUs, n) =>
        fault(
          {
            kind: "wipe",
            atUs,
            forUs: draw.integer(second / 5, second),
            nodes: [draw.pick(nodes)],
          },
          n,
        ),
      ),
  },
  phases: oneMinute,
  expect: "ok",
};
