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
  cluster: {
    nodes: 5,
    groups: { min: 1, max: 2 },
    replication: 3,
    raft: { snapshotEveryEntries: 32, trailingEntries: 8 },
    wal: smallLog,
  },
  workload: { ...mixedWorkload, thinkUs: { min: 20_000, max: 300_000 } },
  faults: {
    swarm: [
      "loss",
      "delay",
      "kill",
      "cut",
      "cutOneWay",
      "pause",
      "slowDisk",
      "slowLink",
      "slowNode",
    ],
    swarmFaultsMax: 5,
    plan: (draw, { nodes, groups, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 2 * second, maxUs: 5 * second },
      ).flatMap((atUs, n) => {
        const kind = draw.pick([
          "addLearner",
          "promote",
          "removeMember",
          "removeLeader",
          "replaceMembers",
          "transferLeader",
        ] as const);
        const group = around([...groups.keys()], n);
        const change = fault({ kind, atUs, group }, n);
        if (kind === "removeLeader") {
          // Its own disk lags behind what others commit: it goes before it has answered for that.
          const lags = { atUs, forUs: 3 * second, amount: 100, group };
          return [change, fault({ kind: "slowDisk", ...lags }, n)];
        }
        if (kind !== "replaceMembers") return [change];
        // Slow disks make the joint configuration last; somebody dies in it.
        const slow = { atUs, forUs: second / 2, nodes, amount: 60 };
        const dies = { atUs: atUs + draw.integer(second / 50, second / 4), group };
        return [
          change,
          fault({ kind: "slowDisk", ...slow }, n),
          fault({ kind: "kill", ...dies, forUs: second / 5 }, n),
          fault({ kind: "kill", ...dies, forUs: second / 5, nodes: [draw.pick(nodes)] }, n + 1_000),
        ];
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
