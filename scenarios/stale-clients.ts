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

/** Moves that come after one that is to be taken back. */
const followingMin = 4;

export const staleClients: Scenario = {
  name: "stale-clients",
  about:
    "clients go by old maps, copies of old requests arrive late, sessions are few, and slots move on",
  cluster: {
    ...mappedCluster,
    groups: 2,
    map: { slotCount: 4, zones: 1 },
    sessions: { sessionsMax: 4 },
  },
  workload: {
    ...mixedWorkload,
    clients: { min: 4, max: 7 },
    thinkUs: { min: 50_000, max: 500_000 },
    mix: { get: 2, put: 3, cas: 4, delete: 1 },
    habits: { echo: 250, close: 40 },
    // About as long as slots stay where they are; patience with an operation lasts some times as long.
    mapEveryUs: 1_500 * millisecond,
  },
  faults: {
    swarm: [...networkNoise, "cut", "kill", "pause", "slowLink", "transferLeader"],
    swarmFaultsMax: 5,
    plan: (draw, { attackUs }) => {
      const moves = times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 5 * second },
        { minUs: second, maxUs: 2 * second },
      );
      return moves.flatMap((atUs, n) => {
        const move = fault({ kind: "moveSlots", atUs }, n);
        // Who comes too late to take a move back waits for the next one: behind the last none comes.
        const followed = n < moves.length - followingMin;
        if (!followed || !draw.chance(400)) return [move];
        const cancelUs = atUs + draw.integer(0, 200 * millisecond);
        return [move, fault({ kind: "cancelJob", atUs: cancelUs }, n)];
      });
    },
  },
  phases: { attackUs: 30 * second },
  expect: "ok",
};
