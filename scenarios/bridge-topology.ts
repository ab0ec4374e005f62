import {
  fault,
  mixedWorkload,
  oneMinute,
  second,
  times,
  type Scenario,
  smallLog,
} from "quorumlab/lab";

export const bridgeTopology: Scenario = {
  name: "bridge-topology",
  about: "two halves hear each other only through one node that hears both",
  cluster: { nodes: 5, groups: { min: 1, max: 2 }, replication: 5, raft: {}, wal: smallLog },
  workload: mixedWorkload,
  faults: {
    swarm: ["delay", "kill", "pause"],
    swarmFaultsMax: 3,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 5 * second, maxUs: 9 * second },
      ).map((atUs, n) => {
        const order = draw.some(nodes, 5);
        const forUs = draw.integer(2 * second, 6 * second);
        // order[4] is the bridge: both pairs still hear it.
        return fault(
          { kind: "cut", atUs, forUs, nodes: order.slice(0, 2), peers: order.slice(2, 4) },
          n,
        );
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
