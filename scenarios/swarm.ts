import { faultKinds, jobKinds, silentLossKinds, type FaultKind } from "quorumlab/lab";
import type { Scenario } from "quorumlab/lab";
import { mixedWorkload, oneMinute, smallLog } from "quorumlab/lab";

const kinds = (Object.keys(faultKinds) as FaultKind[]).filter(
  (kind) => !silentLossKinds.includes(kind) && !jobKinds.includes(kind),
);

export const swarm: Scenario = {
  name: "swarm",
  about: "everything at once: each seed draws its own cluster, faults, rates and times",
  cluster: {
    nodes: { min: 3, max: 7 },
    groups: { min: 1, max: 6 },
    replication: { min: 3, max: 5 },
    sealed: 500,
    raft: { snapshotEveryEntries: 48, trailingEntries: 8 },
    wal: smallLog,
  },
  workload: { ...mixedWorkload, leaseReads: 150, secrets: true },
  faults: { swarm: kinds, swarmFaultsMax: 16 },
  phases: oneMinute,
  expect: "ok",
};
