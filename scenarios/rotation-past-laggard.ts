import {
  fault,
  networkNoise,
  oneMinute,
  sealedCluster,
  second,
  secretWorkload,
  times,
  type Scenario,
} from "quorumlab/lab";

export const rotationPastLaggard: Scenario = {
  name: "rotation-past-laggard",
  about:
    "keys change again and again while a member is behind, or is sent a snapshot: nothing that it still needs is erased",
  cluster: {
    ...sealedCluster,
    groups: { min: 1, max: 2 },
    raft: { snapshotEveryEntries: 24, trailingEntries: 4, snapshotChunkBytes: 64 },
  },
  workload: { ...secretWorkload, thinkUs: { min: 20_000, max: 300_000 } },
  faults: {
    swarm: [...networkNoise, "kill", "tokenSlow"],
    swarmFaultsMax: 3,
    plan: (draw, { nodes, groups, attackUs }) =>
      times(
        draw,
        { fromUs: 4 * second, toUs: attackUs - 6 * second },
        { minUs: 6 * second, maxUs: 9 * second },
      ).flatMap((atUs, n) => {
        const laggard = draw.pick(nodes);
        const others = nodes.filter((node) => node !== laggard);
        const forUs = draw.integer(2 * second, 4 * second);
        const kind = draw.pick(["cut", "pause", "wipe"] as const);
        const group = draw.integer(0, groups.length - 1);
        const rotations = [1, 2].map((turn) =>
          fault({ kind: "rotateKeys", atUs: atUs + turn * second, group }, 2 * n + turn),
        );
        return [fault({ kind, atUs, forUs, nodes: [laggard], peers: others }, n), ...rotations];
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
