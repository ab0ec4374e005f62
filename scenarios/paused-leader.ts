import {
  around,
  fault,
  millisecond,
  mixedWorkload,
  oneMinute,
  second,
  smallCluster,
  times,
  type Scenario,
} from "quorumlab/lab";

export const pausedLeader: Scenario = {
  name: "paused-leader",
  about: "leaders stop for a while and go on as if no time had passed, with answers still in hand",
  cluster: smallCluster,
  workload: { ...mixedWorkload, leaseReads: 300 },
  faults: {
    swarm: ["delay", "slowNode", "drift", "pause"],
    swarmFaultsMax: 3,
    plan: (draw, { groups, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 2 * second, maxUs: 5 * second },
      ).map((atUs, n) => {
        const forUs = draw.integer(200 * millisecond, 2 * second);
        return fault({ kind: "pause", atUs, forUs, group: around([...groups.keys()], n) }, n);
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
