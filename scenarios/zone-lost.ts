import {
  fault,
  mappedCluster,
  mixedWorkload,
  networkNoise,
  second,
  times,
  type Scenario,
} from "quorumlab/lab";

const zones = 3;

export const zoneLost: Scenario = {
  name: "zone-lost",
  about: "all nodes of one of three zones are gone for long, and the others serve without them",
  cluster: { ...mappedCluster, nodes: { min: 5, max: 6 }, map: { slotCount: 64, zones } },
  workload: mixedWorkload,
  faults: {
    swarm: [...networkNoise, "slowLink", "slowDisk", "transferLeader", "moveSlots", "moveReplica"],
    swarmFaultsMax: 6,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs - 8 * second },
        { minUs: 10 * second, maxUs: 13 * second },
      ).flatMap((atUs, n) => {
        const lost = nodes.filter((node) => node % zones === n % zones);
        const rest = nodes.filter((node) => !lost.includes(node));
        const forUs = draw.integer(5 * second, 9 * second);
        const kind = draw.pick(["kill", "cut"] as const);
        return [
          fault({ kind, atUs, forUs, nodes: lost, peers: rest }, n),
          fault({ kind: "spreadSlots", atUs: atUs + second }, n),
          fault({ kind: "splitGroup", atUs: atUs + 2 * second }, n),
          fault({ kind: "moveSlots", atUs: atUs + 4 * second }, n),
        ];
      }),
  },
  phases: { attackUs: 40 * second },
  expect: "ok",
};
