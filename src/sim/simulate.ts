/** One run of a scenario in the simulated world: everything that follows from (scenario, seed). */
import { decodeRouting } from "../core/map/routing.js";
import type { Fault } from "../lab/fault.js";
import type { OracleSpec } from "../lab/oracle.js";
import type { Cluster } from "./cluster.js";
import { oraclesOf } from "../lab/oracles/index.js";
import type { Decisions, PlannedOperation, RunResult } from "../lab/run-result.js";
import type { Operation } from "../lab/operation.js";
import type { Scenario } from "../lab/scenario.js";
import { KvVocabulary } from "../lab/kv-vocabulary.js";
import { OwnVocabulary } from "../lab/own-vocabulary.js";
import { Workload } from "../lab/workload.js";
import {
  Clients,
  type ClientWorld,
  type Habits,
  type NextOperation,
  type Population,
  habitThousandths,
  hastyTimes,
  requestsMax,
  usualTimes,
} from "./clients.js";
import { StoreDialect } from "./dialect.js";
import { type Language, kvLanguage, ownLanguage } from "./languages.js";
import { MappedClients, mapEveryUsUsual } from "./mapped-clients.js";
import { simOptions } from "./options.js";
import { Phases } from "./phases.js";
import { foundingMap, raftProgram } from "./programs.js";
import type { TraceSink } from "../lab/trace-recorder.js";
import { simulateProtocol } from "./simulate-protocol.js";
import type { StepDigests } from "./state-digest.js";
import { KeyedStream, sequential } from "./streams.js";
import { type World, makeWorld, resultOf } from "./world.js";

export interface SimulateOptions {
  /** A whole number below 2^53. */
  readonly seed: number;
  /** Run again from these: what they don't list has its usual outcome. */
  readonly decisions?: Decisions;
  /** Only so many of them: faults by time, then unusual draws in order. Operations all stay. */
  readonly firstDecisions?: number;
  /** Lifts the budget of faults, and asks only that nothing wrong is ever said. Default false. */
  readonly safetyOnly?: boolean;
  /**
   * Ends the run, undecided, before it handles one more input than this. What comes of those that it
   * did handle is still judged: answers reach their clients.
   */
  readonly stopAtStep?: number;
  /** Gets every event of the run; never changes its digest. */
  readonly trace?: TraceSink;
  /** Default: all of them. */
  readonly oracles?: readonly OracleSpec[];
  /** Folds the state of the stepping node into `stateDigest` at every step. Slow. Default false. */
  readonly checkDeterminism?: boolean;
  /** With `checkDeterminism`: gets where both hashes stand after each step. */
  readonly onStep?: (digests: StepDigests) => void;
  /** In place of the scenario's own. */
  readonly faults?: readonly Fault[];
  /** In place of the workload's; a client that they don't name asks nothing. */
  readonly operations?: readonly PlannedOperation[];
}

export interface SimulationResult extends RunResult {
  /** 16 hex digits over every state at every step, with `checkDeterminism`; else null. */
  readonly stateDigest: string | null;
}

/** Runs until all phases are over or a property is violated. */
export function simulate(scenario: Scenario, options: SimulateOptions): SimulationResult {
  checkSeed(options.seed);
  if (scenario.protocol !== undefined) {
    return simulateProtocol(scenario, scenario.protocol, options);
  }
  const limits = simOptions(scenario, options.seed, options.decisions?.options);
  const world = makeWorld(scenario, options, {
    oracles: options.oracles ?? oraclesOf(scenario),
    program: raftProgram(limits, scenario.stateMachine),
    limits,
  });
  const { cluster, run } = world;
  const { recorder } = cluster;
  const draws = Array.from({ length: run.clients }, (_, client) =>
    sequential(options.seed, `workload-${client}`),
  );
  const { stateMachine } = scenario;
  // Where there is a map, it alone says which group has a key.
  const keyGroups = cluster.resolved.map === null ? run.groups : 1;
  const vocabulary =
    stateMachine === undefined
      ? new KvVocabulary(scenario.workload, keyGroups, sequential(options.seed, "keys"))
      : new OwnVocabulary(stateMachine, run.groups);
  const language = stateMachine === undefined ? kvLanguage : ownLanguage;
  const workload = new Workload(scenario.workload, vocabulary, draws);
  const endedUs = new Map<Operation, number>();
  const listed = options.operations ?? world.given?.operations ?? null;
  const clients = newClients(world, endedUs, language, operationsFrom(listed, workload));
  const phases = new Phases(cluster, {
    attackUs: run.attackUs,
    electionTimeoutUs: limits.raft.electionTimeoutMaxUs,
    groupsSleep: limits.raft.sleepAfterUs > 0,
    demandProgress: options.safetyOnly !== true && scenario.expect === "ok",
    vocabulary,
    clients,
    newProbes: (count, probe) => newProbes(world, language, count, probe),
    draw: sequential(options.seed, "phases"),
  });
  recorder.stepsMax = options.stopAtStep ?? Infinity;
  for (const { index } of cluster.processes) cluster.start(index);
  const { resolved, people } = cluster;
  if (resolved.map !== null) people.makeMap(foundingMap(resolved, resolved.map));
  clients.start();
  while (!phases.over && recorder.failure === null && !recorder.over) {
    if (!cluster.next()) break;
  }
  if (phases.over && cluster.resolved.sealed) scanDisks(cluster);
  if (phases.over) recorder.finished(clients.operations);
  cluster.foldDigests();
  const { acknowledged } = clients;
  const begun = clients.operations.slice(0, phases.operations);
  return resultOf(world, options, phases.over, {
    acknowledged,
    operations: begun.map(({ planned }) => planned),
    listed,
    latenciesUs: begun.map((each) => (endedUs.get(each) ?? each.invokedUs) - each.invokedUs),
  });
}

