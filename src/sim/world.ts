/** The world of one run: a cluster with its executor of faults and its people, from the seed. */
import { invariant } from "../lab/oracles/invariant.js";
import type { OracleSpec } from "../lab/oracle.js";
import type { Fault } from "../lab/fault.js";
import type { Decisions as DecisionList } from "../lab/run-result.js";
import type { Scenario } from "../lab/scenario.js";
import { Cluster, type ClusterSetup } from "./cluster.js";
import { Decisions } from "./decisions.js";
import { Executor } from "./executor.js";
import type { SimOptions } from "./options.js";
import { People } from "./people.js";
import { prefixOf } from "./replay.js";
import { requestsMax } from "./clients.js";
import type { SimulateOptions, SimulationResult } from "./simulate.js";
import { StateDigest } from "./state-digest.js";
import { KeyedStream, sequential } from "./streams.js";
import { type RunOptions, planFaults, resolveCluster, resolveOptions } from "./swarm.js";

export interface World {
  readonly scenario: Scenario;
  readonly cluster: Cluster;
  readonly decisions: Decisions;
  /** Those that are replayed; null in a run by seed. */
  readonly given: DecisionList | null;
  readonly run: RunOptions;
  readonly faults: readonly Fault[];
  readonly states: StateDigest | null;
  readonly limits: SimOptions;
}

export interface WorldParts {
  readonly limits: SimOptions;
  readonly oracles: readonly OracleSpec[];
  readonly program: ClusterSetup["program"];
}

export function makeWorld(scenario: Scenario, options: SimulateOptions, parts: WorldParts): World {
  const { seed, safetyOnly = false } = options;
  const given = prefixOf(options.decisions, options.firstDecisions);
  const drawn = resolveOptions(scenario, {
    options: sequential(seed, "options"),
    sealed: sequential(seed, "sealed"),
  });
  // Files of before the sealing name it nowhere.
  const run =
    given === null ? drawn : { ...drawn, sealed: false, ...(given.options as Partial<RunOptions>) };
  const resolved = resolveCluster(run, run.attackUs, scenario.cluster);
  const draws = { plan: sequential(seed, "plan"), swarm: sequential(seed, "swarm") };
  const faults = options.faults ?? given?.faults ?? planFaults(scenario, resolved, draws);
  const decisions = new Decisions(seed, { listed: given?.draws ?? null });
  const cluster = new Cluster({
    seed,
    resolved,
    decisions,
    oracles: parts.oracles,
    trace: options.trace ?? null,
    stepUs: scenario.cluster.stepUs ?? 0,
    keepUndo: faults.some(({ kind }) => kind === "vanishTail"),
    program: parts.program,
  });
  cluster.executor = new Executor(cluster, faults, {
    expectViolation: scenario.expect === "violation",
    safetyOnly,
    onFault: (fault, active) => cluster.recorder.fault(fault, active),
  });
  cluster.people = newPeople(cluster);
  const states =
    options.checkDeterminism === true ? new StateDigest(cluster, options.onStep) : null;
  const { limits } = parts;
  return { scenario, cluster, decisions, given, run, faults, states, limits };
}

type Operations = DecisionList["operations"];

/** What every run gives back, but for what its clients know. */
export function resultOf(
  world: World,
  options: SimulateOptions,
  ended: boolean,
  of: Pick<SimulationResult, "acknowledged" | "latenciesUs"> & {
    readonly operations: Operations;
    /** In place of the workload's; null: none were listed. */
    readonly listed: Operations | null;
  },
): SimulationResult {
  const { scenario, cluster, decisions, run, faults, states, limits } = world;
  const { recorder, scheduler, executor } = cluster;
  const undecided = recorder.undecided !== null || !ended;
  return {
    scenario: scenario.name,
    seed: options.seed,
    verdict: recorder.failure !== null ? "violation" : undecided ? "undecided" : "ok",
    failure: recorder.failure,
    steps: recorder.steps,
    simulatedUs: scheduler.nowUs,
    acknowledged: of.acknowledged,
    leaderChanges: recorder.leaderChanges,
    digest: recorder.digest.hash.hex(),
    faults: executor.counts(),
    marks: cluster.markCounts(),
    decisions: {
      options: { ...optionsOf(run), limits: limits.limits },
      faults,
      operations: of.operations,
      draws: decisions.taken,
    },
    drawsNotRecorded: decisions.beyond,
    latenciesUs: of.latenciesUs,
    inert: [
      ...limits.unmatched,
      ...executor.inert(),
      ...neverBegun(of.listed ?? [], of.operations),
      ...decisions.unmatched(),
    ],
    stateDigest: states?.hex() ?? null,
  };
}

/** Their clients were not done with others before, or ended with the run. */
function neverBegun(listed: Operations, begun: Operations): string[] {
  const ids = new Set(begun.map(({ id }) => id));
  return listed.filter(({ id }) => !ids.has(id)).map(({ id }) => id);
}

/** What a user's protocol is judged by beside its own properties. */
export const protocolOracles: readonly OracleSpec[] = [invariant];

/** Sets of clients come first; nobody waits for what people ask. */
const peoplesSet = 1_000;

function newPeople(cluster: Cluster): People {
  let request = peoplesSet * requestsMax;
  return new People({
    scheduler: cluster.scheduler,
    chance: new KeyedStream(cluster.seed, "people"),
    processes: cluster.processes,
    survey: cluster.survey,
    askNode: (node, bytes) => cluster.ask(peoplesSet, node, request++, bytes, 0, "adminRequest"),
    effective: (fault) => cluster.executor.effective(fault),
    replaceDisk: (node, fault) => cluster.replaceDisk(node, fault),
  });
}

/** What is usual is not named. */
function optionsOf({ sealed, ...numbers }: RunOptions): Readonly<Record<string, number | boolean>> {
  return sealed ? { ...numbers, sealed } : numbers;
}
