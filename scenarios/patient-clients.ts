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

export const patientClients: Scenario = {
  name: "patient-clients",
  about:
    "leaders fall with answers that they owe, and slots have gone before clients ask for them again",
  cluster: {
    ...mappedCluster,
    groups: 2,
    map: { slotCount: 16, zones: 1 },
    // Short against the patience of clients: an election and a move fit into it.
    raft: { electionTimeoutMinUs: 150 * millisecond, electionTimeoutMaxUs: 300 * millisecond },
  },
  // What is applied twice shows when others have written in between.
  workload: {
    ...mixedWorkload,
    clients: { min: 4, max: 7 },
    thinkUs: { min: 10 * millisecond, max: 150 * millisecond },
    keys: { min: 2, max: 4 },
    mix: { get: 3, put: 2, cas: 5, delete: 1 },
    patienceUs: { min: second, max: 3 * second },
  },
  faults: {
    swarm: networkNoise,
    swarmFaultsMax: 2,
    plan: (draw, { groups, attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 6 * second },
        { minUs: 2 * second, maxUs: 3 * second },
      ).flatMap((atUs, n) => {
        const kind = draw.pick(["kill", "pause"] as const);
        const forUs = draw.integer(second, 3 * second);
        const group = draw.integer(1, groups.length - 1);
        return [
          fault({ kind, atUs, forUs, group }, n),
          fault({ kind: "moveSlots", atUs: atUs + draw.integer(0, second / 2) }, n),
        ];
      }),
  },
  phases: { attackUs: 34 * second },
  expect: "ok",
};
