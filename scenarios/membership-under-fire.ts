import {
  around,
  fault,
  mixedWorkload,
  oneMinute,
  second,
  times,
  type Scenario,
  smallLog,
} from "quorumlab/lab";

export const membershipUnderFire: Scenario = {
  name: "membership-under-fire",
  about: "members come, go and change places, leaders among them, while the network fails",
  cluster: { nodes: 5, groups: { min: 1, max: 2 }, replication: 3, raft: {}, wal: smallLog },
  workload: mixedWorkload,
  faults: {
    swarm: ["loss", "delay", "kill", "cut", "cutOneWay", "pause"],
    swarmFaultsMax: 5,
    plan: (draw, { groups, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 2 * second, maxUs: 5 * second },
      ).map((atUs, n) => {
        const kind = draw.pick([
          "addLearner",
          "promote",
          "removeMember",
          "removeLeader",
          "replaceMembers",
          "transferLeader",
        ] as const);
        return fault({ kind, atUs, group: around([...groups.keys()], n) }, n);
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
