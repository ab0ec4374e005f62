import {
  fault,
  mixedWorkload,
  oneMinute,
  second,
  smallCluster,
  times,
  type Scenario,
} from "quorumlab/lab";

export const fullDisk: Scenario = {
  name: "full-disk",
  about: "disks run full and get room again: appends are refused, reads and votes go on",
  cluster: {
    ...smallCluster,
    raft: { snapshotEveryEntries: 24, trailingEntries: 8 },
    wal: { segmentBytes: 65_536 },
  },
  workload: { ...mixedWorkload, valueBytes: { min: 200, max: 1_000 } },
  faults: {
    swarm: ["kill", "delay", "slowDisk", "transferLeader"],
    swarmFaultsMax: 3,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        // There is time for a disk to run full before the attack ends.
        { fromUs: 4 * second, toUs: attackUs - 6 * second },
        { minUs: 6 * second, maxUs: 10 * second },
      ).flatMap((atUs, n) => {
        const forUs = draw.integer(4 * second, 8 * second);
        const full = draw.some(nodes, draw.integer(1, 2));
        return [
          fault({ kind: "fullDisk", atUs, forUs, nodes: full }, n),
          // Now and then who leads dies, and a node without room may be elected.
          ...(draw.chance(500)
            ? [fault({ kind: "kill", atUs: atUs + draw.integer(second, forUs), forUs: second }, n)]
            : []),
        ];
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
