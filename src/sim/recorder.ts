/**
 * Sees all that hosts let themselves be seen doing, and makes of it the digest (always), the calls
 * of the oracles, and the trace (when asked for). Changes nothing.
 */
import { getU32 } from "../core/bytes.js";
import type { ConsensusEvent, RecoveredReplica } from "../core/consensus.js";
import type { Entry } from "../core/entry.js";
import { RollingHash } from "../core/hash.js";
import type { Boot, GroupId, Incarnation, Index, NodeId, RequestId } from "../core/ids.js";
import type { HostObserver, PersistRecord } from "../core/node/observer.js";
import type { Json } from "../core/plain.js";
import type { RaftMessage } from "../core/raft/messages.js";
import type { RaftView } from "../core/raft/view.js";
import type { Operation } from "../lab/operation.js";
import type { Oracle, OracleSpec, Violation } from "../lab/oracle.js";
import type { Failure } from "../lab/run-result.js";

/** What the recorder asks of the world. */
export interface RecordedWorld {
  nowUs(): number;
  /** The node's own clock. */
  localUs(node: NodeId): number;
  /** False once the process has died in mid-turn: what its program still does never happened. */
  lives(node: NodeId): boolean;
  boot(node: NodeId): number;
  /** Counts the node's starts and stops. */
  life(node: NodeId): number;
}

/** A line of the trace; see CONTRACTS 8. */
export interface TraceEvent {
  readonly t: number;
  readonly at: number;
  readonly node: number;
  readonly boot: number;
  readonly seq: number;
  readonly group: number;
  readonly kind: string;
  readonly data: Json;
}

export type TraceSink = (event: TraceEvent) => void;

/** Where a replica stands, as far as it has shown, also after its process died. */
export interface Standing {
  readonly view: RaftView;
  readonly node: NodeId;
  /** The life of the process that showed it. */
  readonly life: number;
}

/** Up to where a replica has applied its log, and the digest of the state there. */
export interface AppliedState {
  readonly index: number;
  readonly digest: readonly [number, number];
}

export class Recorder implements HostObserver {
  readonly hash: RollingHash = new RollingHash();
  /** Inputs handled by nodes. */
  steps = 0;
  leaderChanges = 0;
  failure: Failure | null = null;
  undecided: string | null = null;
  /** The newest of each group on each node. */
  readonly standings: Map<number, Standing> = new Map();
  readonly appliedStates: Map<number, AppliedState> = new Map();
  /** Hears of every node that stopped itself. */
  onStopped: (node: NodeId, reason: string) => void = () => {};
  /** Hears of every step, for double runs; null when nobody asks. */
  onStep: ((node: NodeId) => void) | null = null;
  readonly #world: RecordedWorld;
  readonly #trace: TraceSink | null;
  readonly #sequences = new Map<number, number>();
  readonly #kinds = new Map<string, number>();
  readonly #leaderTerms = new Map<number, number>();
  readonly #of: { readonly [K in keyof Oracle]-?: readonly Oracle[] };

