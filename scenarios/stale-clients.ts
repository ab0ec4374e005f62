import {
  fault,
  mappedCluster,
  mixedWorkload,
  networkNoise,
  second,
  times,
  type Scenario,
} from "quorumlab/lab";

export const staleClients: Scenario = {
  name: "stale-clients",
  about:
    "clients go by old maps, copies of old requests arrive late, sessions are few, and slots move on",
  cluster: {
    ...mappedCluster,
    groups: 2,
    map: { slotCount: 16, zones: 1 },
    sessions: { sessionsMax: 4 },
  },
  workload: {
    ...mixedWorkload,
    clients: { min: 4, max: 7 },
    thinkUs: { min: 50_000, max: 500_000 },
    mix: { get: 2, put: 3, cas: 4, delete: 1 },
    habits: { echo: 250, close: 40 },
    mapEveryUs: 4 * second,
  },
  faults: {
    swarm: [...networkNoise, "cut", "kill", "pause", "slowLink", "transferLeader"],
    swarmFaultsMax: 5,
    plan: (draw, { attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 5 * second },
        { minUs: second, maxUs: 2 * second },
      ).map((atUs, n) => {
        const kind = draw.pick(["moveSlots", "moveSlots", "spreadSlots", "cancelJob"] as const);
        return fault({ kind, atUs }, n);
      }),
  },
  phases: { attackUs: 30 * second },
  expect: "ok",
};
