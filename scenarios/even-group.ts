import {
  fault,
  millisecond,
  mixedWorkload,
  oneMinute,
  second,
  smallLog,
  times,
  type Scenario,
} from "quorumlab/lab";

export const evenGroup: Scenario = {
  name: "even-group",
  about: "of four voters two no longer hear the leader, and need the third that still does",
  cluster: { nodes: 4, groups: { min: 1, max: 2 }, replication: 4, raft: {}, wal: smallLog },
  workload: mixedWorkload,
  faults: {
    swarm: ["delay", "loss"],
    swarmFaultsMax: 2,
    plan: (draw, { nodes, attackUs }) =>
      // The last of them outlives the attack.
      [
        ...times(
          draw,
          { fromUs: 2 * second, toUs: attackUs - 2 * second },
          { minUs: 2 * second, maxUs: 4 * second },
        ),
        attackUs - second,
      ].map((atUs, n) => {
        const forUs = draw.integer(second + millisecond, 2 * second);
        return fault({ kind: "cut", atUs, forUs, peers: draw.some(nodes, 2) }, n);
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
