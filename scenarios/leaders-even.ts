import {
  fault,
  mappedCluster,
  mixedWorkload,
  networkNoise,
  second,
  times,
  type MapSpec,
  type Scenario,
} from "quorumlab/lab";

const map: MapSpec = { slotCount: 64, zones: 1, balanceAfterUs: second };

export const leadersEven: Scenario = {
  name: "leaders-even",
  about: "nodes die and come back, and the steward spreads the leaders of many groups unasked",
  cluster: { ...mappedCluster, nodes: 4, groups: { min: 6, max: 9 }, map },
  workload: mixedWorkload,
  faults: {
    swarm: [...networkNoise, "cut", "cutOneWay", "pause", "slowDisk", "moveReplica", "moveSlots"],
    swarmFaultsMax: 5,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 5 * second },
        { minUs: 3 * second, maxUs: 5 * second },
      ).map((atUs, n) => {
        // All that it leads goes to the others; then it is back, and leads nothing.
        const forUs = draw.integer(second, 2 * second);
        return fault({ kind: "kill", atUs, forUs, nodes: [draw.pick(nodes)] }, n);
      }),
  },
  phases: { attackUs: 35 * second },
  expect: "ok",
};
