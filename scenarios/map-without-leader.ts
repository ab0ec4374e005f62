import {
  fault,
  mappedCluster,
  millisecond,
  mixedWorkload,
  networkNoise,
  second,
  times,
  type Scenario,
} from "quorumlab/lab";

export const mapWithoutLeader: Scenario = {
  name: "map-without-leader",
  about: "nobody can change the map for long, in the midst of moves, and all others go on serving",
  cluster: { ...mappedCluster, nodes: 7, groups: { min: 3, max: 4 } },
  // Many clients come anew: all that they find is a map that nobody can vouch for.
  workload: { ...mixedWorkload, habits: { close: 200 } },
  faults: {
    swarm: [...networkNoise, "cutOneWay", "slowLink", "transferLeader"],
    swarmFaultsMax: 4,
    plan: (draw, { nodes, groups, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs - 10 * second },
        { minUs: 9 * second, maxUs: 12 * second },
      ).flatMap((atUs, n) => {
        // The groups begin at one node after the other: each has one voter of three on these two.
        const away = groups[0]!.slice(0, 2);
        const kind = draw.pick(["cut", "pause", "kill"] as const);
        const forUs = draw.integer(5 * second, 8 * second);
        const early = draw.integer(0, 400 * millisecond);
        return [
          fault({ kind: draw.pick(["moveSlots", "spreadSlots"] as const), atUs: atUs - early }, n),
          fault({ kind, atUs, forUs, nodes: away, peers: nodes }, n),
          fault({ kind: "moveSlots", atUs: atUs + second }, n + 1_000),
          fault({ kind: "splitGroup", atUs: atUs + 2 * second }, n),
        ];
      }),
  },
  phases: { attackUs: 35 * second },
  expect: "ok",
};
