import {
  fault,
  millisecond,
  mixedWorkload,
  second,
  smallLog,
  type Fault,
  type Scenario,
} from "quorumlab/lab";

const roundUs = 6 * second;
const rounds = 3;

export const changesCutShort: Scenario = {
  name: "changes-cut-short",
  about:
    "changes of members stop half-way: who is to come cannot be reached, and the leader dies or goes",
  cluster: {
    nodes: 5,
    groups: 1,
    replication: 3,
    raft: { snapshotEveryEntries: 4, trailingEntries: 2 },
    wal: smallLog,
  },
  workload: { ...mixedWorkload, thinkUs: { min: 10_000, max: 100_000 } },
  faults: {
    swarm: ["delay", "loss", "kill"],
    swarmFaultsMax: 2,
    plan: (draw, { nodes, groups, attackUs }) => {
      const faults: Fault[] = [];
      for (let n = 0; n < rounds; n++) {
        const atUs = 2 * second + n * roundUs + draw.integer(0, second);
        const forUs = draw.integer(second, 3 * second);
        // At first those without a replica are known; later it may be anybody.
        const away =
          n === 0 ? nodes.filter((node) => !groups[0]!.includes(node)) : draw.some(nodes, 2);
        const others = nodes.filter((node) => !away.includes(node));
        const kind = draw.pick([
          "replaceMembers",
          "replaceMembers",
          "promote",
          "removeMember",
        ] as const);
        // Before the change is asked for, or while it is under way.
        const diesUs = atUs + draw.integer(-500 * millisecond, 300 * millisecond);
        const downUs = draw.integer(100 * millisecond, 2 * second);
        faults.push(
          fault({ kind: "cut", atUs, forUs, nodes: away, peers: others }, n),
          fault({ kind: "slowDisk", atUs: diesUs, forUs: 2 * second, nodes, amount: 60 }, n),
          fault({ kind, atUs: atUs + 1 }, n),
          fault({ kind: "kill", atUs: diesUs, forUs: downUs }, n),
        );
      }
      // At last the leader goes while a voter cannot be heard.
      const silentUs = attackUs - 1_500 * millisecond;
      faults.push(
        fault({ kind: "promote", atUs: attackUs - 5 * second }, rounds),
        fault(
          { kind: "cut", atUs: silentUs, forUs: attackUs, nodes: [draw.pick(nodes)], peers: nodes },
          rounds,
        ),
        fault({ kind: "removeLeader", atUs: silentUs + draw.integer(1, second) }, rounds),
      );
      return faults;
    },
  },
  phases: { attackUs: 26 * second },
  expect: "ok",
};
