/**
 * One replica of a group on this node: its Raft, its store, and what waits for either. A step's
 * effects are carried out right after it, in their order; none of them steps anything.
 */
import { shorten } from "../arrays.js";
import { assert } from "../assert.js";
import type { Permissions, RecoveredReplica } from "../consensus.js";
import { type Entry, type SnapshotMeta, entryType, isControl } from "../entry.js";
import { type Index, type RequestId, type Token, noToken } from "../ids.js";
import type { RaftEffect } from "../raft/core.js";
import { Raft, type RaftInput } from "../raft/raft.js";
import type { Bound } from "../raft/view.js";
import type { ReplicatedStore } from "../store/replicated-store.js";
import type { ReplicaKey } from "../wal/log-store.js";
import { type Applier, Applying } from "./applying.js";
import { Awaited } from "./awaited.js";
import type { Beats, SleepingReplica } from "./beats.js";
import { type NodeContext, seedOf } from "./context.js";
import { type Stateful, fileEffect } from "./file-effects.js";
import { HeldBack } from "./held.js";
import type { KeyOwner } from "./keyring.js";
import type { Later } from "./later.js";
import type { NodeKeys } from "./node-keys.js";
import { timer, withKeys, withoutKeyInForce, withoutKeys } from "./replica-inputs.js";
import { type Closed, type ReplicaKeys, digestOf } from "./replica-keys.js";
import type { ReplicaParts } from "./replica-parts.js";
import type { Sleepers, SleepingRow } from "./sleepers.js";
import type { Sleeper } from "./wake-heap.js";
import type { QueuedWrite, Writer } from "./write-queue.js";

type Tied = Extract<RaftEffect, { kind: "send" | "answer" | "readReady" }>;