  constructor(world: RecordedWorld, specs: readonly OracleSpec[], trace: TraceSink | null) {
    this.#world = world;
    this.#trace = trace;
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
      stepped: having("stepped"),
      submitted: having("submitted"),
      durable: having("durable"),
      released: having("released"),
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
    if (this.failure !== null) return;
    const { message, shape, node, group } = violation;
    const fingerprint = `${property}: ${shape}`;
    const at = { step: this.steps, atUs: this.#world.nowUs(), node, group };
    this.failure = { property, fingerprint, message, ...at };
    this.#write(node as NodeId, group, "violation", { property, message });
  }

  stepped(node: NodeId, kind: string, word: number, view: RaftView | null): void {
    if (!this.#world.lives(node)) return;
    this.steps++;
    const nowUs = this.#world.nowUs();
    const { hash } = this;
    hash.word((this.#kindNumber(kind) << 8) | node);
    hash.word(word);
    hash.word(nowUs);
    if (view !== null) {
      if (this.standings.get(standingKey(view.group, node))?.view !== view) this.#stand(node, view);
      if (view.role === "leader") this.#led(view);
      const localUs = this.#world.localUs(node);
      for (const oracle of this.#of.stepped) oracle.stepped!(node, view, nowUs, localUs);
    }
    if (this.onStep !== null) this.onStep(node);
    if (this.#trace !== null) this.#write(node, view?.group ?? 0, kind, stateOf(view));
  }

  replicaStarted(node: NodeId, boot: Boot, view: RaftView, recovered: RecoveredReplica): void {
    if (!this.#world.lives(node)) return;
    this.#fold(101, node, view.group, recovered.entries.length);
    this.#stand(node, view);
    this.appliedStates.delete(standingKey(view.group, node));
    for (const oracle of this.#of.replicaStarted) {
      oracle.replicaStarted!(node, boot, view, recovered);
    }
    if (this.#trace !== null) this.#write(node, view.group, "replicaStarted", stateOf(view));
  }

  batchSubmitted(node: NodeId, syncOp: number, persists: readonly PersistRecord[]): void {
    if (!this.#world.lives(node)) return;
    this.#fold(102, node, syncOp, persists.length);
    for (const { group, token, hardState, truncateFrom, entries } of persists) {
      this.hash.word(group);
      this.hash.word(token);
      this.hash.word(hardState === null ? -1 : hardState.term ^ (hardState.vote << 20));
      this.hash.word(truncateFrom ^ (entries.length << 16));
    }
    for (const oracle of this.#of.submitted) oracle.submitted!(node, syncOp, persists);
  }

  /** The disk truly holds what the sync `op` covers. */
  durable(node: NodeId, op: number): void {
    for (const oracle of this.#of.durable) oracle.durable!(node, op);
  }

  messageReleased(node: NodeId, to: NodeId, message: RaftMessage, frame: Uint8Array): void {
    if (!this.#world.lives(node)) return;
    this.frameReleased(node, to, frame);
    for (const oracle of this.#of.released) oracle.released!(node, to, message);
    if (this.#trace !== null) {
      this.#write(node, message.group, "released", {
        to,
        message: message.kind,
        term: message.term,
      });
    }
  }

  /** A frame enters the digest by its checksum, which ends it. */
  frameReleased(node: NodeId, to: NodeId, frame: Uint8Array): void {
    this.hash.word((103 << 16) | (node << 8) | to);
    this.hash.word(frame.length >= 4 ? getU32(frame, frame.length - 4) : 0);
  }

  applied(
    node: NodeId,
    view: RaftView,
    entries: readonly Entry[],
    digest: readonly [number, number],
  ): void {
    if (!this.#world.lives(node)) return;
    this.#fold(104, node, view.group, digest[0] ^ digest[1]);
    const last = entries.at(-1);
    if (last !== undefined) {
      this.appliedStates.set(standingKey(view.group, node), { index: last.index, digest });
    }
    for (const oracle of this.#of.applied) oracle.applied!(node, view, entries, digest);
  }

  restored(node: NodeId, view: RaftView, index: Index, digest: readonly [number, number]): void {
    if (!this.#world.lives(node)) return;
    this.#fold(105, node, index, digest[0] ^ digest[1]);
    this.appliedStates.set(standingKey(view.group, node), { index, digest });
    for (const oracle of this.#of.restored) oracle.restored!(node, view, index, digest);
    if (this.#trace !== null) this.#write(node, view.group, "restored", { index });
  }

  answered(node: NodeId, request: RequestId, bytes: Uint8Array): void {
    if (!this.#world.lives(node)) return;
    this.#fold(106, node, request, bytes.length);
    this.hash.bytes(bytes);
  }

  event(node: NodeId, group: GroupId, event: ConsensusEvent): void {
    if (!this.#world.lives(node) || this.#trace === null) return;
    this.#write(node, group, event.name, { ...event });
  }

  /** An event of a machine of the user's own. */
  machineEvent(node: NodeId, name: string, data: Json): void {
    if (this.#world.lives(node)) this.#write(node, 0, name, data);
  }

  stopped(node: NodeId, reason: string): void {
    if (!this.#world.lives(node)) return;
    this.hash.text(reason);
    for (const oracle of this.#of.stopped) oracle.stopped!(node, reason);
    if (this.#trace !== null) this.#write(node, 0, "stopped", { reason });
    this.onStopped(node, reason);
  }

  /** The process is gone, and with it what it showed. */
  crashed(node: NodeId): void {
    this.#fold(107, node, 0, 0);
    for (const oracle of this.#of.crashed) oracle.crashed!(node);
    if (this.#trace !== null) this.#write(node, 0, "crashed", {});
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
    for (const oracle of this.#of.invoked) oracle.invoked!(operation, nowUs);
    if (this.#trace !== null) this.#writeOperation("invoked", operation);
  }

  completed(operation: Operation): void {
    const nowUs = this.#world.nowUs();
    for (const oracle of this.#of.completed) oracle.completed!(operation, nowUs);
    if (this.#trace !== null) this.#writeOperation("completed", operation);
  }

  finished(operations: readonly Operation[]): void {
    for (const oracle of this.#of.finished) {
      if (this.failure === null) oracle.finished!(operations);
    }
  }

  /** A fault begins or ends. */
  fault(kind: string, data: Json): void {
    if (this.#trace !== null) this.#write(0 as NodeId, 0, kind, data);
  }

  #stand(node: NodeId, view: RaftView): void {
    const life = this.#world.life(node);
    this.standings.set(standingKey(view.group, node), { view, node, life });
  }

  #led(view: RaftView): void {
    const term = this.#leaderTerms.get(view.group);
    if (term !== undefined && term >= view.term) return;
    this.#leaderTerms.set(view.group, view.term);
    this.leaderChanges++;
  }

  #fold(kind: number, node: number, a: number, b: number): void {
    this.hash.word((kind << 8) | node);
    this.hash.word(a);
    this.hash.word(b);
  }

  #kindNumber(kind: string): number {
    let number = this.#kinds.get(kind);
    if (number === undefined) this.#kinds.set(kind, (number = this.#kinds.size));
    return number;
  }

  #writeOperation(kind: string, operation: Operation): void {
    const { planned, outcome, result } = operation;
    this.#write(0 as NodeId, planned.group + 1, kind, {
      operation: planned.id,
      client: planned.client,
      what: planned.kind,
      key: planned.key,
      value: planned.value,
      expected: planned.expected,
      outcome,
      result: result === null ? null : (result as unknown as Json),
    });
  }

  #write(node: NodeId, group: number, kind: string, data: Json): void {
    if (this.#trace === null) return;
    const seq = (this.#sequences.get(node) ?? 0) + 1;
    this.#sequences.set(node, seq);
    this.#trace({
      t: node > 0 ? this.#world.localUs(node) : this.#world.nowUs(),
      at: this.#world.nowUs(),
      node,
      boot: node > 0 ? this.#world.boot(node) : 0,
      seq,
      group,
      kind,
      data,
    });
  }
}

const nodesMax = 256;

/** Key of a standing. */
export function standingKey(group: number, node: number): number {
  return group * nodesMax + node;
}

function stateOf(view: RaftView | null): Json {
  if (view === null) return {};
  const { replica, term, vote, role, commit, first, last } = view;
  return { replica, term, vote, role, commit, first, last };
}
