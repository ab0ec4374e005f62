import {
  fault,
  mixedWorkload,
  oneMinute,
  second,
  times,
  type Scenario,
  smallLog,
} from "quorumlab/lab";

export const snapshotToFreshReplica: Scenario = {
  name: "snapshot-to-fresh-replica",
  about:
    "logs are short and wiped nodes return as new replicas, so that state travels as snapshots",
  cluster: {
    nodes: { min: 3, max: 5 },
    groups: { min: 1, max: 2 },
    replication: 3,
    raft: { snapshotEveryEntries: 24, trailingEntries: 4, snapshotChunkBytes: 256 },
    wal: smallLog,
  },
  workload: { ...mixedWorkload, valueBytes: { min: 64, max: 400 } },
  faults: {
    swarm: ["loss", "duplicate", "delay", "kill", "failRead"],
    swarmFaultsMax: 4,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 6 * second, toUs: attackUs },
        { minUs: 12 * second, maxUs: 18 * second },
      ).map((atUs, n) =>
        fault({ kind: "wipe", atUs, forUs: second, nodes: [draw.pick(nodes)] }, n),
      ),
  },
  phases: oneMinute,
  expect: "ok",
};
