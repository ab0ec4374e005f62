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

export const groupsComeAndGo: Scenario = {
  name: "groups-come-and-go",
  about:
    "every kind of job at once: groups are made, split, merged, moved and destroyed under fire",
  cluster: mappedCluster,
  workload: mixedWorkload,
  faults: {
    swarm: [
      ...networkNoise,
      "cut",
      "cutOneWay",
      "kill",
      "killInStart",
      "pause",
      "slowNode",
      "slowDisk",
      "drift",
      "tornWrite",
    ],
    swarmFaultsMax: 8,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 10 * second },
        { minUs: second, maxUs: 3 * second },
      ).flatMap((atUs, n) => {
        const soon = (): number => atUs + draw.integer(0, 700 * millisecond);
        const kind = draw.pick(jobs);
        const faults = [fault({ kind, atUs }, n)];
        // Before slots have come to it.
        if (kind === "createGroup" && draw.chance(400)) {
          faults.push(fault({ kind: "destroyGroup", atUs: atUs + second }, n));
        }
        if (kind === "drainNode") {
          faults.push(fault({ kind: "joinNode", atUs: atUs + 2 * second }, n));
        }
        // Soon enough to meet any step of the job.
        if (draw.chance(250)) faults.push(fault({ kind: "cancelJob", atUs: soon() }, n));
        // Who is away hears of a step late: when its group has a leader, or has done without it.
        if (draw.chance(300)) {
          const away = draw.some(nodes, 1);
          const peers = nodes.filter((node) => !away.includes(node));
          const forUs = draw.integer(second / 2, 3 * second);
          faults.push(fault({ kind: "cut", atUs: soon(), forUs, nodes: away, peers }, n));
        }
        return faults;
      }),
  },
  phases: { attackUs: 40 * second },
  expect: "ok",
};

const jobs = [
  "moveSlots",
  "splitGroup",
  "splitGroup",
  "mergeGroups",
  "createGroup",
  "spreadSlots",
  "moveReplica",
  "drainNode",
] as const;
