/** A few replicas, a network and disks in memory: deterministic, and every step is checked. */
import { identitySealer } from "../../../src/core/keys/sealing.js";
import { crc32 } from "../../../src/core/crc32.js";
import type {
  ConsensusEffect,
  ConsensusResult,
  MemberChange,
  RecoveredReplica,
  Sealer,
} from "../../../src/core/consensus.js";
import { type Entry, type SnapshotMeta, entryType } from "../../../src/core/entry.js";
import type {
  Boot,
  GroupId,
  Incarnation,
  Index,
  NodeId,
  ReplicaId,
} from "../../../src/core/ids.js";
import type { RequestId, Term, Token } from "../../../src/core/ids.js";
import { encodeConfiguration } from "../../../src/core/raft/configuration-codec.js";
import { firstConfiguration } from "../../../src/core/raft/configuration-change.js";
import type { RaftMessage } from "../../../src/core/raft/messages.js";
import { type RaftOptions, raftDefaults } from "../../../src/core/raft/options.js";
import { Raft, type RaftConfig, type RaftInput } from "../../../src/core/raft/raft.js";
import { Checker } from "./checker.js";
import { CountedMarks } from "../counted-marks.js";
import { type Disk, type Persist, meta, writeTo } from "./memory-disk.js";

type Effect = ConsensusEffect<RaftMessage>;
type Said = Extract<Effect, { kind: "send" | "answer" | "readReady" }>;

export const openSealer: Sealer = identitySealer;

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export interface ClusterOptions {
  readonly size: number;
  readonly raft?: Partial<RaftOptions>;
  readonly latencyUs?: number;
  readonly diskUs?: number;
  readonly seed?: number;
}

/** The first members: replica n lives on node n. Who joins later gets its id from the leader. */
export class Cluster {
  nowUs = 0;
  readonly nodes = new Map<number, TestNode>();
  readonly marks = new CountedMarks();
  readonly checker = new Checker();
  readonly options: RaftOptions;
  readonly latencyUs: number;
  readonly diskUs: number;
  readonly seed: number;
  readonly founding: Uint8Array;
  /** Every message that left a node. */
  readonly sent: { from: number; to: number; message: RaftMessage }[] = [];
  /** False: the message is lost. */
  /** What a replica goes on as after each of its steps. */
  goesOnAs: (raft: Raft, config: RaftConfig) => Raft = (raft) => raft;
  deliver: (from: number, to: number, message: RaftMessage) => boolean = () => true;
  /** Added to the latency of a message. */
  delay: (from: number, to: number, message: RaftMessage) => number = () => 0;
  #events: Event[] = [];
  #order = 0;

  constructor(options: ClusterOptions) {
    this.options = { ...raftDefaults, sleepAfterUs: 0, ...options.raft };
    this.latencyUs = options.latencyUs ?? 1_000;
    this.diskUs = options.diskUs ?? 500;
    this.seed = options.seed ?? 1;
    const places = Array.from({ length: options.size }, (_, at) => ({
      node: (at + 1) as NodeId,
      disk: 1,
    }));
    const first = firstConfiguration(places);
    if ("refused" in first) throw new Error(first.refused);
    this.founding = encodeConfiguration(first.ok);
    for (const { node } of places) {
      const founder = new TestNode(this, node, this.founding);
      this.nodes.set(node, founder);
      founder.start(node);
    }
  }

  /** A node that waits: its replica comes to life with the first message that is sent to it. */
  add(number: number): TestNode {
    const node = new TestNode(this, number, new Uint8Array(0));
    this.nodes.set(number, node);
    return node;
  }

  node(number: number): TestNode {
    return this.nodes.get(number)!;
  }

  after(delayUs: number, run: () => void): void {
    const event = { at: this.nowUs + delayUs, order: this.#order++, run };
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#events[middle]!;
      if (other.at < event.at || (other.at === event.at && other.order < event.order)) {
        low = middle + 1;
      } else high = middle;
    }
    this.#events.splice(low, 0, event);
  }

