import { fault, millisecond, second, smallLog, times, type Scenario } from "quorumlab/lab";

export const leadersInTurn: Scenario = {
  name: "leaders-in-turn",
  about: "each leader is cut off as the one before it returns, with a long log that nobody shares",
  cluster: { nodes: 3, groups: 1, replication: 3, raft: {}, wal: smallLog },
  workload: {
    clients: { min: 6, max: 10 },
    thinkUs: { min: 10 * millisecond, max: 60 * millisecond },
    keys: { min: 6, max: 12 },
    mix: { put: 6, cas: 2, get: 1 },
    valueBytes: { min: 8, max: 64 },
  },
  faults: {
    swarm: ["delay", "duplicate", "slowLink"],
    swarmFaultsMax: 2,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        // There is time for both cuts before the attack ends.
        { fromUs: 2 * second, toUs: attackUs - second },
        { minUs: second, maxUs: 2 * second },
      ).flatMap((atUs, n) => {
        // Long enough for an election among the others, too short for them to append as much.
        const forUs = draw.integer(200, 500) * millisecond;
        const nextUs = atUs + forUs - draw.integer(0, 20) * millisecond;
        return [
          fault({ kind: "cut", atUs, forUs, peers: nodes }, 2 * n),
          fault({ kind: "cut", atUs: nextUs, forUs: second / 2, peers: nodes }, 2 * n + 1),
        ];
      }),
  },
  phases: { attackUs: 12 * second },
  expect: "ok",
};
