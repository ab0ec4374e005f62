import {
  fault,
  mappedCluster,
  mixedWorkload,
  networkNoise,
  second,
  times,
  type Scenario,
} from "quorumlab/lab";

export const leadersRebalanced: Scenario = {
  name: "leaders-rebalanced",
  about: "jobs spread the leaders of many groups over the nodes, while those who lead die",
  cluster: { ...mappedCluster, groups: { min: 3, max: 5 } },
  workload: mixedWorkload,
  faults: {
    swarm: [...networkNoise, "cut", "cutOneWay", "pause", "slowDisk"],
    swarmFaultsMax: 4,
    plan: (draw, { nodes, groups, attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 4 * second },
        { minUs: second, maxUs: 2 * second },
      ).flatMap((atUs, n) => {
        const kind = draw.pick(["balanceLeaders", "moveLeader", "moveReplica"] as const);
        const job = fault({ kind, atUs }, n);
        if (draw.chance(500)) return [job];
        const dies = { atUs: atUs + draw.integer(0, second / 2), forUs: second / 2 };
        const group = draw.integer(0, groups.length - 1);
        const victims = draw.chance(500) ? [] : [draw.pick(nodes)];
        return [job, fault({ kind: "kill", ...dies, group, nodes: victims }, n)];
      }),
  },
  phases: { attackUs: 35 * second },
  expect: "ok",
};
