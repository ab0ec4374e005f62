import {
  around,
  fault,
  mixedWorkload,
  oneMinute,
  second,
  smallCluster,
  times,
  type Scenario,
} from "quorumlab/lab";

export const clientRetries: Scenario = {
  name: "client-retries",
  about: "leadership moves so often that clients must ask again, and nothing may happen twice",
  cluster: { ...smallCluster, raft: { snapshotEveryEntries: 32, trailingEntries: 8 } },
  workload: { ...mixedWorkload, keys: { min: 3, max: 6 }, mix: { get: 3, put: 3, cas: 5 } },
  faults: {
    swarm: ["loss", "duplicate", "delay", "kill"],
    swarmFaultsMax: 4,
    plan: (draw, { groups, nodes, attackUs }) =>
      times(draw, { fromUs: 2 * second, toUs: attackUs }, { minUs: second, maxUs: 3 * second }).map(
        (atUs, n) => {
          const group = around([...groups.keys()], n);
          return draw.chance(500)
            ? fault({ kind: "transferLeader", atUs, group }, n)
            : fault(
                {
                  kind: "cut",
                  atUs,
                  forUs: draw.integer(second / 2, 2 * second),
                  peers: nodes,
                  group,
                },
                n,
              );
        },
      ),
  },
  phases: oneMinute,
  expect: "ok",
};
