import { fault, millisecond, second, smallLog, times, type Scenario } from "quorumlab/lab";

export const overwrittenInFlight: Scenario = {
  name: "overwritten-in-flight",
  about: "a new leader replaces entries that the disk of the old one has still to finish writing",
  cluster: {
    nodes: 3,
    groups: 1,
    replication: 3,
    // So that each entry is acknowledged by itself, while those behind it are under way.
    raft: { appendEntriesMax: 1 },
    wal: smallLog,
  },
  workload: {
    clients: { min: 4, max: 8 },
    thinkUs: { min: 5 * millisecond, max: 60 * millisecond },
    keys: { min: 6, max: 12 },
    mix: { put: 6, cas: 2, get: 1 },
    valueBytes: { min: 8, max: 64 },
  },
  faults: {
    swarm: ["delay", "duplicate"],
    swarmFaultsMax: 1,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 2 * second },
        { minUs: 3 * second, maxUs: 4 * second },
      ).flatMap((atUs, n) => {
        // A sync begun after the cut ends after the leader's return.
        const amount = draw.integer(3_000, 5_000);
        const forUs = draw.integer(500, 900) * millisecond;
        return [
          fault({ kind: "slowDisk", atUs, forUs: 2 * second, amount }, n),
          fault({ kind: "cut", atUs, forUs, peers: nodes }, n),
        ];
      }),
  },
  phases: { attackUs: 10 * second },
  expect: "ok",
};
