import {
  around,
  fault,
  millisecond,
  mixedWorkload,
  oneMinute,
  second,
  smallCluster,
  times,
  type Scenario,
} from "quorumlab/lab";

export const clockSkewLeaseReads: Scenario = {
  name: "clock-skew-lease-reads",
  about:
    "clocks drift as far as leases are told to expect, while leaders answer reads by their lease",
  cluster: smallCluster,
  workload: { ...mixedWorkload, leaseReads: 600, followerReads: 0 },
  faults: {
    swarm: ["delay", "loss", "wallStep", "pause"],
    swarmFaultsMax: 4,
    plan: (draw, { nodes, groups, attackUs }) => [
      ...nodes.map((node, n) =>
        fault(
          // Half of the bound to either side keeps any two clocks within it.
          {
            kind: "drift",
            atUs: 0,
            forUs: attackUs,
            nodes: [node],
            amount: draw.integer(-20_000, 20_000),
          },
          n,
        ),
      ),
      ...times(
        draw,
        { fromUs: 3 * second, toUs: attackUs },
        { minUs: 2 * second, maxUs: 5 * second },
      ).map((atUs, n) => {
        const forUs = draw.integer(300 * millisecond, 2 * second);
        return fault(
          { kind: "cut", atUs, forUs, peers: nodes, group: around([...groups.keys()], n) },
          n,
        );
      }),
    ],
  },
  phases: oneMinute,
  expect: "ok",
};
