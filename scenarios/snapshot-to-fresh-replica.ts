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
    raft: { snapshotEveryEntries: 24, trailingEntries: 4, snapshotChunkBytes: 64 },
    wal: smallLog,
  },
  workload: { ...mixedWorkload, valueBytes: { min: 64, max: 400 } },
  faults: {
    swarm: ["loss", "duplicate", "delay", "kill", "failRead", "rot"],
    swarmFaultsMax: 4,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 6 * second, toUs: attackUs },
        { minUs: 12 * second, maxUs: 18 * second },
      ).flatMap((atUs, n) => {
        const fresh = [draw.pick(nodes)];
        const backUs = atUs + second;
        return [
          fault({ kind: "wipe", atUs, forUs: second, nodes: fresh }, n),
          // The chunks come from the wrong place, or their receiver or sender dies between them.
          ...(draw.chance(300)
            ? [fault({ kind: "misdirectRead", atUs: backUs, amount: 3 }, n)]
            : []),
          ...(draw.chance(500)
            ? [
                fault(
                  {
                    kind: "kill",
                    atUs: backUs + draw.integer(0, second),
                    forUs: draw.integer(second / 20, second / 2),
                    nodes: draw.chance(600) ? fresh : [],
                  },
                  n,
                ),
              ]
            : []),
        ];
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
