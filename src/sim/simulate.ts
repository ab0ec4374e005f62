/** One run of a scenario in the simulated world: everything that follows from (scenario, seed). */
import type { Fault } from "../lab/fault.js";
import type { OracleSpec } from "../lab/oracle.js";
import { allOracles } from "../lab/oracles/index.js";
import type { Decisions, PlannedOperation, RunResult } from "../lab/run-result.js";
import type { Operation } from "../lab/operation.js";
import type { Scenario } from "../lab/scenario.js";
import { Workload, groupOf } from "../lab/workload.js";
import { Clients, type Habits, requestsMax, usualTimes } from "./clients.js";
import type { Cluster } from "./cluster.js";
import { kvDialect } from "./dialect.js";
import { simOptions } from "./options.js";
import { Phases } from "./phases.js";
import { raftProgram } from "./programs.js";
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
  /** Ends the run, undecided, once so many inputs were handled. */
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
    oracles: options.oracles ?? allOracles,
    program: raftProgram(limits),
  });
  const { cluster, run } = world;
  const { recorder } = cluster;
  const draws = Array.from({ length: run.clients }, (_, client) =>
    sequential(options.seed, `workload-${client}`),
  );
  const keys = sequential(options.seed, "keys");
  const workload = new Workload(scenario.workload, run.groups, draws, keys);
  const endedUs = new Map<Operation, number>();
  const listed = options.operations ?? world.given?.operations ?? null;
  const clients = newClients(world, endedUs, operationsFrom(listed, workload));
  const phases = new Phases(cluster, {
    attackUs: run.attackUs,
    electionTimeoutUs: limits.raft.electionTimeoutMaxUs,
    demandProgress: options.safetyOnly !== true && scenario.expect === "ok",
    keys: workload.keys().map((key) => ({ key, group: groupOf(key, run.groups) })),
    clients,
    draw: sequential(options.seed, "phases"),
  });
  const stopAtStep = options.stopAtStep ?? Infinity;
  for (const { index } of cluster.processes) cluster.start(index);
  clients.start();
  while (!phases.over && recorder.failure === null && recorder.steps < stopAtStep) {
    if (!cluster.next()) break;
  }
  if (phases.over) recorder.finished(clients.operations);
  cluster.foldDigests();
  const { acknowledged } = clients;
  const begun = clients.operations.slice(0, phases.operations);
  return resultOf(world, options, phases.over, {
    acknowledged,
    operations: begun.map(({ planned }) => planned),
    latenciesUs: begun.map((each) => (endedUs.get(each) ?? each.invokedUs) - each.invokedUs),
  });
}

/** Any other would give a run that no command line can ask for again. */
function checkSeed(seed: number): void {
  if (Number.isSafeInteger(seed) && seed >= 0) return;
  throw new RangeError(`seed must be a whole number from 0 to 2^53 - 1, not ${String(seed)}`);
}

function newClients(
  { scenario, cluster, decisions, run }: World,
  endedUs: Map<Operation, number>,
  next: (client: number) => PlannedOperation | null,
): Clients {
  const clients = new Clients(
    {
      set: 0,
      scheduler: cluster.scheduler,
      times: usualTimes,
      habits: scenario.faults.swarmFaultsMax > 0 ? habitsOf(cluster, decisions) : null,
      timing: new KeyedStream(cluster.seed, "clients"),
      nodes: run.nodes,
      ask: (client, node, request, bytes) => cluster.ask(client, node, request, bytes),
      invoked: (operation) => cluster.recorder.invoked(operation),
      completed(operation) {
        endedUs.set(operation, cluster.scheduler.nowUs);
        cluster.recorder.completed(operation);
      },
    },
    kvDialect,
    { clients: run.clients, next },
  );
  cluster.clients.push(clients);
  return clients;
}

/** Requests of their own set: nobody owns them. */
const habitsSet = 2_000;

function habitsOf(cluster: Cluster, decisions: World["decisions"]): Habits {
  let request = habitsSet * requestsMax;
  return {
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
): (client: number) => PlannedOperation | null {
  if (listed === null) return (client) => workload.next(client);
  const left = new Map<number, PlannedOperation[]>();
  for (const operation of listed) {
    const own = left.get(operation.client);
    if (own === undefined) left.set(operation.client, [operation]);
    else own.push(operation);
  }
  return (client) => left.get(client)?.shift() ?? null;
}
