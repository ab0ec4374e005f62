import {
  fault,
  mappedCluster,
  millisecond,
  mixedWorkload,
  networkNoise,
  oneMinute,
  second,
  times,
  type Scenario,
} from "quorumlab/lab";

export const nodeDrained: Scenario = {
  name: "node-drained",
  about: "nodes are drained and join again, lose their disks, or are given up for good",
  cluster: { ...mappedCluster, nodes: { min: 5, max: 6 }, groups: 2 },
  workload: mixedWorkload,
  faults: {
    swarm: [...networkNoise, "cut", "pause", "slowDisk", "moveReplica", "splitGroup"],
    swarmFaultsMax: 4,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 10 * second },
        { minUs: 4 * second, maxUs: 6 * second },
      ).flatMap((atUs, n) => {
        const node = draw.pick(nodes);
        const downUs = draw.integer(200 * millisecond, 2 * second);
        const again = fault({ kind: "joinNode", atUs: atUs + 2 * second }, n);
        switch (draw.pick(["drained", "wiped", "wiped", "lost"] as const)) {
          case "drained":
            return [fault({ kind: "drainNode", atUs }, n), again];
          case "wiped":
            return [
              // Its replicas are on their way somewhere, or new ones on their way to it.
              fault({ kind: "moveReplica", atUs: atUs - second / 10 }, n),
              fault({ kind: "wipe", atUs, forUs: downUs, nodes: [node] }, n),
            ];
          case "lost":
            return [
              fault({ kind: "kill", atUs, forUs: 8 * second, nodes: [node] }, n),
              fault({ kind: "loseNode", atUs: atUs + second / 2 }, n),
              again,
            ];
        }
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
