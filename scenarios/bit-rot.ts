import {
  fault,
  mixedWorkload,
  oneMinute,
  second,
  smallCluster,
  times,
  type Scenario,
} from "quorumlab/lab";

export const bitRot: Scenario = {
  name: "bit-rot",
  about: "synced records change at rest; the next start finds out and refills them from peers",
  cluster: smallCluster,
  workload: { ...mixedWorkload, valueBytes: { min: 64, max: 512 } },
  faults: {
    swarm: ["loss", "delay", "misdirectRead", "failRead"],
    swarmFaultsMax: 3,
    plan: (draw, { nodes, attackUs }) =>
      times(
        draw,
        { fromUs: 4 * second, toUs: attackUs },
        { minUs: 5 * second, maxUs: 9 * second },
      ).flatMap((atUs, n) => {
        const rotten = [draw.pick(nodes)];
        const downUs = draw.integer(second / 10, second);
        return [
          fault({ kind: "rot", atUs, nodes: rotten, amount: draw.integer(1, 3) }, n),
          fault({ kind: "kill", atUs: atUs + 1, forUs: downUs, nodes: rotten }, n),
          // Now and then nobody leads when it comes back: who is to repair it needs votes first.
          ...(draw.chance(400)
            ? [fault({ kind: "kill", atUs: atUs + downUs, forUs: second / 2 }, n + 1_000)]
            : []),
        ];
      }),
  },
  phases: oneMinute,
  expect: "ok",
};
