/**
 * One replica of a group on this node: its Raft, its store, and what waits for either. A step's
 * effects are carried out right after it, in their order; none of them steps anything.
 */
import { shorten } from "../arrays.js";
import { assert, assertNever } from "../assert.js";
import { emptyBytes } from "../bytes.js";
import type { ConsensusResult, RecoveredReplica, Sealer } from "../consensus.js";
import { type Entry, type SnapshotMeta, isControl } from "../entry.js";
import type { Index, RequestId, Token } from "../ids.js";
import { noToken } from "../ids.js";
import type { RaftEffect } from "../raft/core.js";
import type { RaftOptions } from "../raft/options.js";
import { Raft, type RaftInput } from "../raft/raft.js";
import type { Bound } from "../raft/view.js";
import { encodeClientAnswer } from "../store/client-protocol.js";
import type { ReplicatedStore } from "../store/replicated-store.js";
import type { ReplicaKey } from "../wal/log-store.js";
import { type Applier, Applying } from "./applying.js";
import type { Beats, SleepingReplica } from "./beats.js";
import { type NodeContext, seedOf } from "./context.js";
import { HeldBack } from "./held.js";
import type { Later } from "./later.js";
import type { Question, Requests } from "./requests.js";
import type { Sleepers, SleepingRow } from "./sleepers.js";
import type { Sleeper } from "./wake-heap.js";
import type { QueuedWrite, Writer } from "./write-queue.js";

export interface ReplicaParts {
  readonly key: ReplicaKey;
  readonly context: NodeContext;
  readonly requests: Requests;
  readonly later: Later;
  readonly sleepers: Sleepers;
  readonly beats: Beats;
  readonly store: ReplicatedStore;
  readonly sealer: Sealer;
  readonly raft: RaftOptions;
  /** Its removal is durable: it is off the node. */
  readonly gone: (replica: Replica) => void;
  /** It sleeps, and nothing is under way beside what its Raft tells of: it may become a row. */
  readonly restful: (replica: Replica) => void;
  /** It sleeps on from there; else `start` follows. */
  readonly row?: SleepingRow;
}

type Tied = Extract<RaftEffect, { kind: "send" | "answer" | "readReady" }>;

/** A confirmed read whose index is not applied yet. */
interface WaitingRead {
  readonly request: RequestId;
  readonly index: Index;
}

export class Replica implements Writer, Sleeper, SleepingReplica, Applier {
  readonly group: ReplicaKey["group"];
  readonly incarnation: ReplicaKey["incarnation"];
  readonly replica: ReplicaKey["replica"];
  readonly key: ReplicaKey;
  readonly raft: Raft;
  readonly store: ReplicatedStore;
  /** Another replica of the same group on this node, while one takes the other's place. */
  sibling: Replica | null = null;
  waiting: QueuedWrite | null = null;
  lastBatch = 0;
  wakeAtUs: number = Infinity;
  wakeSlot = -1;
  /** Its number while it sleeps, else -1. */
  sleeper = -1;
  links = -1;
  /** Where the state machine stands. */
  applied = 0;
  /** It was removed: its last write is on its way to disk, and it is not stepped any more. */
  leaving = false;
  readonly #context: NodeContext;
  readonly #requests: Requests;
  readonly #later: Later;
  readonly #sleepers: Sleepers;
  readonly #beats: Beats;
  readonly #logEntriesMax: number;
  readonly #gone: (replica: Replica) => void;
  readonly #restful: (replica: Replica) => void;
  readonly #held = new HeldBack<Tied>();
  readonly #applying: Applying;
  /** The newest token that waits for a sync. */
  #token: Token = noToken;
  /** Committed and not yet applied: pairs of index and request, ascending. */
  #committed: number[] = [];
  #reads: WaitingRead[] = [];

