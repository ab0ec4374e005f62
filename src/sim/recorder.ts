/**
 * Sees all that hosts let themselves be seen doing, and makes of it the digest (always), the calls
 * of the oracles, and the trace (when asked for). Changes nothing.
 */
import type { ConsensusEvent, RecoveredReplica } from "../core/consensus.js";
import type { Entry } from "../core/entry.js";
import type { Boot, GroupId, Incarnation, Index, NodeId, RequestId } from "../core/ids.js";
import type { HostObserver, PersistRecord } from "../core/node/observer.js";
import type { Json } from "../core/plain.js";
import type { RaftMessage } from "../core/raft/messages.js";
import type { Bound, RaftView } from "../core/raft/view.js";
import type { ReplicatedStore } from "../core/store/replicated-store.js";
import type { Attempt, Operation } from "../lab/operation.js";
import type { Oracle, OracleSpec, Violation } from "../lab/oracle.js";
import type { Fault } from "../lab/fault.js";
import type { Failure } from "../lab/run-result.js";
import { TraceRecorder, type TraceSink } from "../lab/trace-recorder.js";
import type { KeyWatch } from "./keys/sim-vault.js";
import { RunDigest } from "./run-digest.js";
import { Shown } from "./shown.js";
import { standingKey } from "./standing-key.js";

/** What the recorder asks of the world. */
export interface RecordedWorld {
  /** Whether the cluster has a map. */
  readonly mapped: boolean;
  nowUs(): number;
  /** The node's own clock. */
  localUs(node: NodeId): number;
  /** False once the process has died in mid-turn: what its program still does never happened. */
  lives(node: NodeId): boolean;
  boot(node: NodeId): number;
  /** What the node's clocks are off by, and how fast they run. */
  clock(node: NodeId): { readonly wallOffsetUs: number; readonly driftPpm: number };
  /** Identity of the disk in the node. */
  disk(node: NodeId): number;
  /** Counts the node's starts and stops. */
  life(node: NodeId): number;
  /** Queues of the node's program and their limits, and those of what serves `group`. */
  bounds(node: NodeId, group: GroupId): readonly Bound[];
}

/** Where a replica stands, as far as it has shown, also after its process died. */
export interface Standing {
  readonly view: RaftView;
  readonly node: NodeId;
  /** The life of the process that showed it. */
  readonly life: number;
  readonly shown: Shown;
}

/** Up to where a replica has applied its log, and the digest of the state there. */
export interface AppliedState {
  readonly index: number;
  readonly digest: readonly [number, number];
}

/** More operations than a process comes to within a run. */
const operationsPerLife = 0x1_0000_0000;

export class Recorder implements HostObserver {
  readonly digest: RunDigest = new RunDigest();
  /** Inputs handled by nodes: messages, timers, completions of the disk, clients' requests. */
  steps = 0;
  leaderChanges = 0;
  failure: Failure | null = null;
  undecided: string | null = null;
  /** With the step after this one the run is over. */
  stepsMax: number = Infinity;
  /** True from then on: a turn may go on, but nothing of the rest is seen. */
  over = false;
  /** The newest of each group on each node. */
  readonly standings: Map<number, Standing> = new Map();
  readonly appliedStates: Map<number, AppliedState> = new Map();
  /** Of replicas beside which a newer one sleeps. */
  readonly #outdated = new Map<number, Standing>();
  /** Hears of every node that stopped itself. */
  onStopped: (node: NodeId, reason: string) => void = () => {};
  /** Hears of every step, for double runs; null when nobody asks. */
  onStep: ((node: NodeId, view: RaftView | null) => void) | null = null;
  readonly #world: RecordedWorld;
  readonly #trace: TraceRecorder | null;
  readonly #leaderTerms = new Map<number, number>();
  readonly #of: { readonly [K in keyof Oracle]-?: readonly Oracle[] };

