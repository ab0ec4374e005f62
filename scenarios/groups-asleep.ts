import {
  around,
  fault,
  millisecond,
  mixedWorkload,
  networkNoise,
  oneMinute,
  second,
  smallLog,
  times,
  type FaultKind,
  type Scenario,
} from "quorumlab/lab";

const kinds: readonly FaultKind[] = ["kill", "pause", "cut", "rollingRestart", "transferLeader"];

export const groupsAsleep: Scenario = {
  name: "groups-asleep",
  about:
    "groups that have nothing to do most of the time sleep, while nodes fail and links are cut",
  cluster: {
    nodes: { min: 3, max: 5 },
    groups: { min: 2, max: 6 },
    replication: { min: 2, max: 4 },
    raft: { sleepAfterUs: 200 * millisecond, snapshotEveryEntries: 24, trailingEntries: 4 },
    wal: smallLog,
    node: { wakesMax: 2 },
  },
  workload: {
    ...mixedWorkload,
    clients: { min: 2, max: 4 },
    thinkUs: { min: 300 * millisecond, max: 4 * second },
    leaseReads: 300,
  },
  faults: {
    swarm: [...networkNoise, "cutOneWay", "drift", "slowNode", "addLearner", "wipe"],
    swarmFaultsMax: 6,
    plan: (draw, { groups, nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 2 * second, maxUs: 8 * second },
      ).map((atUs, n) => {
        const kind = draw.pick(kinds);
        const forUs = draw.integer(100 * millisecond, 3 * second);
        const group = around([...groups.keys()], n);
        const peers = kind === "cut" ? nodes : [];
        return fault(
          { kind, atUs, forUs, group, peers, nodes: kind === "rollingRestart" ? nodes : [] },
          n,
        );
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