  constructor(parts: ReplicaParts) {
    const { key, context, requests, later, store, sealer, raft, gone, row } = parts;
    this.key = key;
    this.group = key.group;
    this.incarnation = key.incarnation;
    this.replica = key.replica;
    this.store = store;
    this.#context = context;
    this.#requests = requests;
    this.#later = later;
    this.#sleepers = parts.sleepers;
    this.#beats = parts.beats;
    this.#logEntriesMax = raft.logEntriesMax;
    this.#gone = gone;
    this.#applying = new Applying(context, sealer, this);
    this.#restful = parts.restful;
    const { node, boot, marks } = context;
    const seed = seedOf(context, key.group, key.incarnation);
    const config = { ...key, node, boot, options: raft, seed, sealer, marks };
    this.raft = new Raft(row === undefined ? config : { ...config, row: row.reader });
    if (row !== undefined) this.#sleepOn(row);
  }

  get leads(): boolean {
    return this.raft.view.role === "leader";
  }

  get commit(): Index {
    return this.raft.view.commit;
  }

  /** Its queues beside those of its Raft. */
  bounds(): readonly Bound[] {
    const { heldMax, requestsPendingMax } = this.#context.options;
    return [
      { name: "held back", size: this.#held.size, limit: heldMax },
      { name: "committed", size: this.#committed.length / 2, limit: 2 * this.#logEntriesMax },
      // At most as many again whose requests have ended.
      { name: "reads to be served", size: this.#reads.length, limit: 2 * requestsPendingMax },
      { name: "staged bytes", size: this.store.stagedBytes, limit: this.store.moveBytesMax },
    ];
  }

  /** The first step. `state` is that of the snapshot; null when it begins empty. */
  start(recovered: RecoveredReplica, state: Uint8Array | null): void {
    const { nowUs, node, boot, observer } = this.#context;
    const { view } = this.raft;
    if (state !== null) {
      const restored = this.store.restore(state);
      assert(restored, "a snapshot that was taken here can be restored", { group: this.group });
    }
    this.applied = recovered.snapshot?.index ?? 0;
    const out = this.#context.effects;
    this.raft.step(nowUs, { kind: "recovered", replica: recovered }, out);
    observer.replicaStarted(node, boot, view, recovered);
    observer.stepped(node, "recovered", recovered.entries.length, view);
    if (state !== null) this.#showRestored(this.applied as Index);
    this.#carryOut(out);
  }

  #sleepOn({ reader }: SleepingRow): void {
    const { state } = this.raft;
    const restored = this.store.restore(reader.varbytes());
    assert(restored && reader.complete, "a row of this replica can be read", { group: this.group });
    this.applied = state.applied;
    this.#token = state.token as Token;
    this.#held.durable = state.durableToken as Token;
  }

  /** `word` stands for the input's binary fields in the digest. */
  step(input: RaftInput, word: number): void {
    const { nowUs, node, observer, effects: out } = this.#context;
    this.raft.step(nowUs, input, out);
    observer.stepped(node, input.kind, word, this.raft.view);
    this.#carryOut(out);
  }

  woken(): void {
    this.step(timer, this.replica);
  }

  /** The completion of a sync: only now may what waited for it leave. */
  persisted(token: Token): void {
    if (this.#token > token && this.#held.size > 0) this.#context.marks.hit("heldBackLate");
    this.#held.durable = token;
    if (!this.leaving) this.step({ kind: "persisted", token }, token);
    this.#releaseHeld();
    if (this.leaving && token >= this.#token) this.#end();
  }

  persistFailed(token: Token): void {
    const dropped = this.#held.dropFrom(token);
    if (dropped > 0) this.#context.marks.hit("heldBackDropped");
    if (this.leaving) this.#context.writes.remove(this, this.#token);
    else this.step({ kind: "persistFailed", token }, token);
  }

  /** A received snapshot is durable; null: it was refused. */
  received(request: RequestId, snapshot: SnapshotMeta | null, state: Uint8Array | null): void {
    const restored = snapshot !== null && state !== null && this.store.restore(state);
    if (!restored) {
      this.step({ kind: "restored", request, snapshot: null }, request);
      return;
    }
    this.applied = snapshot.index;
    this.#showRestored(snapshot.index);
    this.#supersede(snapshot.index);
    this.step({ kind: "restored", request, snapshot }, request);
    this.#serveReads();
  }

  /** Its last write: after it the id is dead on this disk. Until it is durable nothing is stepped. */
  leave(): void {
    if (this.leaving) return;
    this.leaving = true;
    if (this.sleeper >= 0) this.#awoke();
    // Once its removal is durable, what these say of its log is not true any more.
    this.#held.dropIf(({ kind }) => kind === "send");
    this.#token = (this.raft.state.token + 1) as Token;
    this.#context.wakes.remove(this);
    this.#applying.stop();
    this.#context.writes.remove(this, this.#token);
  }

  #end(): void {
    this.#supersede(Infinity);
    for (const { request } of this.#reads.splice(0))
      this.#requests.refuse(request, "removed", null);
    this.#context.snapshots.remove(this.key);
    this.#context.led.set(this.key, false);
    this.#gone(this);
  }

  #carryOut(out: RaftEffect[]): void {
    for (let at = 0; at < out.length; at++) this.#effect(out[at]!);
    shorten(out, 0);
    if (this.raft.state.removed) this.leave();
    else if (this.raft.state.asleep) this.#sleeps();
    else if (this.sleeper >= 0) this.#awoke();
  }

  #sleeps(): void {
    if (this.sleeper < 0) {
      this.#sleepers.add(this);
      this.#beats.asleep(this, this.raft.state);
    }
    this.rest();
  }

  /** It sleeps: it may become a row, unless anything is under way here. */
  rest(): void {
    const waiting = this.#held.size + this.#committed.length + this.#reads.length;
    if (waiting === 0 && this.waiting === null && !this.leaving) this.#restful(this);
  }

  #awoke(): void {
    this.#beats.awake(this);
    this.#sleepers.remove(this);
  }

  #effect(effect: RaftEffect): void {
    switch (effect.kind) {
      case "send":
      case "answer":
      case "readReady":
        if (this.#held.mustWait(effect)) this.#hold(effect);
        else this.#release(effect);
        return;
      case "persist":
        this.#token = effect.token;
        this.#context.writes.persist(this, effect);
        return;
      case "apply":
        this.#applying.begin(effect.entries);
        return;
      case "wakeAt":
        this.#context.wakes.wakeAt(this, effect.at);
        return;
      case "event":
        if (effect.event.name === "roleChanged") this.#context.led.set(this.key, this.leads);
        this.#context.observer.event(this.#context.node, this.group, effect.event);
        return;
      default:
        this.#fileEffect(effect);
    }
  }

  #fileEffect(effect: Exclude<RaftEffect, Tied | { kind: InMemory }>): void {
    const { wal, walEvents, snapshots, snapshotEvents } = this.#context;
    const { key } = this;
    switch (effect.kind) {
      case "readLog": {
        const { request, from, to, bytesMax } = effect;
        wal.readEntries(key, request, from, to, bytesMax, walEvents);
        return;
      }
      case "takeSnapshot": {
        const { request, index, term, configuration } = effect;
        assert(index === this.applied, "a snapshot is of what is applied", { index });
        const state = this.store.snapshot();
        snapshots.save(key, request, index, term, configuration, state, snapshotEvents);
        return;
      }
      case "readChunk": {
        const { request, snapshot, offset, bytesMax } = effect;
        snapshots.readChunk(key, request, snapshot, offset, bytesMax, snapshotEvents);
        return;
      }
      case "writeChunk": {
        const { request, snapshot, offset, bytes } = effect;
        snapshots.writeChunk(key, request, snapshot, offset, bytes, snapshotEvents);
        return;
      }
      case "restore":
        snapshots.receive(key, effect.request, effect.snapshot, snapshotEvents);
        return;
      case "compact":
        wal.compact(key, effect.through);
        return;
      case "sign":
      case "verify":
        // This node has no keys to sign with: who asks gets no answer but this.
        assert(false, "Raft asks for no signatures");
        return;
      default:
        assertNever(effect);
    }
  }

