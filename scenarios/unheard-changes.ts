import {
  fault,
  millisecond,
  mixedWorkload,
  second,
  smallLog,
  times,
  type Scenario,
} from "quorumlab/lab";

const attackUs = 12 * second;

export const unheardChanges: Scenario = {
  name: "unheard-changes",
  about:
    "a leader that the other members cannot hear takes in nodes; the next one takes in nodes of its own",
  cluster: { nodes: 5, groups: 1, replication: 3, raft: {}, wal: smallLog },
  workload: mixedWorkload,
  faults: {
    swarm: ["delay", "loss", "kill"],
    swarmFaultsMax: 2,
    plan: (draw, { groups, attackUs: untilUs }) =>
      times(
        draw,
        { fromUs: 2 * second, toUs: untilUs },
        { minUs: 4 * second, maxUs: 6 * second },
      ).flatMap((atUs, n) => {
        // Nodes without a member hear both sides.
        const cut = { nodes: [], peers: groups[0]!, forUs: draw.integer(second, 3 * second) };
        const nextUs = atUs + draw.integer(300 * millisecond, second);
        const kinds = ["addLearner", "addLearner", "replaceMembers"] as const;
        return [
          fault({ kind: "cut", atUs, ...cut }, n),
          fault({ kind: draw.pick(kinds), atUs: atUs + 1 }, n),
          fault({ kind: draw.pick(kinds), atUs: nextUs }, n + 1_000),
        ];
      }),
  },
  phases: { attackUs },
  expect: "ok",
};