  constructor(world: RecordedWorld, specs: readonly OracleSpec[], trace: TraceSink | null) {
    this.#world = world;
    this.#trace = trace === null ? null : new TraceRecorder(world, trace);
    const oracles = specs.map((spec) =>
      spec.make(
        (violation) => this.report(spec.id, violation),
        (reason) => (this.undecided ??= reason),
      ),
    );
    const having = (hook: keyof Oracle): readonly Oracle[] =>
      oracles.filter((oracle) => oracle[hook] !== undefined);
    this.#of = {
      replicaStarted: having("replicaStarted"),
      changed: having("changed"),
      stepped: having("stepped"),
      sized: having("sized"),
      submitted: having("submitted"),
      durable: having("durable"),
      released: having("released"),
      wrote: having("wrote"),
      keyHeld: having("keyHeld"),
      keyDropped: having("keyDropped"),
      sealed: having("sealed"),
      erased: having("erased"),
      scanned: having("scanned"),
      applied: having("applied"),
      restored: having("restored"),
      crashed: having("crashed"),
      diskLost: having("diskLost"),
      diskDamaged: having("diskDamaged"),
      stopped: having("stopped"),
      founded: having("founded"),
      invoked: having("invoked"),
      completed: having("completed"),
      finished: having("finished"),
    };
  }

  /** The first violation is the run's. */
  report(property: string, violation: Violation): void {
    if (this.failure !== null || this.over) return;
    const { message, shape, node, group } = violation;
    const fingerprint = `${property}: ${shape}`;
    const at = { step: this.steps, atUs: this.#world.nowUs(), node, group };
    this.failure = { property, fingerprint, message, ...at };
    this.#trace?.violated(node, group, property, message);
  }

  stepped(node: NodeId, kind: string, word: number, view: RaftView | null): void {
    if (!this.#hears(node)) return;
    const counts = !consequences.has(kind);
    if (counts) {
      this.over = this.steps === this.stepsMax;
      if (this.over) return;
      this.steps++;
    }
    const nowUs = this.#world.nowUs();
    this.digest.step(node, kind, word, nowUs);
    this.#trace?.stepped(node, kind, word, view);
    if (view !== null) {
      const standing = this.#standing(node, view);
      if (view.role === "leader") this.#led(view);
      if (standing.shown.changes(view)) {
        for (const oracle of this.#of.changed) oracle.changed!(node, view);
      }
      const localUs = this.#world.localUs(node);
      for (const oracle of this.#of.stepped) oracle.stepped!(node, view, nowUs, localUs);
    }
    if (counts && this.steps % sizedEvery === 0) this.#size(node, view?.group ?? (0 as GroupId));
    if (this.onStep !== null) this.onStep(node, view);
  }

  replicaStarted(node: NodeId, boot: Boot, view: RaftView, recovered: RecoveredReplica): void {
    if (!this.#hears(node)) return;
    this.digest.fold(101, node, view.group, recovered.entries.length);
    this.#standing(node, view);
    if (this.#stands(node, view)) this.appliedStates.delete(standingKey(view.group, node));
    this.#trace?.recovered(node, view);
    for (const oracle of this.#of.replicaStarted) {
      oracle.replicaStarted!(node, boot, view, recovered);
    }
  }

  batchSubmitted(node: NodeId, syncOp: number, persists: readonly PersistRecord[]): void {
    // Also of a process that died between the write and its sync: the disk may hold it all the same.
    const batch = this.#batch(node, syncOp);
    for (const oracle of this.#of.submitted) oracle.submitted!(node, batch, persists);
    if (!this.#hears(node)) return;
    this.digest.fold(102, node, syncOp, persists.length);
    for (const persist of persists) this.digest.persist(persist);
    this.#trace?.submitted(node, syncOp, persists);
  }

  /** The disk truly holds what the sync `op` covers. */
  durable(node: NodeId, op: number): void {
    this.digest.fold(108, node, op, 0);
    this.#trace?.durable(node, op);
    const batch = this.#batch(node, op);
    for (const oracle of this.#of.durable) oracle.durable!(node, batch);
  }

  /** Each process counts its operations anew: a sync of this life is not that of a batch before it. */
  #batch(node: NodeId, op: number): number {
    return this.#world.life(node) * operationsPerLife + op;
  }

  messageReleased(node: NodeId, to: NodeId, message: RaftMessage, frame: Uint8Array): void {
    if (!this.#hears(node)) return;
    this.frameReleased(node, to, frame);
    this.#trace?.released(node, to, message, frame);
    for (const oracle of this.#of.released) oracle.released!(node, to, message, frame);
  }

  /** Hears of data keys and seals of a node. */
  keysOf(node: NodeId): KeyWatch {
    return {
      keyHeld: (id, key) => {
        for (const oracle of this.#of.keyHeld) oracle.keyHeld!(node, id, key);
      },
      keyDropped: (id) => {
        for (const oracle of this.#of.keyDropped) oracle.keyDropped!(node, id);
      },
      sealed: (id, nonce, associatedData) => {
        for (const oracle of this.#of.sealed) oracle.sealed!(id, nonce, associatedData);
      },
    };
  }

  wrote(node: NodeId, file: string, bytes: Uint8Array): void {
    for (const oracle of this.#of.wrote) oracle.wrote!(node, file, bytes);
  }

  keysErased(node: NodeId, group: GroupId, ids: readonly string[]): void {
    if (!this.#hears(node)) return;
    this.digest.fold(110, node, group, ids.length);
    for (const id of ids) for (const oracle of this.#of.erased) oracle.erased!(node, id);
  }

  /** After the end: what the disks hold. */
  scanned(node: NodeId, file: string, bytes: Uint8Array): void {
    for (const oracle of this.#of.scanned) oracle.scanned!(node, file, bytes);
  }

  frameReleased(node: NodeId, to: NodeId, frame: Uint8Array): void {
    this.digest.frame(node, to, frame);
  }

  applied(
    node: NodeId,
    view: RaftView,
    entries: readonly Entry[],
    digest: readonly [number, number],
  ): void {
    if (!this.#hears(node)) return;
    this.digest.fold(104, node, view.group, digest[0] ^ digest[1]);
    const last = entries.at(-1);
    if (last !== undefined) {
      this.#inState(node, view, last.index, digest);
      const range = { from: entries[0]!.index, to: last.index };
      this.#trace?.applied(node, view.group, range, digest);
    }
    for (const oracle of this.#of.applied) oracle.applied!(node, view, entries, digest);
  }

  controlApplied(
    node: NodeId,
    view: RaftView,
    entry: Entry,
    answer: Uint8Array | null,
    store: ReplicatedStore,
  ): void {
    if (this.#hears(node)) this.#trace?.controlApplied(node, view, entry, answer, store);
  }

  restored(node: NodeId, view: RaftView, index: Index, digest: readonly [number, number]): void {
    if (!this.#hears(node)) return;
    this.digest.fold(105, node, index, digest[0] ^ digest[1]);
    this.#inState(node, view, index, digest);
    this.#trace?.restored(node, view.group, index, digest);
    for (const oracle of this.#of.restored) oracle.restored!(node, view, index, digest);
  }

  answered(node: NodeId, request: RequestId, bytes: Uint8Array): void {
    if (!this.#hears(node)) return;
    this.digest.fold(106, node, request, bytes.length);
    this.digest.hash.bytes(bytes);
    this.#trace?.answered(node, request, bytes);
  }

  event(node: NodeId, group: GroupId, event: ConsensusEvent): void {
    if (this.#hears(node)) this.#trace?.event(node, group, event);
  }

  /** An event of a machine of the user's own. */
  machineEvent(node: NodeId, name: string, data: Json): void {
    if (this.#hears(node)) this.#trace?.said(node, 0, name, data);
  }

  stopped(node: NodeId, reason: string): void {
    if (!this.#hears(node)) return;
    this.digest.hash.text(reason);
    this.#trace?.stopped(node, reason);
    for (const oracle of this.#of.stopped) oracle.stopped!(node, reason);
    this.onStopped(node, reason);
  }

  /** The process is gone, and with it what it showed. */
  crashed(node: NodeId): void {
    this.digest.fold(107, node, 0, 0);
    this.#trace?.crashed(node);
    for (const oracle of this.#of.crashed) oracle.crashed!(node);
  }

  diskLost(node: NodeId): void {
    for (const oracle of this.#of.diskLost) oracle.diskLost!(node);
  }

  diskDamaged(node: NodeId): void {
    for (const oracle of this.#of.diskDamaged) oracle.diskDamaged!(node);
  }

  founded(group: GroupId, incarnation: Incarnation, nodes: readonly NodeId[]): void {
    for (const oracle of this.#of.founded) oracle.founded!(group, incarnation, nodes);
  }

  invoked(operation: Operation): void {
    const nowUs = this.#world.nowUs();
    this.#trace?.invoked(operation);
    for (const oracle of this.#of.invoked) oracle.invoked!(operation, nowUs);
  }

  /** In a cluster with a map: a client asks a group for an operation, and hears from it. */
  asked(operation: Operation, attempt: Attempt): void {
    this.#trace?.asked(operation, attempt);
  }

  heard(operation: Operation, attempt: Attempt, bytes: Uint8Array): void {
    this.#trace?.heard(operation, attempt, bytes);
  }

  completed(operation: Operation): void {
    const nowUs = this.#world.nowUs();
    this.#trace?.completed(operation);
    for (const oracle of this.#of.completed) oracle.completed!(operation, nowUs);
  }

  finished(operations: readonly Operation[]): void {
    for (const oracle of this.#of.finished) {
      if (this.failure === null) oracle.finished!(operations);
    }
  }

  /** A fault begins or ends. */
  fault(fault: Fault, active: boolean): void {
    this.#trace?.fault(fault, active);
  }

  /** The world goes on to its next phase. */
  phase(stage: string, core: readonly number[]): void {
    this.#trace?.said(0, 0, "phase", { stage, core: core.map((node) => node + 1) });
  }

  /** False for what a process does beyond its death or the end of the run. */
  #hears(node: NodeId): boolean {
    return !this.over && this.#world.lives(node);
  }

  /** Looks at a node's queues now and then: what leaks is there at the next look too. */
  #size(node: NodeId, group: GroupId): void {
    const { sized } = this.#of;
    if (sized.length === 0) return;
    const bounds = this.#world.bounds(node, group);
    for (const oracle of sized) oracle.sized!(node, group, bounds);
  }

  /**
   * Two replicas of a group may share a node, one on its way out: the one that is alive counts. Who
   * sleeps is alive and says nothing, whatever one of before goes on saying; and the group's present
   * life counts, whatever is left of an earlier one.
   */
  #standing(node: NodeId, view: RaftView): Standing {
    const key = standingKey(view.group, node);
    const standing = this.standings.get(key);
    if (standing?.view === view) return standing;
    const stays =
      standing !== undefined &&
      standing.life === this.#world.life(node) &&
      (standing.view.incarnation > view.incarnation ||
        (standing.view.asleep && standing.view.replica > view.replica));
    if (!stays) return this.#stand(node, view);
    const before = this.#outdated.get(key);
    if (before?.view === view) return before;
    const outdated = this.#newStanding(node, view);
    this.#outdated.set(key, outdated);
    return outdated;
  }

  /** Whether it is the one that counts. */
  #stands(node: NodeId, view: RaftView): boolean {
    return this.standings.get(standingKey(view.group, node))?.view === view;
  }

  #inState(node: NodeId, view: RaftView, index: Index, digest: readonly [number, number]): void {
    if (!this.#stands(node, view)) return;
    this.appliedStates.set(standingKey(view.group, node), { index, digest });
  }

  #stand(node: NodeId, view: RaftView): Standing {
    const standing = this.#newStanding(node, view);
    this.standings.set(standingKey(view.group, node), standing);
    return standing;
  }

  #newStanding(node: NodeId, view: RaftView): Standing {
    return { view, node, life: this.#world.life(node), shown: new Shown() };
  }

  #led(view: RaftView): void {
    const term = this.#leaderTerms.get(view.group);
    if (term !== undefined && term >= view.term) return;
    this.#leaderTerms.set(view.group, view.term);
    this.leaderChanges++;
  }
}

/** What a host tells its machines because of an input that counts already. */
const consequences: ReadonlySet<string> = new Set([
  "woken",
  "recovered",
  "persisted",
  "persistFailed",
  "applied",
  "logRead",
  "snapshotTaken",
  "chunkRead",
  "chunkWritten",
  "restored",
]);

/** Steps of all nodes between two looks at the queues of the one that steps then. */
const sizedEvery = 64;
