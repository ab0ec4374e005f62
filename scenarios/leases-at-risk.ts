import {
  around,
  fault,
  millisecond,
  mixedWorkload,
  oneMinute,
  second,
  smallLog,
  times,
  type Scenario,
} from "quorumlab/lab";

export const leasesAtRisk: Scenario = {
  name: "leases-at-risk",
  about:
    "voters restart within a lease that counts on them, and leaders fall silent as they hand over",
  cluster: {
    nodes: 3,
    groups: { min: 1, max: 2 },
    replication: 3,
    // Long against the time that a restart takes: a lease outlives it.
    raft: { electionTimeoutMinUs: second, electionTimeoutMaxUs: 1_200 * millisecond },
    wal: smallLog,
  },
  // Writes are few: who missed one is elected by nobody who has it.
  workload: { ...mixedWorkload, mix: { get: 20, put: 1 }, leaseReads: 600, followerReads: 0 },
  faults: {
    swarm: ["delay", "slowLink", "slowNode"],
    swarmFaultsMax: 2,
    plan: (draw, { nodes, groups, attackUs }) =>
      times(
        draw,
        // There is time for the restart before the attack ends.
        { fromUs: 3 * second, toUs: attackUs - 4 * second },
        { minUs: 3 * second, maxUs: 5 * second },
      ).flatMap((atUs, n) => {
        const group = around([...groups.keys()], n);
        if (draw.chance(400)) {
          const silentUs = atUs + draw.integer(millisecond, 10 * millisecond);
          const forUs = draw.integer(200 * millisecond, second);
          return [
            fault({ kind: "transferLeader", atUs, group }, n),
            fault({ kind: "pause", atUs: silentUs, forUs, group }, n),
          ];
        }
        // One voter hears nothing and asks for votes; the other forgets what is not on its disk.
        const [deaf, forgets] = draw.some(nodes, 2);
        const restartUs = atUs + draw.integer(1_200 * millisecond, 2 * second);
        const downUs = draw.integer(10 * millisecond, 100 * millisecond);
        const cut = { kind: "cut", group } as const;
        return [
          fault({ ...cut, atUs, forUs: 3 * second, peers: [deaf!] }, n),
          fault({ ...cut, atUs: restartUs, forUs: second, peers: nodes }, n + 1_000),
          fault({ kind: "kill", atUs: restartUs + 1, forUs: downUs, nodes: [forgets!] }, n),
        ];
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