/** Any other would give a run that no command line can ask for again. */
function checkSeed(seed: number): void {
  if (Number.isSafeInteger(seed) && seed >= 0) return;
  throw new RangeError(`seed must be a whole number from 0 to 2^53 - 1, not ${String(seed)}`);
}

function newClients(
  world: World,
  endedUs: Map<Operation, number>,
  language: Language,
  next: NextOperation,
): Population {
  const { scenario, cluster, run } = world;
  const { mapEveryUs, patienceUs } = scenario.workload;
  const clients = population(
    world,
    language,
    { clients: run.clients, next, mapEveryUs },
    {
      set: 0,
      scheduler: cluster.scheduler,
      times: { ...usualTimes, timeoutUs: patienceUs ?? usualTimes.timeoutUs },
      habits: scenario.faults.swarmFaultsMax > 0 ? habitsOf(world) : null,
      timing: new KeyedStream(cluster.seed, "clients"),
      nodes: run.nodes,
      ask: (client, node, request, bytes) => cluster.ask(client, node, request, bytes),
      invoked: (operation) => cluster.recorder.invoked(operation),
      asked: (operation, attempt) => cluster.recorder.asked(operation, attempt),
      heard: (operation, attempt, bytes) => cluster.recorder.heard(operation, attempt, bytes),
      completed(operation) {
        endedUs.set(operation, cluster.scheduler.nowUs);
        cluster.recorder.completed(operation);
      },
    },
  );
  cluster.clients.push(clients);
  return clients;
}

function scanDisks({ processes, recorder }: Cluster): void {
  for (const { node, disk } of processes) {
    for (const [file, bytes] of disk.contents()) recorder.scanned(node, file, bytes);
  }
}

function newProbes(
  world: World,
  language: Language,
  clients: number,
  next: NextOperation,
): Population {
  const { cluster, run } = world;
  return population(
    world,
    language,
    { clients, next },
    {
      set: 1,
      scheduler: cluster.scheduler,
      times: hastyTimes,
      habits: null,
      timing: new KeyedStream(cluster.seed, "probes"),
      nodes: run.nodes,
      ask: (client, node, request, bytes) => cluster.ask(1_000 + client, node, request, bytes),
      invoked: () => {},
      asked: () => {},
      heard: () => {},
      completed: () => {},
    },
  );
}

interface PopulationOptions {
  readonly clients: number;
  readonly next: NextOperation;
  readonly mapEveryUs?: number | undefined;
}

/** Clients that know for ever which group has a key, or such that ask for the map. */
function population(
  { cluster }: World,
  language: Language,
  { mapEveryUs = mapEveryUsUsual, ...options }: PopulationOptions,
  of: ClientWorld,
): Population {
  const { map, nodes: seeds } = cluster.resolved;
  if (map === null) return new Clients(of, new StoreDialect(language), options);
  const { slotCount } = map;
  const { seed, markCounter: marks } = cluster;
  const known = { seeds, slotCount, routing: null, decodeMap: decodeRouting, marks };
  return new MappedClients(of, { ...options, cluster: known, language, seed, mapEveryUs });
}

/** Requests of their own set: nobody owns them. */
const habitsSet = 2_000;

function habitsOf({ scenario, cluster, decisions }: World): Habits {
  let request = habitsSet * requestsMax;
  return {
    thousandths: { ...habitThousandths, ...scenario.workload.habits },
    echo: decisions.gate("echo"),
    close: decisions.gate("close"),
    nonsense: decisions.gate("nonsense"),
    askLater: (client, node, bytes, afterUs) =>
      cluster.ask(client, node, request++, bytes, afterUs),
  };
}

/** Each client's own operations in order; without a list, the workload's without end. */
function operationsFrom(
  listed: readonly PlannedOperation[] | null,
  workload: Workload,
): NextOperation {
  if (listed === null) return (client, last) => workload.next(client, last);
  const left = new Map<number, PlannedOperation[]>();
  for (const operation of listed) {
    const own = left.get(operation.client);
    if (own === undefined) left.set(operation.client, [operation]);
    else own.push(operation);
  }
  return (client) => left.get(client)?.shift() ?? null;
}