  #hold(effect: Tied): void {
    const { marks, options } = this.#context;
    // A message may be lost, an answer may not.
    if (effect.kind === "send" && this.#held.size >= options.heldMax) marks.hit("heldBackFull");
    else this.#held.hold(effect);
  }

  #releaseHeld(): void {
    if (this.#held.size === 0) return;
    const released: Tied[] = [];
    this.#held.release(released);
    if (released.length > 0) this.#context.marks.hit("heldBackReleased");
    for (let at = 0; at < released.length; at++) this.#release(released[at]!);
  }

  /** Nothing that this rests on can be lost any more. */
  #release(effect: Tied): void {
    switch (effect.kind) {
      case "send":
        this.#context.outbox.add(effect.to, effect.message);
        return;
      case "answer":
        this.#answer(effect.request, effect.result);
        return;
      case "readReady":
        if (effect.index <= this.applied) this.#serve(effect.request);
        else this.#waitForApply(effect);
        return;
    }
  }

  #answer(request: RequestId, result: ConsensusResult): void {
    const pending = this.#requests.find(request);
    if (pending === undefined) return;
    switch (result.kind) {
      case "committed":
        if (pending.kind === "command") this.#committed.push(result.index, request);
        else this.#requests.answer(request, done);
        return;
      case "transferred":
        this.#requests.answer(request, done);
        return;
      case "refused":
        this.#requests.refuse(request, result.reason, result.leader);
        return;
      case "unknown":
        this.#requests.unknown(request, result.leader);
        return;
    }
  }

  applyEntry(entry: Entry): void {
    assert(entry.index === this.applied + 1, "entries are applied in order, each once", {
      index: entry.index,
    });
    const answer = this.store.apply(entry);
    this.applied = entry.index;
    if (isControl(entry)) {
      const { node, observer } = this.#context;
      observer.controlApplied?.(node, this.raft.view, entry, answer, this.store);
    }
    if (this.#committed.length > 0) this.#answerCommitted(entry.index, answer);
  }

  sliceApplied(entries: readonly Entry[], whole: boolean): void {
    const { node, observer } = this.#context;
    observer.applied(node, this.raft.view, entries, this.store.digest());
    this.#serveReads();
    if (whole) this.#later.applied(this);
  }

  #answerCommitted(index: Index, answer: Uint8Array | null): void {
    const committed = this.#committed;
    if (committed[0] !== index) return;
    this.#requests.answer(committed[1] as RequestId, answer ?? done);
    committed.splice(0, 2);
  }

  /** A snapshot has covered what these waited for: it was applied, but its answer is lost. */
  #supersede(through: number): void {
    while (this.#committed.length > 0 && this.#committed[0]! <= through) {
      this.#context.marks.hit("answerSuperseded");
      this.#requests.unknown(this.#committed[1] as RequestId, null);
      this.#committed.splice(0, 2);
    }
  }

  /** The index of this read is still to be applied. */
  #waitForApply({ request, index }: WaitingRead): void {
    if (this.#requests.find(request) === undefined) return;
    this.#context.marks.hit("readWaitedForApply");
    if (this.#reads.length >= 2 * this.#requests.size) {
      this.#context.marks.hit("endedReadsDropped");
      this.#reads = this.#reads.filter((read) => this.#requests.find(read.request) !== undefined);
    }
    this.#reads.push({ request, index });
  }

  #serveReads(): void {
    if (this.#reads.length === 0) return;
    const waiting = this.#reads;
    this.#reads = [];
    for (const read of waiting) {
      if (read.index <= this.applied) this.#serve(read.request);
      else this.#reads.push(read);
    }
  }

  #serve(request: RequestId): void {
    const pending = this.#requests.find(request);
    if (pending === undefined || pending.question === null) return;
    this.#requests.answer(request, this.#read(pending.question));
  }

  #read(asked: Question): Uint8Array {
    if (asked.kind === "query") return this.store.query(asked.question, asked.slot, asked.epoch);
    return this.store.readSlots(asked.slots, asked.epoch, asked.offset, asked.bytesMax);
  }

  #showRestored(index: Index): void {
    const { node, observer } = this.#context;
    observer.restored(node, this.raft.view, index, this.store.digest());
  }
}

type InMemory = "persist" | "apply" | "wakeAt" | "event";

const timer: RaftInput = { kind: "timer" };
const done: Uint8Array = encodeClientAnswer({ kind: "done", bytes: emptyBytes });
