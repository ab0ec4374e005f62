import { fault, millisecond, mixedWorkload, second, smallLog, type Scenario } from "quorumlab/lab";

const attackUs = 9 * second;

export const rotWithoutWitness: Scenario = {
  name: "rot-without-witness",
  about: "of the two that hold what is committed one finds its log damaged while the other is away",
  cluster: { nodes: 3, groups: { min: 1, max: 2 }, replication: 3, raft: {}, wal: smallLog },
  workload: {
    ...mixedWorkload,
    thinkUs: { min: 20 * millisecond, max: 160 * millisecond },
    mix: { put: 4, cas: 2, get: 1 },
    valueBytes: { min: 64, max: 512 },
  },
  faults: {
    swarm: ["delay", "duplicate"],
    swarmFaultsMax: 1,
    plan: (draw, { nodes }) => {
      const order = draw.some(nodes, 3);
      const rotten = order.slice(0, 1);
      const behind = order.slice(1, 2);
      const other = order.slice(2);
      const atUs = draw.integer(3 * second, 5 * second);
      const rotUs = atUs + draw.integer(400, 1_500) * millisecond;
      const downUs = draw.integer(100, 300) * millisecond;
      const cutUs = rotUs + downUs - atUs;
      return [
        fault({ kind: "cut", atUs, forUs: cutUs, nodes: behind, peers: nodes }, 0),
        fault({ kind: "rot", atUs: rotUs, nodes: rotten, amount: 6 }, 0),
        fault({ kind: "kill", atUs: rotUs + 1, forUs: downUs, nodes: rotten }, 0),
        fault({ kind: "kill", atUs: rotUs + 1, forUs: 2 * second, nodes: other }, 1),
      ];
    },
  },
  phases: { attackUs },
  expect: "ok",
};
