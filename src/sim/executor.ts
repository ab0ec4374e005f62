/**
 * Puts faults into force and takes them away again, counts what they change, and keeps a run inside
 * the budget of CONTRACTS 6: nodes that lost something synced are never more than a minority of any
 * group, and silent losses happen only where a violation is expected.
 */
import { nodeId } from "../core/ids.js";
import type { FaultCount, RunResult } from "../lab/run-result.js";
import { type Fault, type FaultKind, errandKinds, silentLossKinds } from "../lab/fault.js";
import { eventKind } from "./events.js";
import { handlers } from "./fault-handlers.js";
import type { SimNetwork } from "./network.js";
import type { SimProcess } from "./process.js";
import type { Scheduler } from "./scheduler.js";
import type { KeyedStream } from "./streams.js";

/** What faults can do to a world. Nodes are indices here. */
export interface FaultWorld {
  readonly scheduler: Scheduler;
  readonly network: SimNetwork;
  readonly processes: readonly SimProcess[];
  readonly chance: KeyedStream;
  /** Index of the node that leads `group`, or that led it last; any node when nobody did. */
  leaderOf(group: number): number;
  /**
   * The process dies within its next turn, or now, and starts again after `downUs`. The death is
   * credited to `fault`, if it is not -1.
   */
  kill(node: number, downUs: number, when: "soon" | "now", fault: number): void;
  /** Disk and process are lost; a new disk is there after `downUs`. True: the old one held something. */
  wipe(node: number, downUs: number, fault: number): boolean;
  /**
   * The process dies, and starts again after `downUs` with a new, empty token in its HSM. False: some
   * group's keys could be lost with the old one, and it stays.
   */
  replaceToken(node: number, downUs: number): boolean;
  /** True when the node could lose synced data now and every group would still survive. */
  mayLose(node: number): boolean;
  /** The node holds less than it once synced, until its replicas are whole again. */
  lost(node: number): void;
  /** People set out to do what the fault says; its number is `ordinal`. */
  errand(fault: Fault, ordinal: number): void;
}

/** A fault of the plan as it goes. */
export interface FaultRun {
  readonly fault: Fault;
  readonly ordinal: number;
  /** Indices of `fault.nodes`, or of the leader at the beginning when none are named. */
  nodes: number[];
  peers: number[];
  fired: boolean;
  active: boolean;
  effective: number;
}

export class Executor {
  readonly runs: readonly FaultRun[];
  readonly world: FaultWorld;
  readonly #expectViolation: boolean;
  readonly #safetyOnly: boolean;
  readonly #onFault: (fault: Fault, active: boolean) => void;
  #attacking = true;

  constructor(
    world: FaultWorld,
    faults: readonly Fault[],
    options: {
      readonly expectViolation: boolean;
      readonly safetyOnly: boolean;
      readonly onFault: (fault: Fault, active: boolean) => void;
    },
  ) {
    this.world = world;
    this.#safetyOnly = options.safetyOnly;
    this.#expectViolation = options.expectViolation;
    this.#onFault = options.onFault;
    this.runs = faults.map((fault, ordinal) => ({
      fault,
      ordinal,
      nodes: [],
      peers: [],
      fired: false,
      active: false,
      effective: 0,
    }));
    for (const { fault, ordinal } of this.runs) {
      world.scheduler.add(fault.atUs, eventKind.faultBegin, ordinal);
    }
  }

