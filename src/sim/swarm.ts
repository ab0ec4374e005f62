/** What the seed makes of a scenario: its cluster, its options, its faults with rates and times. */
import { type NodeId, nodeId } from "../core/ids.js";
import type { Draw } from "../lab/draw.js";
import {
  type Fault,
  type FaultKind,
  keyKinds,
  plannedKinds,
  silentLossKinds,
} from "../lab/fault.js";
import type { ClusterSpec, MapSpec, ResolvedCluster, Scenario } from "../lab/scenario.js";
import { ScenarioError } from "../lab/scenario-error.js";
import { resolve } from "../lab/workload.js";

const millisecond = 1_000;
const second = 1_000_000;

/** The numbers of one run. */
export interface RunOptions {
  readonly nodes: number;
  readonly groups: number;
  readonly replication: number;
  readonly clients: number;
  /** What users write is sealed. */
  readonly sealed: boolean;
  /** How long the attack lasts, microseconds of world time. */
  readonly attackUs: number;
}

/** `draws.sealed` is a stream of its own: what is drawn there moves nothing else. */
export function resolveOptions(
  scenario: Scenario,
  { options: draw, sealed }: { readonly options: Draw; readonly sealed: Draw },
): RunOptions {
  const nodes = resolve(scenario.cluster.nodes, draw);
  // Where there is a map, one more replicates it.
  const groups =
    resolve(scenario.cluster.groups, draw) + (scenario.cluster.map === undefined ? 0 : 1);
  const replication = Math.min(nodes, resolve(scenario.cluster.replication, draw));
  const clients = resolve(scenario.workload.clients, draw);
  return {
    nodes,
    groups,
    replication,
    clients,
    sealed: sealed.chance(scenario.cluster.sealed ?? 0),
    attackUs: scenario.phases.attackUs,
  };
}

/**
 * Founding voters: consecutive nodes, each group beginning at another one. Where there is a map, a
 * group is there to serve the slots, however few a shrunk run asks for.
 */
export function resolveCluster(
  options: RunOptions,
  attackUs: number,
  { map = null, founders }: Pick<ClusterSpec, "founders"> & { readonly map?: MapSpec | null } = {},
): ResolvedCluster {
  const nodes = Array.from({ length: options.nodes }, (_, at) => nodeId(at + 1));
  const count = map === null ? options.groups : Math.max(options.groups, 2);
  const groups = Array.from({ length: count }, (_, group) =>
    foundersOf(group, nodes, options.replication, founders).sort((a, b) => a - b),
  );
  return { nodes, groups, map, sealed: options.sealed, attackUs };
}

function foundersOf(
  group: number,
  nodes: readonly NodeId[],
  replication: number,
  founders: ClusterSpec["founders"],
): NodeId[] {
  const given = founders?.[group]?.map((node) => nodeId(node));
  if (given !== undefined) return given;
  return Array.from({ length: replication }, (_, at) => nodes[(group + at) % nodes.length]!);
}

/** All faults of a run in the order of their times, each with an id of its own. */
export function planFaults(
  scenario: Scenario,
  cluster: ResolvedCluster,
  draws: { readonly plan: Draw; readonly swarm: Draw },
): Fault[] {
  const planned = plannedBy(scenario, cluster, draws.plan);
  const drawn = drawFaults(scenario, cluster, draws.swarm);
  const all = [...planned, ...drawn].sort((a, b) => a.atUs - b.atUs);
  const used = new Set<string>();
  return all.map((fault) => {
    let { id } = fault;
    for (let again = 2; used.has(id); again++) id = `${fault.id}.${again}`;
    used.add(id);
    return { ...fault, id };
  });
}

function plannedBy(scenario: Scenario, cluster: ResolvedCluster, draw: Draw): readonly Fault[] {
  try {
    return scenario.faults.plan?.(draw, cluster) ?? [];
  } catch (error) {
    throw new ScenarioError(scenario.name, "plan()", error);
  }
}

/** Each seed leaves about half of the kinds out, and draws among the rest. */
function drawFaults(scenario: Scenario, cluster: ResolvedCluster, draw: Draw): Fault[] {
  const { swarm, swarmFaultsMax } = scenario.faults;
  const kinds = swarm.filter(
    (kind) =>
      !plannedKinds.includes(kind) &&
      (cluster.sealed || !keyKinds.includes(kind)) &&
      draw.chance(550) &&
      (scenario.expect === "violation" || !silentLossKinds.includes(kind)),
  );
  if (kinds.length === 0 || swarmFaultsMax === 0) return [];
  const count = draw.integer(Math.ceil(swarmFaultsMax / 3), swarmFaultsMax);
  const faults: Fault[] = [];
  for (let ordinal = 0; ordinal < count; ordinal++) {
    const kind = draw.pick(kinds);
    const latestUs = Math.floor((cluster.attackUs * 9) / 10);
    const drawn: Fault = {
      id: `swarm-${kind}-${ordinal}`,
      kind,
      atUs: draw.integer(Math.min(latestUs, 2 * second), latestUs),
      group: draw.integer(0, cluster.groups.length - 1),
      nodes: [],
      peers: [],
      amount: 0,
      forUs: 0,
      ...shapes[kind](draw, cluster.nodes, cluster.attackUs),
    };
    faults.push(drawn, ...shown(drawn, ordinal, draw));
  }
  return faults;
}

