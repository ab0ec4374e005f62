import { fault, millisecond, second, smallLog, times, type Scenario } from "quorumlab/lab";

export const overwrittenInFlight: Scenario = {
  name: "overwritten-in-flight",
  about: "a new leader replaces entries whose writes the old one's slow disk has still to finish",
  cluster: { nodes: 3, groups: { min: 1, max: 2 }, replication: 3, raft: {}, wal: smallLog },
  workload: {
    clients: { min: 4, max: 8 },
    thinkUs: { min: 5 * millisecond, max: 60 * millisecond },
    keys: { min: 6, max: 12 },
    mix: { put: 6, cas: 2, get: 1 },
    valueBytes: { min: 8, max: 64 },
  },
  faults: {
    swarm: ["delay", "duplicate"],
    swarmFaultsMax: 2,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs },
        { minUs: 2 * second, maxUs: 3 * second },
      ).flatMap((atUs, n) => {
        const forUs = draw.integer(300, 700) * millisecond;
        const amount = draw.integer(300, 1_500);
        return [
          fault({ kind: "slowDisk", atUs, forUs: 2 * second, amount }, n),
          fault(
            { kind: "cut", atUs: atUs + draw.integer(0, 60) * millisecond, forUs, peers: nodes },
            n,
          ),
        ];
      }),
  },
  phases: { attackUs: 20 * second },
  expect: "ok",
};
