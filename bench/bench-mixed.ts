import { mixedWorkload, second, silentLossKinds, faultKinds, smallLog } from "quorumlab/lab";
import type { FaultKind, Scenario } from "quorumlab/lab";

/**
 * The workload of the headline: swarm on, five nodes, 16 groups, all oracles, real codec and log.
 * Clients are as busy as in the median run of a search: some 43 steps for an acknowledged operation.
 */
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

/** The same with clients that hardly pause: an operation costs far more than a beat. */
export const benchBusy: Scenario = {
  ...benchMixed,
  name: "bench-busy",
  workload: { ...benchMixed.workload, thinkUs: { min: 5_000, max: 40_000 } },
};