/** Damage at rest and torn writes show only when their nodes start again. */
function shown(damage: Fault, ordinal: number, draw: Draw): Fault[] {
  const kills = damage.kind === "tornWrite" ? 3 : showsAtStart.includes(damage.kind) ? 1 : 0;
  return Array.from({ length: kills }, (_, n) => ({
    ...damage,
    id: `swarm-kill-${ordinal}-${n}`,
    kind: "kill",
    atUs: damage.atUs + draw.integer(200 * millisecond, Math.max(2 * second, damage.forUs)),
    forUs: draw.integer(100 * millisecond, second),
    nodes: [draw.pick(damage.nodes)],
  }));
}

const showsAtStart: readonly FaultKind[] = ["rot", "misdirectWrite"];

type Shape = Partial<Pick<Fault, "forUs" | "nodes" | "peers" | "amount">>;
type MakeShape = (draw: Draw, nodes: readonly NodeId[], attackUs: number) => Shape;

/** A rate in thousandths that lasts for a good part of the attack. */
const rate =
  (min: number, max: number): MakeShape =>
  (draw, _nodes, attackUs) => ({
    amount: draw.integer(min, max),
    forUs: draw.integer(2 * second, Math.max(3 * second, Math.floor(attackUs / 3))),
  });

/** Some nodes against the others; or, one time in three, whoever leads then against all. */
const parts: MakeShape = (draw, nodes) => {
  const forUs = draw.integer(300 * millisecond, 5 * second);
  if (draw.chance(333)) return { forUs, nodes: [], peers: nodes };
  const some = draw.some(nodes, draw.integer(1, Math.max(1, nodes.length >> 1)));
  return { forUs, nodes: some, peers: nodes.filter((node) => !some.includes(node)) };
};

/** One node, or one time in three whoever leads then. */
const one =
  (minUs: number, maxUs: number, amounts: readonly [number, number] = [0, 0]): MakeShape =>
  (draw, nodes) => ({
    forUs: maxUs === 0 ? 0 : draw.integer(minUs, maxUs),
    nodes: draw.chance(333) ? [] : [draw.pick(nodes)],
    amount: draw.integer(amounts[0], amounts[1]),
  });

const times =
  (shape: MakeShape, min: number, max: number): MakeShape =>
  (draw, nodes, attackUs) => ({
    ...shape(draw, nodes, attackUs),
    amount: draw.integer(min, max),
  });

const named =
  (min: number, max: number): MakeShape =>
  (draw, nodes) => ({ nodes: [draw.pick(nodes)], amount: draw.integer(min, max) });

const nobody: MakeShape = () => ({});

const shapes: Readonly<Record<FaultKind, MakeShape>> = {
  loss: rate(5, 150),
  duplicate: rate(5, 200),
  delay: rate(2, 60),
  reorder: rate(5, 200),
  cut: parts,
  cutOneWay: parts,
  flap: parts,
  slowLink: times(parts, 5, 60),
  fullQueue: parts,
  corrupt: parts,
  halfOpen: parts,
  drift: one(2 * second, 20 * second, [-20_000, 20_000]),
  wallStep: one(0, 0, [-3_600_000_000, 3_600_000_000]),
  kill: one(50 * millisecond, 3 * second),
  killInStart: one(50 * millisecond, second, [1, 3]),
  pause: one(50 * millisecond, 2 * second),
  slowNode: one(second, 10 * second, [5, 80]),
  slowMachine: nobody,
  wipe: one(200 * millisecond, 2 * second),
  rollingRestart: (draw, nodes) => ({ forUs: draw.integer(4 * second, 9 * second), nodes }),
  tornWrite: (draw, nodes, attackUs) => ({
    forUs: draw.integer(5 * second, Math.max(6 * second, attackUs)),
    nodes,
  }),
  failSync: one(0, 0),
  rot: named(1, 3),
  rotGroup: nobody,
  misdirectRead: one(0, 0, [1, 3]),
  misdirectWrite: named(1, 1),
  fullDisk: one(second, 6 * second),
  slowDisk: one(second, 10 * second, [5, 100]),
  failRead: one(0, 0, [1, 3]),
  lyingSync: one(2 * second, 5 * second),
  vanishTail: one(0, 0, [1, 4]),
  tokenAway: one(500 * millisecond, 8 * second, [0, 1]),
  tokenSlow: one(second, 10 * second, [1, 200]),
  tokenSilent: one(second, 10 * second, [50, 500]),
  tokenLapse: one(second, 10 * second, [0, 1_000]),
  newToken: one(50 * millisecond, 2 * second),
  rotateKeys: nobody,
  transferLeader: nobody,
  addLearner: nobody,
  promote: nobody,
  removeMember: nobody,
  removeLeader: nobody,
  replaceMembers: nobody,
  moveSlots: nobody,
  splitGroup: nobody,
  mergeGroups: nobody,
  createGroup: nobody,
  destroyGroup: nobody,
  spreadSlots: nobody,
  moveReplica: nobody,
  drainNode: nobody,
  joinNode: nobody,
  loseNode: nobody,
  cancelJob: nobody,
  moveLeader: nobody,
  balanceLeaders: nobody,
};