  run(forUs: number): void {
    const untilUs = this.nowUs + forUs;
    while (this.#events.length > 0 && this.#events[0]!.at <= untilUs) {
      const event = this.#events.shift()!;
      this.nowUs = event.at;
      event.run();
    }
    this.nowUs = untilUs;
  }

  /** Runs until `done`, at most `forUs`; gives whether it was. */
  runUntil(done: () => boolean, forUs = 20_000_000): boolean {
    const untilUs = this.nowUs + forUs;
    while (!done()) {
      const next = this.#events[0];
      if (next === undefined || next.at > untilUs) return false;
      this.#events.shift();
      this.nowUs = next.at;
      next.run();
    }
    return true;
  }

  /** The leader of the highest term, if a leader stands. */
  get leader(): TestNode | undefined {
    let best: TestNode | undefined;
    for (const node of this.nodes.values()) {
      if (!node.alive || node.raft.view.role !== "leader") continue;
      if (best === undefined || node.raft.view.term > best.raft.view.term) best = node;
    }
    return best;
  }

  elect(): TestNode {
    const settled = (): boolean => {
      const { leader } = this;
      return leader !== undefined && leader.raft.view.commit >= leader.raft.state.termStart;
    };
    if (!this.runUntil(settled)) throw new Error("no leader came");
    return this.leader!;
  }

  transmit(from: number, to: number, message: RaftMessage): void {
    this.sent.push({ from, to, message });
    if (!this.deliver(from, to, message)) return;
    this.after(this.latencyUs + this.delay(from, to, message), () => {
      const node = this.nodes.get(to);
      if (node?.replica === 0) node.start(message.to);
      if (node?.alive) node.input({ kind: "message", from: from as NodeId, message });
    });
  }

  /** Cuts these nodes off from all others. */
  isolate(...nodes: number[]): void {
    this.deliver = (from, to) => nodes.includes(from) === nodes.includes(to);
  }

  heal(): void {
    this.deliver = () => true;
  }
}

export class TestNode {
  readonly cluster: Cluster;
  readonly node: number;
  /** 0 until it is a member. */
  replica = 0;
  readonly disk: Disk;
  raft!: Raft;
  alive = false;
  boot = 0;
  /** True: persist effects wait for `finishWrites`. */
  holdDisk = false;
  /** True: what carries entries is refused for lack of room. */
  full = false;
  /** Bytes of all data entries applied, in order. */
  applied: number[] = [];
  readonly answers = new Map<number, ConsensusResult>();
  readonly reads = new Map<number, number>();
  /** What was committed anywhere when a read began: it must see at least that. */
  readonly #readFloors = new Map<number, number>();
  readonly events: string[] = [];
  effects: Effect[] = [];
  #request = 1;
  #pending: Persist[] = [];
  #held: Said[] = [];
  #durable = 0;
  #wakeAt = Infinity;
  #receiving: number[] = [];

  constructor(cluster: Cluster, node: number, configuration: Uint8Array) {
    this.cluster = cluster;
    this.node = node;
    const files = new Map([[0, new Uint8Array(0)]]);
    const snapshot = meta(0, 0, configuration, files.get(0)!);
    this.disk = { term: 0, vote: 0, commit: 0, snapshot, entries: [], files, damagedThrough: 0 };
  }

  start(replica: number = this.replica): void {
    if (replica === 0) return;
    this.replica = replica;
    this.boot++;
    this.alive = true;
    this.#pending = [];
    this.#held = [];
    this.#durable = 0;
    this.#wakeAt = Infinity;
    this.#receiving = [];
    this.raft = new Raft(this.#config());
    const { disk } = this;
    this.applied = [...disk.files.get(disk.snapshot.index)!];
    const recovered: RecoveredReplica = {
      hardState: { term: disk.term as Term, vote: disk.vote, commit: disk.commit as Index },
      snapshot: disk.snapshot,
      entries: disk.entries.slice(),
      damagedThrough: disk.damagedThrough as Index,
    };
    this.input({ kind: "recovered", replica: recovered });
    // As its node does in its turn.
    if (this.raft.view.asleep) this.cluster.after(2_000, () => this.input({ kind: "wake" }));
  }

  #config(): RaftConfig {
    return {
      group: 1 as GroupId,
      incarnation: 1 as Incarnation,
      replica: this.replica as ReplicaId,
      node: this.node as NodeId,
      boot: this.boot as Boot,
      options: this.cluster.options,
      seed: [this.cluster.seed, this.node, this.boot, 7],
      sealer: openSealer,
      marks: this.cluster.marks,
    };
  }

