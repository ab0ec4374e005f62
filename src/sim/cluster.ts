/** A simulated cluster: the queue, the network, the nodes, the clients and people, wired together. */
import type { Door } from "../core/framing/frame-types.js";
import { digestOf } from "../core/plain.js";
import { type NodeId, type RequestId, nodeId, requestId } from "../core/ids.js";
import type { Marks } from "../core/marks.js";
import type { OracleSpec } from "../lab/oracle.js";
import type { ResolvedCluster } from "../lab/scenario.js";
import { SimClock } from "./clock.js";
import type { ClientSet } from "./clients.js";
import type { Decisions } from "./decisions.js";
import { SimDisk } from "./disk.js";
import { eventKind } from "./events.js";
import type { Fault } from "../lab/fault.js";
import type { Executor, FaultWorld } from "./executor.js";
import { SimNetwork } from "./network.js";
import type { People } from "./people.js";
import { SimHsm } from "./hsm.js";
import { othersHaveKeys } from "./keys/keys-in-hand.js";
import { type Program, SimProcess } from "./process.js";
import type { TraceSink } from "../lab/trace-recorder.js";
import { Recorder } from "./recorder.js";
import { Scheduler } from "./scheduler.js";
import { KeyedStream, within } from "./streams.js";
import { Survey } from "./survey.js";

/** Between a client and a node, microseconds. */
const clientDelayUs = { min: 150, max: 1_200 } as const;
/** A process that stopped itself is started again after this. */
const supervisorUs = { min: 200_000, max: 900_000 } as const;
/** A process that was to die in mid-turn and has no turn dies after this all the same. */
const deathUsMax = 50_000;
/** People take so long to change a disk. */
const replaceUs = 500_000;
/** Digests of states are folded in after so many steps. */
const stepsPerFold = 1_024;
/** A node's wall clock at world time 0: some day, give or take. */
const wallStartUs = 1_700_000_000_000_000;

export interface ClusterSetup {
  readonly seed: number;
  readonly resolved: ResolvedCluster;
  readonly decisions: Decisions;
  readonly oracles: readonly OracleSpec[];
  readonly trace: TraceSink | null;
  readonly keepUndo: boolean;
  /** What each step of a node takes beside its turn. */
  readonly stepUs: number;
  /** A fresh program for one life of a node's process. */
  readonly program: (cluster: Cluster, process: SimProcess) => Program;
}

export class Cluster implements FaultWorld {
  readonly scheduler: Scheduler = new Scheduler();
  readonly resolved: ResolvedCluster;
  readonly network: SimNetwork;
  readonly processes: SimProcess[] = [];
  readonly recorder: Recorder;
  readonly survey: Survey;
  readonly chance: KeyedStream;
  readonly timing: KeyedStream;
  readonly markCounter: Marks;
  readonly #marks = new Map<string, number>();
  executor!: Executor;
  people!: People;
  /** The workload's, then the probes'. */
  readonly clients: ClientSet[] = [];
  /** A `phase` event is due. */
  onPhase: (check: number) => void = () => {};
  readonly seed: number;
  readonly #setup: ClusterSetup;
  /** Nodes that stepped since their digest was folded in. */
  readonly #stepped = new Set<number>();
  #foldAt = stepsPerFold;
  readonly #lastLeaders: number[] = [];
  readonly #wipes: number[] = [];