  begin(ordinal: number): void {
    const run = this.runs[ordinal]!;
    if (!this.#attacking) return;
    const { fault } = run;
    run.nodes = this.#targets(fault);
    run.peers = fault.peers
      .map((node) => node - 1)
      .filter((peer) => this.world.processes[peer] !== undefined);
    if (!this.#allowed(run)) return;
    run.fired = true;
    run.active = true;
    this.#tell(run);
    handlers[fault.kind].begin(this, run);
    if (fault.forUs > 0) {
      const { scheduler } = this.world;
      scheduler.add(scheduler.nowUs + fault.forUs, eventKind.faultEnd, ordinal);
    }
  }

  end(ordinal: number): void {
    const run = this.runs[ordinal]!;
    if (!this.#attacking || !run.active) return;
    run.active = false;
    this.#tell(run);
    handlers[run.fault.kind].end?.(this, run);
  }

  /** One of the beats that a fault asked for. */
  beat(ordinal: number, beat: number): void {
    const run = this.runs[ordinal]!;
    if (this.#attacking && run.active) handlers[run.fault.kind].beat?.(this, run, beat);
  }

  beatAt(run: FaultRun, beat: number, afterUs: number): void {
    const { scheduler } = this.world;
    scheduler.add(scheduler.nowUs + afterUs, eventKind.faultBeat, run.ordinal, beat);
  }

  /** No fault begins or ends any more; what is broken stays so until it is healed. */
  stopAttack(): void {
    this.#attacking = false;
  }

  /** Takes every fault of their own off these nodes, and all faults off the links between them. */
  heal(nodes: readonly number[]): void {
    const { processes, network } = this.world;
    network.heal((from, to) => nodes.includes(from) && nodes.includes(to));
    for (const node of nodes) {
      const process = processes[node]!;
      process.slowness.clear();
      for (const slow of process.slowMachines.values()) slow.clear();
      process.startsToCut.length = 0;
      process.callsUntilPause = -1;
      if (process.callsUntilDeath >= 0) process.callsUntilDeath = -1;
      if (process.pausedUntilUs > 0) process.endPause();
      if (process.drift.fault >= 0) {
        process.drift.clear();
        process.clockChanged();
      }
      process.disk.heal();
      process.hsm.heal();
    }
    for (const run of this.runs) if (run.active) this.#endIfHealed(run, nodes);
  }

  effective(ordinal: number): void {
    const run = this.runs[ordinal];
    if (run !== undefined) run.effective++;
  }

  /** True when synced data of the node may be damaged or lost now. */
  mayLose(node: number): boolean {
    return this.#attacking && (this.#safetyOnly || this.world.mayLose(node));
  }

  word(run: FaultRun, n: number): number {
    return this.world.chance.word(this.world.scheduler.nowUs, run.fault.kind.length, n, n);
  }

  counts(): RunResult["faults"] {
    const counts: Partial<Record<FaultKind, FaultCount>> = {};
    for (const { fault, fired, effective } of this.runs) {
      const count = counts[fault.kind];
      counts[fault.kind] = {
        drawn: 1,
        fired: (count?.fired ?? 0) + (fired ? 1 : 0),
        effective: (count?.effective ?? 0) + effective,
      };
    }
    return counts;
  }

  /** Ids of faults that changed nothing. */
  inert(): string[] {
    return this.runs.filter(({ effective }) => effective === 0).map(({ fault }) => fault.id);
  }

  /** What outlived the attack is over once all that it struck is healed. */
  #endIfHealed(run: FaultRun, healed: readonly number[]): void {
    const { fault, nodes, peers } = run;
    const struck = isNodeless(fault) ? this.world.processes.map(({ index }) => index) : nodes;
    if (fault.forUs === 0 || ![...struck, ...peers].every((node) => healed.includes(node))) return;
    run.active = false;
    this.#tell(run);
  }

  /** Tells what the fault strikes, which is not always what was planned. */
  #tell({ fault, nodes, peers, active }: FaultRun): void {
    const struck = isNodeless(fault) ? [] : nodes;
    // No node has a link to itself.
    const ends = peers.filter((peer) => struck.some((node) => node !== peer));
    const idOf = (index: number): Fault["nodes"][number] => nodeId(index + 1);
    this.#onFault({ ...fault, nodes: struck.map(idOf), peers: ends.map(idOf) }, active);
  }

  #targets(fault: Fault): number[] {
    if (fault.nodes.length > 0) {
      return fault.nodes
        .map((node) => node - 1)
        .filter((node) => this.world.processes[node] !== undefined);
    }
    return [this.world.leaderOf(fault.group)];
  }

  #allowed(run: FaultRun): boolean {
    const { kind } = run.fault;
    if (silentLossKinds.includes(kind)) return this.#expectViolation;
    if (!detectedLossKinds.includes(kind)) return true;
    run.nodes = run.nodes.filter((node) => this.mayLose(node));
    if (!this.#safetyOnly) run.nodes = run.nodes.slice(0, 1);
    return run.nodes.length > 0;
  }
}

/**
 * Kinds that take synced data away at once, and let the node know. A misdirected write does so too,
 * but later: the disk asks when it comes to it.
 */
const detectedLossKinds: readonly FaultKind[] = ["wipe", "rot", "rotGroup"];

/** Kinds that strike all links at a rate, or no node at all: people set out. */
const nodelessKinds: readonly FaultKind[] = [
  "loss",
  "duplicate",
  "delay",
  "reorder",
  ...errandKinds,
];

function isNodeless({ kind }: Fault): boolean {
  return nodelessKinds.includes(kind);
}
