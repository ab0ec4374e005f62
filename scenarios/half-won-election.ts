import { fault, millisecond, mixedWorkload, second, smallLog, type Scenario } from "quorumlab/lab";

const attackUs = 8 * second;

export const halfWonElection: Scenario = {
  name: "half-won-election",
  about: "a leader is cut off with entries of its own, and whoever wins after it vanishes at once",
  cluster: { nodes: 3, groups: { min: 1, max: 2 }, replication: 3, raft: {}, wal: smallLog },
  workload: {
    ...mixedWorkload,
    clients: { min: 4, max: 8 },
    thinkUs: { min: 10 * millisecond, max: 160 * millisecond },
    mix: { put: 4, cas: 2, get: 1 },
  },
  faults: {
    swarm: [],
    swarmFaultsMax: 0,
    plan: (draw, { nodes }) => {
      const forUs = attackUs;
      const slow = draw.integer(30, 60);
      const atUs = attackUs - 2 * second;
      // None of these ends before the attack: what is not healed then stays as it is.
      return [
        fault(
          { kind: "slowLink", atUs: atUs - second, forUs, nodes, peers: nodes, amount: slow },
          0,
        ),
        fault({ kind: "cut", atUs, forUs, peers: nodes }, 0),
        fault(
          {
            kind: "cut",
            atUs: atUs + draw.integer(150, 600) * millisecond,
            forUs,
            nodes: [draw.pick(nodes)],
            peers: nodes,
          },
          1,
        ),
      ];
    },
  },
  phases: { attackUs },
  expect: "ok",
};