  constructor(setup: ClusterSetup) {
    this.#setup = setup;
    this.seed = setup.seed;
    this.resolved = setup.resolved;
    this.chance = new KeyedStream(setup.seed, "faults");
    this.timing = new KeyedStream(setup.seed, "timing");
    this.markCounter = {
      hit: (name) => this.#marks.set(name, (this.#marks.get(name) ?? 0) + 1),
    };
    const { scheduler, processes } = this;
    this.network = new SimNetwork(setup.seed, scheduler, processes, setup.resolved.nodes.length, {
      decisions: setup.decisions,
      watch: { effective: (fault) => this.executor.effective(fault) },
    });
    for (const node of setup.resolved.nodes) processes.push(this.#newProcess(node));
    this.recorder = new Recorder(
      {
        mapped: setup.resolved.map !== null,
        nowUs: () => scheduler.nowUs,
        localUs: (node) => processes[node - 1]!.clock.nowUs(),
        lives: (node) => !processes[node - 1]!.muted,
        boot: (node) => processes[node - 1]!.boot,
        clock: (node) => {
          const { clock } = processes[node - 1]!;
          return { wallOffsetUs: clock.wallOffsetUs, driftPpm: clock.rateMillionths };
        },
        disk: (node) => processes[node - 1]!.diskId,
        life: (node) => processes[node - 1]!.life,
        bounds: (node, group) => processes[node - 1]!.program?.bounds(group) ?? [],
      },
      setup.oracles,
      setup.trace,
    );
    this.recorder.onStopped = (node) => this.#stoppedItself(node);
    const { stepUs } = setup;
    this.recorder.onStep = (node) => {
      this.#stepped.add(node - 1);
      if (stepUs > 0) processes[node - 1]!.spend(stepUs);
    };
    this.survey = new Survey(
      this.recorder,
      processes,
      setup.resolved.groups,
      setup.resolved.map !== null,
    );
  }

  /** Handles the next event; false when there is none. */
  next(): boolean {
    const { scheduler } = this;
    if (!scheduler.next()) return false;
    this.#dispatch(scheduler.kind, scheduler.a, scheduler.b, scheduler.c, scheduler.payload);
    if (this.recorder.steps >= this.#foldAt) {
      this.#foldAt = this.recorder.steps + stepsPerFold;
      this.foldDigests();
    }
    return true;
  }

  /** Folds the digest of every machine that stepped since the last time into the run's. */
  foldDigests(): void {
    for (const node of [...this.#stepped].sort((a, b) => a - b)) this.#foldNode(node);
    this.#stepped.clear();
  }

  /** Marks that were hit, sorted by name. */
  markCounts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#marks].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  start(node: number): void {
    const process = this.processes[node]!;
    if (process.alive) return;
    const word = this.timing.word(this.scheduler.nowUs, node, 11);
    process.clock.restart(word % 5_000_000);
    const cutBy = process.startsToCut.shift();
    if (cutBy !== undefined) {
      process.killedBy = cutBy;
      process.isStartCut = true;
      process.deathSpansTurns = true;
      process.callsUntilDeath = (word >>> 8) % 12;
      this.scheduler.add(this.scheduler.nowUs + deathUsMax, eventKind.kill, node, process.life + 1);
    }
    process.run(this.#setup.program(this, process));
    if (process.alive) this.network.started(node);
  }

  kill(node: number, downUs: number, when: "soon" | "now", fault: number): void {
    const process = this.processes[node]!;
    if (!process.alive) return;
    process.downUs = downUs;
    process.killedBy = fault;
    process.isStartCut = false;
    if (when === "now") return this.#die(process);
    const word = this.chance.word(this.scheduler.nowUs, node, 21);
    if (word % 3 === 0) return this.#die(process);
    const afterWrite = word % 3 === 1;
    process.callsUntilDeath = (word >>> 8) % (afterWrite ? 6 : 14);
    process.deathAwaitsWrite = afterWrite;
    process.deathSpansTurns = afterWrite;
    this.scheduler.add(this.scheduler.nowUs + deathUsMax, eventKind.kill, node, process.life);
  }

  wipe(node: number, downUs: number, fault: number): boolean {
    const process = this.processes[node]!;
    const groups = this.#groupsOf(process.node);
    process.downUs = downUs;
    process.killedBy = -1;
    if (process.alive) this.#die(process);
    const held = process.disk.wipe();
    this.#wipes[node] = (this.#wipes[node] ?? 0) + 1;
    process.diskId = diskIdOf(node, this.#wipes[node]);
    this.survey.wiped(node);
    this.recorder.diskLost(process.node);
    this.#sendPeople(node, groups, fault);
    return held;
  }

  replaceToken(node: number, downUs: number): boolean {
    if (!othersHaveKeys(this, node)) return false;
    const process = this.processes[node]!;
    process.downUs = downUs;
    process.killedBy = -1;
    if (process.alive) this.#die(process);
    process.hsm.replaceToken();
    return true;
  }

  /** People put a new disk in, if every group survives the loss of the old one. */
  replaceDisk(node: number, fault: number): void {
    if (!this.survey.mayReplace(node)) return;
    this.wipe(node, replaceUs, fault);
  }

  mayLose(node: number): boolean {
    return this.survey.mayLose(node);
  }

  lost(node: number): void {
    this.survey.lost(node);
    // Should the damage have taken a replica for good, people put a new one in its place.
    const { node: id } = this.processes[node]!;
    this.#sendPeople(node, this.#groupsOf(id), -1);
    this.recorder.diskDamaged(this.processes[node]!.node);
  }

  leaderOf(group: number): number {
    const leader = this.survey.leader(group);
    if (leader !== null) this.#lastLeaders[group] = leader.node - 1;
    // Where nobody is known to lead, anybody will do.
    const word = this.chance.word(this.scheduler.nowUs, group, 23);
    return this.#lastLeaders[group] ?? word % this.processes.length;
  }

  errand(fault: Fault, ordinal: number): void {
    this.people.setOut(fault, ordinal);
  }

  /** Sends a request on its way to a node, or does so after a while. */
  ask(
    from: number,
    node: number,
    request: number,
    bytes: Uint8Array,
    afterUs = 0,
    door: Door = "request",
  ): void {
    const { nowUs } = this.scheduler;
    const word = this.timing.word(nowUs, from, node, 31);
    const atUs = nowUs + afterUs + within(word, clientDelayUs.min, clientDelayUs.max);
    this.scheduler.add(atUs, eventKind[door], node, 0, request, bytes);
  }

  /** A node lets an answer out. */
  answer(process: SimProcess, request: RequestId, bytes: Uint8Array): void {
    const { nowUs } = this.scheduler;
    const word = this.timing.word(nowUs, process.index, 32);
    const delayUs = within(word, clientDelayUs.min, clientDelayUs.max);
    const atUs = Math.max(nowUs, process.outAtUs) + delayUs;
    this.scheduler.add(atUs, eventKind.answer, process.index, 0, request, bytes);
  }

  #dispatch(kind: number, a: number, b: number, c: number, payload: unknown): void {
    switch (kind) {
      case eventKind.turn:
        return this.processes[a]!.turn(b);
      case eventKind.wake:
        return this.processes[a]!.wake(b, c);
      case eventKind.frames:
        return this.network.arrive(a, b, payload as readonly Uint8Array[]);
      case eventKind.hsm:
        return (payload as () => void)();
      case eventKind.diskDone:
        return this.#diskDone(a, b, c, payload);
      case eventKind.greet:
        return this.network.greet(a);
      case eventKind.linkDown:
        return this.network.linkDown(a, b);
      case eventKind.request:
        return this.#requestArrives("request", a, c, payload as Uint8Array);
      case eventKind.adminRequest:
        return this.#requestArrives("adminRequest", a, c, payload as Uint8Array);
      case eventKind.answer:
        for (const clients of this.clients) {
          if (clients.answered(c, payload as Uint8Array)) return;
        }
        return;
      case eventKind.clientNext:
        return this.clients[c]?.proceed(a, b);
      case eventKind.clientTimeout:
        return this.clients[c]?.timedOut(a, b);
      default:
        return this.#dispatchRare(kind, a, b);
    }
  }

  #dispatchRare(kind: number, a: number, b: number): void {
    const process = this.processes[a];
    switch (kind) {
      case eventKind.faultBegin:
        return this.executor.begin(a);
      case eventKind.faultEnd:
        return this.executor.end(a);
      case eventKind.faultBeat:
        return this.executor.beat(a, b);
      case eventKind.restart:
        if (process!.life === b) this.start(a);
        return;
      case eventKind.kill:
        if (process!.life !== b || !process!.alive) return;
        return this.#die(process!);
      case eventKind.resume:
        return process!.resume(b);
      case eventKind.errand:
        return this.people.beat(a);
      case eventKind.phase:
        return this.onPhase(a);
    }
  }

  #diskDone(node: number, session: number, op: number, payload: unknown): void {
    const process = this.processes[node]!;
    const result = process.disk.complete(op, session, payload);
    if (result !== null) process.program?.diskDone(op, result);
  }

  #requestArrives(door: Door, node: number, request: number, bytes: Uint8Array): void {
    const { program } = this.processes[node]!;
    if (program !== null && program.boot > 0) program.request(door, requestId(request), bytes);
  }

