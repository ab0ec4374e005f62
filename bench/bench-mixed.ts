import { mixedWorkload, second, silentLossKinds, faultKinds, smallLog } from "quorumlab/lab";
import type { FaultKind, Scenario } from "quorumlab/lab";

/** The workload of the headline: swarm on, five nodes, 16 groups, all oracles, real codec and log. */
export const benchMixed: Scenario = {
  name: "bench-mixed",
  about: "five nodes, 16 groups, every fault that a run survives, and clients that keep them busy",
  cluster: {
    nodes: 5,
    groups: 16,
    replication: 3,
    raft: { snapshotEveryEntries: 48, trailingEntries: 8 },
    wal: smallLog,
  },
  workload: {
    ...mixedWorkload,
    clients: 24,
    keys: 96,
    thinkUs: { min: 100_000, max: 350_000 },
    leaseReads: 150,
  },
  faults: {
    swarm: (Object.keys(faultKinds) as FaultKind[]).filter(
      (kind) => !silentLossKinds.includes(kind),
    ),
    swarmFaultsMax: 12,
  },
  phases: { attackUs: 20 * second },
  expect: "ok",
};
