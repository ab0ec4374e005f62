import {
  fault,
  networkNoise,
  oneMinute,
  sealedCluster,
  second,
  secretWorkload,
  times,
  tokenTrouble,
  type Scenario,
} from "quorumlab/lab";

export const rotationCutShort: Scenario = {
  name: "rotation-cut-short",
  about: "leaders die, or their HSMs go away, just when a group takes a new key into use",
  cluster: sealedCluster,
  workload: { ...secretWorkload, thinkUs: { min: 20_000, max: 300_000 } },
  faults: {
    swarm: [...networkNoise, "slowDisk", ...tokenTrouble],
    swarmFaultsMax: 4,
    plan: (draw, { nodes, groups, attackUs }) =>
      times(
        draw,
        { fromUs: 3 * second, toUs: attackUs - 2 * second },
        { minUs: 3 * second, maxUs: 6 * second },
      ).flatMap((atUs, n) => {
        const group = draw.integer(0, groups.length - 1);
        const soon = { atUs: atUs + draw.integer(0, second / 5), group };
        const away = fault({ kind: "tokenAway", atUs, forUs: 2 * second, nodes }, n);
        const killed = fault({ kind: "kill", ...soon, forUs: second / 2 }, n);
        const strikes = draw.pick([
          [killed],
          [fault({ kind: "pause", ...soon, forUs: second }, n)],
          [away],
          // The leader alone has the new key, for it made it.
          [away, killed],
          [fault({ kind: "transferLeader", ...soon }, n)],
        ]);
        return [fault({ kind: "rotateKeys", atUs, group }, n), ...strikes];
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
