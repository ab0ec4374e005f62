import {
  fault,
  millisecond,
  mixedWorkload,
  networkNoise,
  oneMinute,
  second,
  smallLog,
  split,
  times,
  type Scenario,
} from "quorumlab/lab";

export const wakeUpStorm: Scenario = {
  name: "wake-up-storm",
  about: "many sleeping groups lose a node or are parted for long, and all find out at once",
  cluster: {
    nodes: { min: 3, max: 5 },
    groups: { min: 12, max: 24 },
    replication: 3,
    raft: { sleepAfterUs: 150 * millisecond },
    wal: smallLog,
    node: { wakesMax: 3 },
  },
  workload: {
    ...mixedWorkload,
    clients: { min: 1, max: 2 },
    thinkUs: { min: 500 * millisecond, max: 4 * second },
  },
  faults: {
    swarm: [...networkNoise, "pause", "slowLink", "drift"],
    swarmFaultsMax: 3,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 4 * second, toUs: attackUs },
        { minUs: 5 * second, maxUs: 12 * second },
      ).map((atUs, n) => {
        const forUs = draw.integer(second, 8 * second);
        if (draw.chance(400)) {
          return fault({ kind: "kill", atUs, forUs, nodes: [draw.pick(nodes)] }, n);
        }
        const [some, others] = split(draw, nodes, draw.integer(1, nodes.length >> 1));
        return fault({ kind: "cut", atUs, forUs, nodes: some, peers: others }, n);
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
