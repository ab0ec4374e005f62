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
  cluster: { ...mappedCluster, groups: 2, map: { slotCount: 8, zones: 1 } },
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
        const jobs = [
          fault({ kind: "mergeGroups", atUs }, n),
          fault({ kind: "createGroup", atUs: atUs + second / 2 }, n),
          fault({ kind: "spreadSlots", atUs: atUs + second }, n),
        ];
        const away = draw.pick(nodes);
        if (draw.chance(400)) {
          // Given up, it keeps the life that ends without it, and is there again in the next one.
          const forUs = draw.integer(2 * second, 5 * second);
          return [
            fault({ kind: "kill", atUs: atUs - second / 2, forUs, nodes: [away] }, n),
            fault({ kind: "loseNode", atUs: atUs - second / 4 }, n),
            ...jobs,
            fault({ kind: "joinNode", atUs: atUs + forUs }, n),
          ];
        }
        // It hears late of the end, and of the beginning.
        const kind = draw.pick(["cut", "pause"] as const);
        const falls = atUs + draw.integer(50 * millisecond, 2 * second);
        const forUs = draw.integer(500 * millisecond, 3 * second);
        const peers = nodes.filter((node) => node !== away);
        return [...jobs, fault({ kind, atUs: falls, forUs, nodes: [away], peers }, n)];
      }),
  },
  phases: { attackUs: 32 * second },
  expect: "ok",
};
