import {
  fault,
  mixedWorkload,
  oneMinute,
  second,
  times,
  type Scenario,
  smallLog,
} from "quorumlab/lab";

export const ringOfMajorities: Scenario = {
  name: "ring-of-majorities",
  about: "every node hears a majority, and no two of them the same one",
  cluster: { nodes: 5, groups: { min: 1, max: 2 }, replication: 5, raft: {}, wal: smallLog },
  workload: mixedWorkload,
  faults: {
    swarm: ["loss", "delay", "kill"],
    swarmFaultsMax: 2,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 6 * second, maxUs: 9 * second },
      ).flatMap((atUs, n) => {
        const ring = draw.some(nodes, 5);
        const forUs = draw.integer(2 * second, 6 * second);
        // Each node keeps its two neighbours and loses the two across the ring.
        return ring.map((node, at) =>
          fault(
            { kind: "cut", atUs, forUs, nodes: [node], peers: [ring[(at + 2) % 5] ?? node] },
            n * 5 + at,
          ),
        );
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
