/**
 * One run of a protocol of a user's own in the simulated world: the same queue, network, disks,
 * clocks and faults, generic clients, and the user's properties over what was asked and answered.
 */
import type { NodeId } from "../core/ids.js";
import type { Draw } from "../lab/draw.js";
import { shapeOf } from "../lab/oracle.js";
import type { Exchange, ProtocolSpec, Scenario } from "../lab/scenario.js";
import { resolve } from "../lab/workload.js";
import type { Cluster } from "./cluster.js";
import { eventKind } from "./events.js";
import { simOptions } from "./options.js";
import { machineProgram } from "./programs.js";
import type { SimulateOptions, SimulationResult } from "./simulate.js";
import { sequential } from "./streams.js";
import { makeWorld, protocolOracles, resultOf } from "./world.js";

/** A request without an answer for so long is given up; the client asks its next one. */
const patienceUs = 1_500_000;
/** How long all goes on after everything has healed. */
const calmUs = 3_000_000;

interface Asked {
  readonly client: number;
  readonly node: NodeId;
  readonly request: Uint8Array;
  readonly invokedUs: number;
}

export function simulateProtocol(
  scenario: Scenario,
  protocol: ProtocolSpec,
  options: SimulateOptions,
): SimulationResult {
  const limits = simOptions(scenario, options.seed, options.decisions?.options);
  const world = makeWorld(scenario, options, {
    oracles: protocolOracles,
    program: machineProgram(limits, protocol),
    limits,
  });
  const clients = new ProtocolClients(world.cluster, scenario, protocol, world.run.clients);
  world.cluster.recorder.stepsMax = options.stopAtStep ?? Infinity;
  const ended = runPhases(world.cluster, world.run.attackUs);
  world.cluster.foldDigests();
  const { acknowledged } = clients;
  const operations = { operations: [], listed: null, latenciesUs: [] };
  return resultOf(world, options, ended, { acknowledged, ...operations });
}

/** True when all phases were gone through. */
function runPhases(cluster: Cluster, attackUs: number): boolean {
  const { scheduler, recorder, executor, processes } = cluster;
  let calm = false;
  cluster.onPhase = () => {
    executor.stopAttack();
    executor.heal(processes.map(({ index }) => index));
    for (const { index } of processes) cluster.start(index);
    calm = true;
  };
  scheduler.add(attackUs, eventKind.phase);
  for (const { index } of processes) cluster.start(index);
  while (recorder.failure === null && !recorder.over) {
    if (calm && scheduler.nextAtUs() > attackUs + calmUs) return true;
    if (!cluster.next()) return true;
  }
  return false;
}

/** Each asks, waits for the answer or loses patience, and asks again. */
class ProtocolClients {
  acknowledged = 0;
  readonly #cluster: Cluster;
  readonly #protocol: ProtocolSpec;
  readonly #scenario: Scenario;
  readonly #draws: readonly Draw[];
  readonly #last: (Uint8Array | null)[];
  readonly #asked = new Map<number, Asked>();
  /** What each client now waits for. */
  readonly #open: number[];
  readonly #judges: readonly { readonly id: string; readonly judge: Judge }[];
  #requests = 1;

  constructor(cluster: Cluster, scenario: Scenario, protocol: ProtocolSpec, count: number) {
    this.#cluster = cluster;
    this.#protocol = protocol;
    this.#scenario = scenario;
    const clients = Array.from({ length: count }, (_, client) => client);
    this.#draws = clients.map((client) => sequential(cluster.seed, `workload-${client}`));
    this.#last = clients.map(() => null);
    this.#open = clients.map(() => 0);
    this.#judges = protocol.properties.map(({ id, judge }) => ({ id, judge: judge() }));
    cluster.clients.push({
      answered: (request, bytes) => this.#answered(request, bytes),
      proceed: (client) => this.#ask(client),
      timedOut: (client, request) => {
        if (this.#open[client] === request) this.#think(client);
      },
    });
    for (const client of clients) this.#think(client);
  }

  #think(client: number): void {
    const { scheduler } = this.#cluster;
    this.#open[client] = 0;
    const thinkUs = resolve(this.#scenario.workload.thinkUs, this.#draws[client]!);
    scheduler.add(scheduler.nowUs + thinkUs, eventKind.clientNext, client);
  }

  #ask(client: number): void {
    const { scheduler, processes } = this.#cluster;
    const draw = this.#draws[client]!;
    const bytes = this.#protocol.request(draw, client, this.#last[client]!);
    const process = draw.pick(processes);
    const request = this.#requests++;
    const invokedUs = scheduler.nowUs;
    this.#asked.set(request, { client, node: process.node, request: bytes, invokedUs });
    this.#open[client] = request;
    this.#cluster.ask(client, process.index, request, bytes);
    scheduler.add(invokedUs + patienceUs, eventKind.clientTimeout, client, request);
  }

  #answered(request: number, answer: Uint8Array): boolean {
    const asked = this.#asked.get(request);
    if (asked === undefined) return false;
    this.#asked.delete(request);
    this.acknowledged++;
    this.#last[asked.client] = answer;
    const answeredUs = this.#cluster.scheduler.nowUs;
    const exchange: Exchange = { ...asked, answer, answeredUs };
    for (const { id, judge } of this.#judges) {
      const wrong = judge(exchange);
      if (wrong === null) continue;
      const shape = shapeOf(wrong);
      this.#cluster.recorder.report(id, { message: wrong, shape, node: asked.node, group: 0 });
    }
    if (this.#open[asked.client] === request) this.#think(asked.client);
    return true;
  }
}

type Judge = (exchange: Exchange) => string | null;
