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

export const leaderCrashLoop: Scenario = {
  name: "leader-crash-loop",
  about: "leaders are killed one after another and come back while others take over",
  cluster: smallCluster,
  workload: mixedWorkload,
  faults: {
    swarm: ["loss", "delay", "tornWrite", "killInStart"],
    swarmFaultsMax: 4,
    plan: (draw, { groups, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 2 * second, maxUs: 5 * second },
      ).map((atUs, n) =>
        fault(
          // No nodes named: the leader of the group at that moment.
          {
            kind: "kill",
            atUs,
            forUs: draw.integer(second / 5, 2 * second),
            group: around([...groups.keys()], n),
          },
          n,
        ),
      ),
  },
  phases: oneMinute,
  expect: "ok",
};
