import {
  fault,
  mixedWorkload,
  networkNoise,
  oneMinute,
  second,
  smallCluster,
  times,
  type Scenario,
} from "quorumlab/lab";

export const stalledMachine: Scenario = {
  name: "stalled-machine",
  about:
    "the state machine of one group takes long for each command, and has to rest for the others",
  cluster: { ...smallCluster, groups: { min: 2, max: 3 } },
  workload: mixedWorkload,
  faults: {
    swarm: [...networkNoise, "kill", "pause", "slowNode", "transferLeader"],
    swarmFaultsMax: 4,
    plan: (draw, { nodes, groups, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs - 10 * second },
        { minUs: 6 * second, maxUs: 12 * second },
      ).map((atUs, n) => {
        // Of whoever leads, or of all.
        const of = draw.chance(500) ? nodes : [];
        return fault(
          {
            kind: "slowMachine",
            atUs,
            forUs: draw.integer(3 * second, 8 * second),
            nodes: of,
            group: draw.integer(0, groups.length - 1),
            amount: draw.integer(500, 40_000),
          },
          n,
        );
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
