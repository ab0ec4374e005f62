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

export const tornLogs: Scenario = {
  name: "torn-logs",
  about: "every crash leaves what was not synced in part, torn at sectors, in any order",
  // Snapshots are written so often that crashes fall into their writing too.
  cluster: { ...smallCluster, raft: { snapshotEveryEntries: 12, trailingEntries: 2 } },
  workload: { ...mixedWorkload, valueBytes: { min: 64, max: 1_500 } },
  faults: {
    swarm: ["slowDisk", "failSync", "killInStart"],
    swarmFaultsMax: 3,
    plan: (draw, { nodes, attackUs }) => [
      fault({ kind: "tornWrite", atUs: 0, forUs: attackUs, nodes }, 0),
      ...times(
        draw,
        { fromUs: 2 * second, toUs: attackUs },
        { minUs: second, maxUs: 3 * second },
      ).map((atUs, n) =>
        fault(
          {
            kind: "kill",
            atUs,
            forUs: draw.integer(second / 10, second),
            nodes: [around(nodes, n)],
          },
          n,
        ),
      ),
    ],
  },
  phases: oneMinute,
  expect: "ok",
};
