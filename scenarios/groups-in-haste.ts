import {
  fault,
  mappedCluster,
  millisecond,
  mixedWorkload,
  second,
  times,
  type Scenario,
} from "quorumlab/lab";

/** Rounds that come after one whose slots are to be spread. */
const followingMin = 2;

export const groupsInHaste: Scenario = {
  name: "groups-in-haste",
  about:
    "new groups lead and serve before their last member is made, and logs are so short that all need snapshots",
  cluster: {
    ...mappedCluster,
    groups: 2,
    map: { slotCount: 16, zones: 1 },
    raft: { logEntriesMax: 24, snapshotEveryEntries: 12, trailingEntries: 4 },
  },
  workload: { ...mixedWorkload, clients: 3, keys: { min: 3, max: 6 } },
  faults: {
    swarm: ["loss", "delay", "duplicate", "kill"],
    swarmFaultsMax: 2,
    plan: (draw, { nodes, attackUs }) => {
      const rounds = times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 6 * second },
        { minUs: 2 * second, maxUs: 3 * second },
      );
      return rounds.flatMap((atUs, n) => {
        const away = draw.some(nodes, 1);
        const peers = nodes.filter((node) => !away.includes(node));
        const forUs = draw.integer(second, 3 * second);
        const followed = n < rounds.length - followingMin;
        const kind = followed ? draw.pick(["createGroup", "splitGroup"] as const) : "createGroup";
        const faults = [
          fault({ kind: "cut", atUs: atUs - 100 * millisecond, forUs, nodes: away, peers }, n),
          fault({ kind, atUs }, n),
        ];
        // Whoever finds nothing to split, to spread or to take back waits for it: behind the last none comes.
        if (!followed) return faults;
        const spreadUs = atUs + draw.integer(second / 2, second);
        faults.push(fault({ kind: "spreadSlots", atUs: spreadUs }, n));
        // Who has not made its replica yet is to bury it.
        const cancelUs = atUs + draw.integer(0, 2 * second);
        if (draw.chance(300)) faults.push(fault({ kind: "cancelJob", atUs: cancelUs }, n));
        return faults;
      });
    },
  },
  phases: { attackUs: 26 * second },
  expect: "ok",
};
