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

export const groupReborn: Scenario = {
  name: "group-reborn",
  about:
    "groups end and are made again under the same number, while nodes still hold the life before",
  cluster: { ...mappedCluster, groups: 2, map: { slotCount: 16, zones: 1 } },
  workload: mixedWorkload,
  faults: {
    swarm: [...networkNoise, "cutOneWay", "kill", "slowDisk", "transferLeader"],
    swarmFaultsMax: 4,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 8 * second },
        { minUs: 3 * second, maxUs: 4 * second },
      ).flatMap((atUs, n) => {
        // Who is away hears of the end late, when the number may stand for another group.
        const away = draw.some(nodes, 1);
        const kind = draw.pick(["cut", "pause"] as const);
        const forUs = draw.integer(500 * millisecond, 3 * second);
        const soon = (): number => atUs + draw.integer(50 * millisecond, 2 * second);
        return [
          fault({ kind: "mergeGroups", atUs }, n),
          fault({ kind, atUs: soon(), forUs, nodes: away, peers: others(nodes, away) }, n),
          fault({ kind: "createGroup", atUs: atUs + second / 2 }, n),
          fault({ kind: "spreadSlots", atUs: atUs + second }, n),
        ];
      }),
  },
  phases: { attackUs: 40 * second },
  expect: "ok",
};

function others<Node>(nodes: readonly Node[], away: readonly Node[]): Node[] {
  return nodes.filter((node) => !away.includes(node));
}
