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

export const splitUnderCrashes: Scenario = {
  name: "split-under-crashes",
  about: "groups split and merge, and each time somebody dies in the middle of it",
  cluster: mappedCluster,
  workload: mixedWorkload,
  faults: {
    swarm: [...networkNoise, "killInStart", "slowDisk", "tornWrite"],
    swarmFaultsMax: 4,
    plan: (draw, { nodes, groups, attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 6 * second },
        { minUs: 2 * second, maxUs: 3 * second },
      ).flatMap((atUs, n) => {
        const kind = draw.pick(["splitGroup", "splitGroup", "mergeGroups", "moveSlots"] as const);
        // A job takes some tenths of a second: each of its steps is the last for somebody some time.
        const kills = Array.from({ length: draw.integer(1, 3) }, (_, k) => {
          const dies = atUs + draw.integer(20 * millisecond, 600 * millisecond);
          const forUs = draw.integer(100 * millisecond, 800 * millisecond);
          // Who leads the map and is the steward, who leads a group with slots, or anybody.
          const group = draw.integer(0, groups.length - 1);
          const victims = draw.chance(700) ? [] : [draw.pick(nodes)];
          const of = { kind: "kill", atUs: dies, forUs, group, nodes: victims } as const;
          return fault(of, n * 10 + k);
        });
        return [fault({ kind, atUs }, n), ...kills];
      }),
  },
  phases: { attackUs: 35 * second },
  expect: "ok",
};
