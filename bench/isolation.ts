/**
 * What a group in trouble costs the groups beside it. Each trouble is a run of its own, against the same
 * seed without it; all times are those of the simulated world, so that no machine's speed matters.
 */
import {
  type Fault,
  type Scenario,
  type SimulationResult,
  fault,
  second,
  simulate,
} from "quorumlab";
import { nodeId } from "quorumlab/core";
import { puts, timesOf } from "./operations.js";

/** Five nodes that the groups share, and two more on which the first group alone has replicas. */
const shared = [
  [1, 2, 3],
  [2, 3, 4],
  [3, 4, 5],
  [4, 5, 1],
  [5, 1, 2],
];
const nodes = 7;
const pace = { clientsPerGroup: 4, operationsPerClient: 1_000, thinkUs: 5_000, spreadUs: 20_000 };
/** Leaders are there by then, and clients know them. */
const fromUs = 2 * second;
const attackUs = 6 * second;

export interface Trouble {
  readonly name: string;
  /** Founding voters of the group that will be in trouble. */
  readonly troubled: readonly number[];
  /** In both runs: what it takes for the trouble to be noticed. */
  readonly always: readonly Fault[];
  readonly faults: readonly Fault[];
}

const restart = fault({ kind: "kill", atUs: 3 * second, forUs: second / 2, nodes: [nodeId(2)] }, 0);

const slowMachine = (amount: number): Fault =>
  fault(
    {
      kind: "slowMachine",
      atUs: fromUs,
      forUs: attackUs,
      nodes: [1, 2, 3].map((n) => nodeId(n)),
      amount,
    },
    0,
  );

export const troubles: readonly Trouble[] = [
  {
    name: "majority-lost",
    troubled: [1, 6, 7],
    always: [],
    faults: [6, 7].map((node) =>
      fault({ kind: "kill", atUs: fromUs, forUs: attackUs, nodes: [nodeId(node)] }, node),
    ),
  },
  {
    name: "machine-stalls",
    troubled: [1, 2, 3],
    always: [],
    faults: [slowMachine(20_000)],
  },
  {
    name: "machine-slow",
    troubled: [1, 2, 3],
    always: [],
    faults: [slowMachine(2_500)],
  },
  {
    name: "log-damaged",
    troubled: [1, 2, 3],
    always: [restart],
    faults: [
      fault({ kind: "rotGroup", atUs: restart.atUs - 1, nodes: restart.nodes, amount: 32 }, 1),
    ],
  },
];

/** The 99th percentile of what clients of the other groups waited, with the trouble and without. */
export interface Isolation {
  readonly withUs: number;
  readonly withoutUs: number;
  /** How often the trouble changed something. */
  readonly effective: number;
  /** Commands of the troubled group that took less than a second. */
  readonly own: { readonly with: number; readonly without: number };
  readonly marks: Readonly<Record<string, number>>;
}

export function isolationOf(trouble: Trouble, seed: number): Isolation {
  const { always, faults } = trouble;
  const struck = run(trouble, seed, [...always, ...faults]);
  const spared = run(trouble, seed, always);
  return {
    withUs: percentile(99, struck.othersUs),
    withoutUs: percentile(99, spared.othersUs),
    effective: faults.reduce((sum, { kind }) => sum + struck.result.faults[kind]!.effective, 0),
    own: { with: struck.own, without: spared.own },
    marks: struck.result.marks,
  };
}

interface Measured {
  readonly othersUs: readonly number[];
  readonly own: number;
  readonly result: SimulationResult;
}

function run({ name, troubled }: Trouble, seed: number, faults: readonly Fault[]): Measured {
  const founders = [troubled, ...shared];
  const scenario: Scenario = {
    name: `isolation-${name}`,
    about: "one group in trouble beside others on the same nodes",
    cluster: {
      nodes,
      groups: founders.length,
      replication: 3,
      founders,
      stepUs: 10,
      raft: {},
      wal: {},
    },
    workload: {
      clients: founders.length * pace.clientsPerGroup,
      thinkUs: 0,
      keys: 1,
      mix: { put: 1 },
      valueBytes: 64,
    },
    faults: { swarm: [], swarmFaultsMax: 0 },
    phases: { attackUs },
    expect: "ok",
  };
  const result = simulate(scenario, {
    seed,
    faults: [...faults].sort((a, b) => a.atUs - b.atUs),
    operations: puts({ ...pace, groups: founders.length }),
    oracles: [],
    safetyOnly: true,
  });
  if (result.verdict !== "ok") throw new Error(`seed ${seed}: ${result.failure?.message}`);
  const kept = timesOf(result).filter(({ beganUs, tookUs }) => beganUs >= fromUs && tookUs > 0);
  return {
    othersUs: kept.filter(({ group }) => group !== 0).map(({ tookUs }) => tookUs),
    own: kept.filter(({ group, tookUs }) => group === 0 && tookUs < second).length,
    result,
  };
}

function percentile(percent: number, values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1]!;
}