  /** Loses what is not synced, but for the first `kept` writes under way. */
  crash(kept = 0): void {
    for (const persist of this.#pending.slice(0, kept)) writeTo(this.disk, persist);
    this.cluster.checker.crashed(this.replica);
    this.alive = false;
  }

  /** Rot of synced entries from `from` on, found when it starts again. */
  damage(from: number): void {
    const { disk } = this;
    const last = disk.snapshot.index + disk.entries.length;
    if (from > last) return;
    disk.damagedThrough = Math.max(disk.damagedThrough, last);
    disk.entries.length = Math.max(0, from - disk.snapshot.index - 1);
  }

  input(input: RaftInput): void {
    if (!this.alive) return;
    const out: Effect[] = [];
    this.raft.step(this.cluster.nowUs, input, out);
    this.raft = this.cluster.goesOnAs(this.raft, this.#config());
    this.cluster.checker.stepped(this.raft.view, this.cluster.nowUs);
    this.effects = out;
    for (const effect of out) this.#perform(effect);
  }

  propose(byte: number): number {
    const request = this.#request++;
    const entry = { type: entryType.data, payload: Uint8Array.of(byte) };
    this.input({ kind: "propose", request: request as RequestId, ...entry });
    return request;
  }

  read(mode: "index" | "lease"): number {
    const request = this.#request++;
    this.#readFloors.set(request, this.cluster.checker.chosenMax);
    this.input({ kind: "read", request: request as RequestId, mode });
    return request;
  }

  change(...changes: MemberChange[]): number {
    const request = this.#request++;
    this.input({ kind: "change", request: request as RequestId, changes });
    return request;
  }

  transfer(to: number): number {
    const request = this.#request++;
    this.input({ kind: "transfer", request: request as RequestId, to: to as ReplicaId });
    return request;
  }

  /** How a request ended: "committed", or a reason, or undefined while it is open. */
  ended(request: number): string | undefined {
    const result = this.answers.get(request);
    return result?.kind === "refused" ? result.reason : result?.kind;
  }

  finishWrites(): void {
    this.holdDisk = false;
    const pending = this.#pending.splice(0);
    if (pending.length === 0) return;
    for (const persist of pending) writeTo(this.disk, persist);
    this.#persisted(pending.at(-1)!.token);
  }

  #persisted(token: Token): void {
    this.#durable = Math.max(this.#durable, token);
    const ready = this.#held.filter((said) => said.after <= this.#durable);
    this.#held = this.#held.filter((said) => said.after > this.#durable);
    this.input({ kind: "persisted", token });
    for (const said of ready) this.#say(said);
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case "send":
      case "answer":
      case "readReady":
        if (effect.after > this.#durable) this.#held.push(effect);
        else this.#say(effect);
        return;
      case "persist":
        this.#persist(effect);
        return;
      case "wakeAt":
        this.#wake(effect.at);
        return;
      case "event":
        this.events.push(effect.event.name);
        return;
      default:
        // Whatever the host answers is a later input.
        this.#later(() => this.#serve(effect));
    }
  }

  #say(said: Said): void {
    if (said.kind === "send") this.cluster.transmit(this.node, said.to, said.message);
    else if (said.kind === "answer") this.answers.set(said.request, said.result);
    else {
      const floor = this.#readFloors.get(said.request)!;
      if (said.index < floor) throw new Error(`stale read: at ${said.index}, not ${floor}`);
      this.reads.set(said.request, said.index);
    }
  }

