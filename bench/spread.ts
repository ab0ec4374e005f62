/**
 * How the commits of a cluster grow with its groups, in simulated time: turns, steps and disks take
 * time there, so that a node can be busy, and no machine's speed matters.
 */
import { type Scenario, second, simulate } from "quorumlab";
import { puts, timesOf } from "./operations.js";

const replication = 3;
/** A step takes so long that a leader is busy long before its clients are. */
const stepUs = 250;
const clientsPerGroup = 48;
const fromUs = second;
const toUs = 2 * second;

/** On nodes of their own, or all on the same three. */
export type Placement = "apart" | "together";

/** Commits per simulated second of so many groups with as busy clients each. */
export function commitsPerSecond(groups: number, placement: Placement, seed: number): number {
  const founders = Array.from({ length: groups }, (_, group) =>
    Array.from({ length: replication }, (_each, at) => {
      return (placement === "apart" ? group * replication : 0) + at + 1;
    }),
  );
  const scenario: Scenario = {
    name: `spread-${groups}-${placement}`,
    about: "groups with more clients than their nodes can serve",
    cluster: {
      nodes: replication * (placement === "apart" ? groups : 1),
      groups,
      replication,
      founders,
      stepUs,
      raft: {},
      wal: {},
    },
    workload: {
      clients: groups * clientsPerGroup,
      thinkUs: 0,
      keys: 1,
      mix: { put: 1 },
      valueBytes: 64,
    },
    faults: { swarm: [], swarmFaultsMax: 0 },
    phases: { attackUs: toUs },
    expect: "ok",
  };
  const pace = { groups, clientsPerGroup, operationsPerClient: 1_000, thinkUs: 0, spreadUs: 100 };
  const result = simulate(scenario, { seed, operations: puts(pace), oracles: [] });
  if (result.verdict !== "ok") throw new Error(`seed ${seed}: ${result.failure?.message}`);
  const ended = timesOf(result).filter(({ beganUs, tookUs }) => {
    return tookUs > 0 && beganUs + tookUs >= fromUs && beganUs + tookUs < toUs;
  });
  return (ended.length * second) / (toUs - fromUs);
}
