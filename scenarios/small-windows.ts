import { fault, mixedWorkload, second, smallCluster, times, type Scenario } from "quorumlab/lab";

export const smallWindows: Scenario = {
  name: "small-windows",
  about: "so few bytes may be in flight or uncommitted that each one freed is needed again",
  cluster: {
    ...smallCluster,
    raft: { inflightBytesMax: 2_048, inflightMessagesMax: 4, uncommittedBytesMax: 2_048 },
  },
  workload: {
    ...mixedWorkload,
    thinkUs: { min: 10_000, max: 100_000 },
    valueBytes: { min: 64, max: 512 },
  },
  faults: {
    swarm: ["delay", "reorder", "slowLink"],
    swarmFaultsMax: 2,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs },
        { minUs: 3 * second, maxUs: 6 * second },
      ).map((atUs, n) =>
        // What a slow disk has not acknowledged fills the windows.
        fault(
          {
            kind: "slowDisk",
            atUs,
            forUs: second,
            nodes: draw.some(nodes, draw.integer(1, 2)),
            amount: draw.integer(20, 60),
          },
          n,
        ),
      ),
  },
  phases: { attackUs: 20 * second },
  expect: "ok",
};