  #persist(persist: Persist): void {
    this.#pending.push(persist);
    if (this.holdDisk) return;
    const { boot } = this;
    this.cluster.after(this.cluster.diskUs, () => {
      if (this.boot !== boot || !this.alive || this.holdDisk) return;
      const at = this.#pending.indexOf(persist);
      if (at < 0) return;
      if (this.full && persist.entries.length > 0) {
        const failed = this.#pending.splice(at);
        this.#held = this.#held.filter((said) => said.after < failed[0]!.token);
        this.input({ kind: "persistFailed", token: persist.token });
        return;
      }
      for (const done of this.#pending.splice(0, at + 1)) writeTo(this.disk, done);
      this.#persisted(persist.token);
    });
  }

  #wake(at: number): void {
    this.#wakeAt = at;
    if (at === Infinity) return;
    const { boot } = this;
    this.cluster.after(Math.max(0, at - this.cluster.nowUs), () => {
      if (this.boot !== boot || !this.alive || this.#wakeAt !== at) return;
      this.#wakeAt = Infinity;
      this.input({ kind: "timer" });
    });
  }

  #later(run: () => void): void {
    const { boot } = this;
    this.cluster.after(0, () => {
      if (this.boot === boot && this.alive) run();
    });
  }

  #serve(effect: Exclude<Effect, Said | Persist | { kind: "wakeAt" | "event" }>): void {
    const { disk } = this;
    switch (effect.kind) {
      case "apply":
        for (const entry of effect.entries) {
          this.cluster.checker.applied(this.replica, entry);
          if (entry.type === entryType.data) this.applied.push(...entry.payload);
        }
        this.input({ kind: "applied", index: effect.entries.at(-1)!.index });
        return;
      case "readLog": {
        const base = disk.snapshot.index;
        const entries = [...disk.entries, ...this.#kept].filter(
          (entry) => entry.index >= effect.from && entry.index < effect.to,
        );
        entries.sort((a, b) => a.index - b.index);
        const whole = effect.from > base ? entries : entries.length > 0 ? entries : null;
        this.input({ kind: "logRead", request: effect.request, entries: whole });
        return;
      }
      case "takeSnapshot": {
        const bytes = Uint8Array.from(this.applied);
        const snapshot = meta(effect.index, effect.term, effect.configuration, bytes);
        disk.files.set(effect.index, bytes);
        // Entries before it stay readable, as in a log that keeps trailing ones.
        this.#kept.push(...disk.entries.filter((entry) => entry.index <= effect.index));
        disk.entries = disk.entries.filter((entry) => entry.index > effect.index);
        disk.snapshot = snapshot;
        this.input({ kind: "snapshotTaken", request: effect.request, snapshot });
        return;
      }
      case "readChunk": {
        const file = disk.files.get(effect.snapshot.index);
        const bytes = file?.slice(effect.offset, effect.offset + effect.bytesMax) ?? null;
        this.input({ kind: "chunkRead", request: effect.request, bytes });
        return;
      }
      case "writeChunk":
        if (effect.offset === 0) this.#receiving = [];
        this.#receiving.push(...effect.bytes);
        this.input({ kind: "chunkWritten", request: effect.request, ok: true });
        return;
      case "restore":
        this.#restore(effect.request, effect.snapshot);
        return;
      case "compact":
        return;
      default:
        throw new Error(`Raft never asks to ${effect.kind}`);
    }
  }

  readonly #kept: Entry[] = [];

  #restore(request: RequestId, snapshot: SnapshotMeta): void {
    const bytes = Uint8Array.from(this.#receiving);
    if (crc32(bytes) !== snapshot.checksum) {
      this.input({ kind: "restored", request, snapshot: null });
      return;
    }
    this.disk.files.set(snapshot.index, bytes);
    this.applied = [...bytes];
    this.input({ kind: "restored", request, snapshot });
  }
}
