/** A simulated cluster whose processes run no node: their ports are there for whoever tests them. */
import { nodeId } from "../../src/core/ids.js";
import type { NetworkEvents } from "../../src/core/ports/network.js";
import { Cluster } from "../../src/sim/cluster.js";
import { Decisions } from "../../src/sim/decisions.js";
import { Executor } from "../../src/sim/executor.js";
import type { Program, SimProcess } from "../../src/sim/process.js";

/** No event of the simulator's own. */
const tickKind = 255;
/** More than a turn and the wait for it take. */
const turnUs = 200;
const patienceUs = 60_000_000;
/** A world that comes to more in one wait goes round in circles. */
const eventsMax = 1_000_000;

export interface Listener extends NetworkEvents {
  woken(): void;
}

export class PortsWorld {
  readonly cluster: Cluster;
  readonly #boots: number[];

  /** `listenerOf` is asked at each start of a node. */
  constructor(count: number, listenerOf: (process: SimProcess) => Listener, seed = 1) {
    const nodes = Array.from({ length: count }, (_, at) => nodeId(at + 1));
    this.#boots = nodes.map(() => 0);
    this.cluster = new Cluster({
      seed,
      resolved: { nodes, groups: [], map: null, sealed: false, attackUs: 0 },
      decisions: new Decisions(seed, { listed: null }),
      oracles: [],
      trace: null,
      keepUndo: false,
      stepUs: 0,
      program: (_cluster, process) => programOf(++this.#boots[process.index]!, listenerOf(process)),
    });
    this.cluster.executor = new Executor(this.cluster, [], {
      expectViolation: false,
      safetyOnly: false,
      onFault: () => {},
    });
    for (const { index } of this.cluster.processes) this.cluster.start(index);
    this.#turns();
  }

  /** The boot of the process that runs there, or ran last. */
  bootOf(index: number): number {
    return this.#boots[index]!;
  }

  stop(index: number): void {
    this.cluster.kill(index, -1, "now", -1);
  }

  start(index: number): void {
    this.cluster.start(index);
    this.#turns();
  }

  run(forUs: number): void {
    const endUs = this.#tickAfter(forUs);
    this.#goOn(() => this.cluster.scheduler.nowUs >= endUs);
    this.#turns();
  }

  until(isSo: () => boolean): void {
    const endUs = this.#tickAfter(patienceUs);
    this.#goOn(() => isSo() || this.cluster.scheduler.nowUs >= endUs);
    if (!isSo()) throw new Error("it never came to be so");
    this.#turns();
  }

  #goOn(isOver: () => boolean): void {
    let events = 0;
    while (!isOver() && this.cluster.next()) {
      if (++events > eventsMax) throw new Error("time stands still");
    }
  }

  #tickAfter(us: number): number {
    const atUs = this.cluster.scheduler.nowUs + us;
    this.cluster.scheduler.add(atUs, tickKind);
    return atUs;
  }

  /** What a process lets out leaves at the end of its last turn: that shall not be long ago. */
  #turns(): void {
    for (const process of this.cluster.processes) process.wantTurn();
    const endUs = this.#tickAfter(turnUs);
    this.#goOn(() => this.cluster.scheduler.nowUs >= endUs);
  }
}

function programOf(boot: number, listener: Listener): Program {
  const nothing = (): void => {};
  return {
    boot,
    takesReplicas: true,
    start: nothing,
    turn: nothing,
    request: nothing,
    diskDone: nothing,
    hsmDone: nothing,
    views: () => [],
    states: () => [],
    storeOf: () => null,
    keysOf: () => null,
    holdsKey: () => false,
    stateOf: () => null,
    bounds: () => [],
    woken: () => listener.woken(),
    frameArrived: (from, frame) => listener.frameArrived(from, frame),
    linkUp: (peer, start, disk) => listener.linkUp(peer, start, disk),
    linkDown: (peer) => listener.linkDown(peer),
  };
}
