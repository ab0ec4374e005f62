import {
  around,
  fault,
  millisecond,
  mixedWorkload,
  second,
  smallLog,
  times,
  type Scenario,
} from "quorumlab/lab";

export const leadershipReturns: Scenario = {
  name: "leadership-returns",
  about: "a leader is deposed with proposals in hand and leads again before their askers give up",
  cluster: { nodes: 3, groups: { min: 1, max: 2 }, replication: 3, raft: {}, wal: smallLog },
  workload: {
    ...mixedWorkload,
    clients: { min: 6, max: 10 },
    thinkUs: { min: 10 * millisecond, max: 100 * millisecond },
    mix: { get: 2, put: 4, cas: 4 },
  },
  faults: {
    swarm: ["delay", "duplicate", "loss"],
    swarmFaultsMax: 2,
    plan: (draw, { nodes, groups, attackUs }) =>
      times(
        draw,
        // There is time to hand over before the attack ends.
        { fromUs: 2 * second, toUs: attackUs - 2 * second },
        { minUs: 2 * second, maxUs: 4 * second },
      ).flatMap((atUs, n) => {
        const group = around([...groups.keys()], n);
        const forUs = draw.integer(800 * millisecond, 1_200 * millisecond);
        // Its successor hands over, as likely as not to the one that was cut off.
        const backUs = atUs + forUs + draw.integer(50 * millisecond, 300 * millisecond);
        return [
          fault({ kind: "cut", atUs, forUs, peers: nodes, group }, n),
          fault({ kind: "transferLeader", atUs: backUs, group }, n),
        ];
      }),
  },
  phases: { attackUs: 20 * second },
  expect: "ok",
};