export class Replica implements Writer, Sleeper, SleepingReplica, Applier, KeyOwner {
  readonly group: ReplicaKey["group"];
  readonly incarnation: ReplicaKey["incarnation"];
  readonly replica: ReplicaKey["replica"];
  readonly key: ReplicaKey;
  readonly raft: Raft;
  readonly store: ReplicatedStore;
  readonly keys: ReplicaKeys | null;
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
  readonly #stateful: Stateful = {
    stateAt: (index, term) => this.#state(index, term),
    mayRestore: (state) => this.keys === null || this.#mayRestore(this.keys, state),
  };
  readonly #context: NodeContext;
  readonly #later: Later;
  readonly #sleepers: Sleepers;
  readonly #beats: Beats;
  readonly #logEntriesMax: number;
  readonly #gone: (replica: Replica) => void;
  readonly #restful: (replica: Replica) => void;
  readonly #nodeKeys: NodeKeys | null;
  readonly #held = new HeldBack<Tied>();
  readonly #applying: Applying;
  /** The newest token that waits for a sync. */
  #token: Token = noToken;
  readonly #awaited: Awaited;
  #closed: Closed | null = null;
  /** The key in force is not there, or that of the next entry. */
  #keyless = false;
  /** What it started with, while that is closed; nothing is applied before it is restored. */
  #ownClosed: Omit<Closed, "request"> | null = null;

  constructor(parts: ReplicaParts) {
    const { key, context, requests, later, store, sealer, raft, gone, row } = parts;
    this.key = key;
    this.group = key.group;
    this.incarnation = key.incarnation;
    this.replica = key.replica;
    this.store = store;
    this.keys = parts.keys;
    this.#nodeKeys = parts.nodeKeys;
    this.#context = context;
    this.#awaited = new Awaited(requests, context.marks, this);
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

  /** Something waits here for a key. */
  get isKeyless(): boolean {
    const waits = this.#keyless || this.#closed !== null || this.#ownClosed !== null;
    return waits || this.keys?.isForeign === true;
  }

  /** Its queues beside those of its Raft. */
  bounds(): readonly Bound[] {
    const { heldMax, requestsPendingMax } = this.#context.options;
    return [
      { name: "held back", size: this.#held.size, limit: heldMax },
      ...this.#awaited.bounds({ logEntriesMax: this.#logEntriesMax, requestsPendingMax }),
      { name: "staged bytes", size: this.store.stagedBytes, limit: this.store.moveBytesMax },
    ];
  }

  /** The first step. `state` is that of the snapshot; null when it begins empty. */
  start(recovered: RecoveredReplica, state: Uint8Array | null): void {
    const { nowUs, node, boot, observer } = this.#context;
    const { view } = this.raft;
    const out = this.#context.effects;
    this.#foresee(recovered.entries);
    if (state !== null && !this.#restoreOwn(recovered.snapshot!, state)) {
      this.#context.marks.hit("startedWithoutKeys");
      this.#ownClosed = { snapshot: recovered.snapshot!, state };
      this.#nodeKeys!.claims.watch(this);
      this.raft.step(nowUs, { kind: "permitted", permissions: withoutKeys }, out);
    }
    this.applied = recovered.snapshot?.index ?? 0;
    this.raft.step(nowUs, { kind: "recovered", replica: recovered }, out);
    observer.replicaStarted(node, boot, view, recovered);
    observer.stepped(node, "recovered", recovered.entries.length, view);
    if (state !== null && this.#ownClosed === null) this.#showRestored(this.applied as Index);
    this.#carryOut(out);
  }

  #foresee(entries: readonly Entry[]): void {
    if (this.keys === null) return;
    for (const entry of entries) if (entry.type === entryType.key) this.keys.foresee(this, entry);
  }

  /** False: the key of the snapshot is not there yet. */
  #restoreOwn(snapshot: SnapshotMeta, state: Uint8Array): boolean {
    const opened = this.keys === null ? state : this.keys.open(this, state, snapshot);
    if (opened === "waits") return false;
    const restored = opened !== null && this.store.restore(opened);
    assert(restored, "a snapshot that was taken here can be restored", { group: this.group });
    return true;
  }

  #sleepOn({ reader }: SleepingRow): void {
    const { state } = this.raft;
    const restored = this.store.restore(reader.varbytes());
    this.keys?.read(reader);
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
    const keys = this.keys;
    const opened =
      snapshot === null || state === null || keys === null
        ? state
        : keys.open(this, state, snapshot);
    if (opened === "waits") {
      this.#context.marks.hit("restoreWaitedForKey");
      this.#closed = { snapshot: snapshot!, state: state!, request };
      this.#nodeKeys!.claims.watch(this);
      return;
    }
    const restored = snapshot !== null && opened !== null && this.store.restore(opened);
    if (!restored) {
      this.step({ kind: "restored", request, snapshot: null }, request);
      return;
    }
    this.#ownClosed = null;
    this.applied = snapshot.index;
    this.#showRestored(snapshot.index);
    this.#awaited.supersede(snapshot.index);
    this.step({ kind: "restored", request, snapshot }, request);
    this.#awaited.serveReads();
    this.#goOn();
  }

  /** A received snapshot waits for a key that will never come: a newer one may bring another. */
  refuseClosed(): void {
    const closed = this.#closed;
    this.#closed = null;
    if (closed !== null) this.received(closed.request, null, null);
  }

  /** A key that was waited for is there. */
  keyCame(): void {
    if (this.leaving) return;
    const closed = this.#closed;
    this.#closed = null;
    if (closed !== null) this.received(closed.request, closed.snapshot, closed.state);
    const own = this.#ownClosed;
    if (own !== null && this.#restoreOwn(own.snapshot, own.state)) {
      this.#ownClosed = null;
      this.#showRestored(own.snapshot.index);
    }
    this.settleKeys();
    this.#goOn();
  }

  /**
   * Between two steps. Without the key of the next entry nothing is applied: votes and appends go on, and
   * what it needs may come in a snapshot.
   */
  settleKeys(): void {
    if (this.leaving) return;
    if (!this.#applying.giveBack()) {
      this.#goOn();
      return;
    }
    this.#permit(withoutKeys);
    const index = this.applied as Index;
    this.step({ kind: "applied", index }, index);
  }

  /** Without the key in force it leads nothing; whether the next entry can be opened is seen when it comes. */
  #goOn(): void {
    if (this.keys === null || this.#ownClosed !== null) return;
    this.#keyless = !this.keys.mayOpen(this, this.keys.keys.epoch);
    this.#permit(this.#keyless ? withoutKeyInForce : withKeys);
  }

  #permit(permissions: Permissions): void {
    const { mayLead, mayApply } = this.raft.state.permissions;
    if (permissions.mayLead === mayLead && permissions.mayApply === mayApply) return;
    if (permissions === withKeys) this.#context.marks.hit("keysBack");
    this.step({ kind: "permitted", permissions }, 0);
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
    this.#awaited.supersede(Infinity);
    this.#awaited.refuseReads("removed");
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
    const waiting = this.#held.size + this.#awaited.size;
    const concerned = this.#nodeKeys?.office.concerns(this) === true;
    if (waiting > 0 || this.waiting !== null || this.leaving || this.isKeyless || concerned) return;
    this.#restful(this);
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
        this.#foresee(effect.entries);
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
        fileEffect(this.#context, this.key, effect, this.#stateful);
    }
  }

  /** What a snapshot holds; null: it cannot be made without the key in force. */
  #state(index: Index, term: number): Uint8Array | null {
    assert(index === this.applied, "a snapshot is of what is applied", { index });
    const state = this.store.snapshot();
    if (this.keys === null) return state;
    const sealed = this.keys.seal(this, state, { index, term });
    if (sealed === null) this.#context.marks.hit("snapshotWithoutKey");
    return sealed;
  }

  #mayRestore(keys: ReplicaKeys, state: Uint8Array): boolean {
    if (keys.mayRestore(state)) return true;
    this.#nodeKeys!.claims.watch(this);
    return false;
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
        this.#awaited.ended(effect.request, effect.result);
        return;
      case "readReady":
        this.#awaited.readReady(effect);
        return;
    }
  }

  mayApply({ keyEpoch }: Entry): boolean {
    if (this.keys === null) return true;
    if (this.keys.keys.revoked) return false;
    if (this.keys.mayOpen(this, keyEpoch)) return true;
    this.#context.marks.hit("applyWaitedForKey");
    this.#loseKeys();
    return false;
  }

  #loseKeys(): void {
    this.#keyless = true;
    this.#nodeKeys!.claims.watch(this);
    this.#later.keyless(this);
  }

  applyEntry(entry: Entry): void {
    assert(entry.index === this.applied + 1, "entries are applied in order, each once", {
      index: entry.index,
    });
    const answer = this.store.apply(entry);
    this.applied = entry.index;
    if (this.keys !== null) this.#applyToKeys(this.keys, entry);
    if (isControl(entry)) {
      const { node, observer } = this.#context;
      observer.controlApplied?.(node, this.raft.view, entry, answer, this.store);
    }
    this.#awaited.applied(entry.index, answer);
  }

  #applyToKeys(keys: ReplicaKeys, entry: Entry): void {
    if (entry.type === entryType.key) {
      keys.apply(entry);
      // Who leads next seals under the key in force.
      if (this.#keyless || !keys.mayOpen(this, keys.keys.epoch)) this.#loseKeys();
    }
    if (entry.keyEpoch > 0) keys.keys.count(entry.keyEpoch);
  }

  sliceApplied(entries: readonly Entry[], whole: boolean): void {
    const { node, observer } = this.#context;
    observer.applied(node, this.raft.view, entries, digestOf(this.store, this.keys));
    this.#awaited.serveReads();
    if (whole) this.#later.applied(this);
    if (this.leads) this.#nodeKeys?.office.due(this);
  }

  #showRestored(index: Index): void {
    const { node, observer } = this.#context;
    observer.restored(node, this.raft.view, index, digestOf(this.store, this.keys));
  }
}