  #die(process: SimProcess): void {
    this.#foldNode(process.index);
    this.#stepped.delete(process.index);
    if (!process.isStartCut || process.diesInStart) this.executor.effective(process.killedBy);
    process.stop();
    this.recorder.crashed(process.node);
    if (process.downUs < 0) return;
    const atUs = this.scheduler.nowUs + process.downUs;
    this.scheduler.add(atUs, eventKind.restart, process.index, process.life);
  }

  #stoppedItself(node: NodeId): void {
    const process = this.processes[node - 1]!;
    const word = this.chance.word(this.scheduler.nowUs, node, 22);
    process.downUs = within(word, supervisorUs.min, supervisorUs.max);
    process.killedBy = -1;
    this.scheduler.add(this.scheduler.nowUs, eventKind.kill, process.index, process.life);
  }

  #foldNode(node: number): void {
    const { program } = this.processes[node]!;
    if (program === null) return;
    const { hash } = this.recorder.digest;
    for (const state of program.states()) {
      const [a, b] = digestOf(state);
      hash.word(a);
      hash.word(b);
    }
  }

  /** Somebody sees to it that the node has whole replicas again. Where there is a map, it knows which. */
  #sendPeople(node: number, groups: readonly number[], fault: number): void {
    if (this.resolved.map !== null) return this.people.renew(node, fault);
    for (const group of groups) this.people.rejoin(node, group, fault);
  }

  /** Groups in whose newest configuration the node has a member. */
  #groupsOf(node: NodeId): number[] {
    return [...this.resolved.groups.keys()].filter((group) => {
      const configuration = this.survey.newest(group);
      if (configuration === null) return false;
      const { voters, outgoing, learners } = configuration;
      return [...voters, ...outgoing, ...learners].some((member) => member.node === node);
    });
  }

  #newProcess(node: NodeId): SimProcess {
    const { scheduler } = this;
    const index = node - 1;
    const { decisions, keepUndo } = this.#setup;
    const word = this.timing.word(0, node, 41);
    const process = new SimProcess({
      node,
      makeClock: (wish) =>
        new SimClock(
          () => scheduler.nowUs,
          { monotonicUs: 0, wallUs: wallStartUs + (word % 2_000_000) - 1_000_000 },
          wish,
        ),
      disk: new SimDisk(index, {
        scheduler,
        timing: new KeyedStream(this.seed, "disk"),
        decisions,
        keepUndo,
        watch: {
          truth: (at, op) => this.recorder.durable(nodeId(at + 1), op),
          effective: (fault) => this.executor.effective(fault),
          mayLose: (at) => this.executor.mayLose(at),
          lost: (at) => this.lost(at),
        },
      }),
      hsm: new SimHsm({
        node,
        seed: this.seed,
        scheduler,
        timing: new KeyedStream(this.seed, "hsm"),
        effective: (fault) => this.executor.effective(fault),
      }),
      scheduler,
      timing: this.timing,
      network: this.network,
      wrote: (at, file, bytes) => this.recorder.wrote(at, file, bytes),
      died: (dead) => this.#die(dead),
      effective: (fault) => this.executor.effective(fault),
    });
    process.diskId = diskIdOf(index, 0);
    return process;
  }
}

/** Never used twice in a cluster. */
export function diskIdOf(node: number, wipes: number): number {
  return (node + 1) * 1_000 + wipes;
}
