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

export const slowVotes: Scenario = {
  name: "slow-votes",
  about:
    "timeouts hardly differ and most messages are late: candidates meet, and votes outlive their terms",
  cluster: {
    nodes: 3,
    groups: 3,
    replication: 3,
    raft: { electionTimeoutMinUs: 80 * millisecond, electionTimeoutMaxUs: 95 * millisecond },
    wal: smallLog,
  },
  workload: { ...mixedWorkload, clients: { min: 2, max: 3 } },
  faults: {
    swarm: [],
    swarmFaultsMax: 0,
    plan: (draw, { nodes, groups, attackUs }) => {
      const atUs = second;
      // Healing must find links that work again: so short are the timeouts that its bound is, too.
      const forUs = attackUs - 2 * second;
      const slowness = draw.integer(2, 15);
      return [
        fault({ kind: "delay", atUs, forUs, amount: draw.integer(400, 700) }, 0),
        fault({ kind: "slowLink", atUs, forUs, nodes, peers: nodes, amount: slowness }, 0),
        ...times(
          draw,
          { fromUs: 2 * second, toUs: attackUs - second },
          { minUs: second / 2, maxUs: (3 * second) / 2 },
        ).map((killUs, n) => {
          const group = around([...groups.keys()], n);
          return fault({ kind: "kill", atUs: killUs, forUs: second / 10, group }, n);
        }),
      ];
    },
  },
  phases: oneMinute,
  expect: "ok",
};
