/** The node that hosts many Raft groups: routes messages, requests and completions to its replicas. */
import type { Door } from "../framing/frame-types.js";
import type { FramedMessage } from "../framing/messages.js";
import {
  type Boot,
  type GroupId,
  type Incarnation,
  type Index,
  type NodeId,
  type ReplicaId,
  type RequestId,
  type Term,
  metaGroup,
} from "../ids.js";
import { identitySealer } from "../keys/sealing.js";
import type { HsmResult } from "../ports/hsm.js";
import type { RaftMessage } from "../raft/messages.js";
import type { RaftOptions } from "../raft/options.js";
import type { Bound, RaftView } from "../raft/view.js";
import type { SlotRange, StateMachine } from "../state-machine.js";
import type { StewardOptions } from "../steward/errands.js";
import { decodeAdminRequest } from "../store/admin-protocol.js";
import { decodeClientRequest, encodeClientAnswer } from "../store/client-protocol.js";
import { KvStore } from "../store/kv.js";
import { ReplicatedStore } from "../store/replicated-store.js";
import type { SessionLimits } from "../store/sessions.js";
import { slotCountDefault } from "../store/slots.js";
import type { RecoveredNode, ReplicaKey, SnapshotEvent, WalEvent } from "../wal/log-store.js";
import type { NodeContext } from "./context.js";
import { Beats } from "./beats.js";
import { Desk, type Letter } from "./desk.js";
import type { KeyPolicy } from "./key-office.js";
import { Later } from "./later.js";
import { type Founding, type FoundingGroup, Lifecycle } from "./lifecycle.js";
import { raftOptions } from "./limits.js";
import {
  type KeysHere,
  type LoadedSnapshot,
  type LogicFactory,
  type NodeLogic,
  sameKey,
} from "./logic.js";
import { NodeKeys } from "./node-keys.js";
import { decodeNodeRequest, isOfNodes } from "./node-requests.js";
import { Office } from "./office.js";
import { OwnAnswers } from "./own-answers.js";
import { Removals } from "./removals.js";
import { Replica } from "./replica.js";
import { Replicas } from "./replicas.js";
import { Requests, refusalBytes } from "./requests.js";
import { type Asked, Service } from "./service.js";
import { Sleepers, type SleepingRow } from "./sleepers.js";

export interface MultiRaftParts {
  /** Of every replica; see raft/options.ts. */
  readonly raft?: Partial<RaftOptions>;
  /** Groups that this node belongs to from their founding; those it holds already are left alone. */
  readonly founding?: readonly FoundingGroup[];
  /** What a group replicates; a key-value store by default. */
  readonly machine?: (group: GroupId, incarnation: Incarnation) => StateMachine;
  /** Where the node has an HSM. */
  readonly keyPolicy?: Partial<KeyPolicy>;
  /** 65,536 by default; the cluster's. */
  readonly slotCount?: number;
  /** The slots that a group serves from its founding; all by default, none in a cluster with a map. */
  readonly owned?: (group: GroupId, incarnation: Incarnation) => SlotRange;
  readonly sessions?: Partial<SessionLimits>;
  /** In a cluster with a map, for the steward; else none ever works here. */
  readonly steward?: StewardOptions;
}

/** For `HostParts.logic`. */
export function multiRaft(parts: MultiRaftParts = {}): LogicFactory {
  return (context) => new MultiRaftNode(context, parts);
}

/** What may be asked by each door; the other's kinds are malformed there. */
const decoders = { request: decodeClientRequest, adminRequest: decodeAdminRequest } as const;

/** Rounds of asking and answering itself that a node makes in a row. */
const roundsMax = 64;

class MultiRaftNode implements NodeLogic {
  readonly recordWriter = null;
  readonly #context: NodeContext;
  readonly #parts: Omit<MultiRaftParts, "founding">;
  #founding: readonly FoundingGroup[];
  readonly #raft: RaftOptions;
  readonly #replicas: Replicas;
  readonly #requests: Requests;
  readonly #service: Service;
  readonly #later = new Later();
  readonly #lifecycle: Lifecycle;
  readonly #sleepers: Sleepers;
  readonly #beats: Beats;
  readonly #desk: Desk;
  readonly #removals: Removals;
  readonly #ownAnswers: OwnAnswers;
  readonly #office: Office | null;
  /** Null: nothing is sealed here. */
  readonly #keys: NodeKeys | null;

  constructor(context: NodeContext, parts: MultiRaftParts) {
    this.#context = context;
    const { founding = [], ...rest } = parts;
    this.#parts = rest;
    this.#founding = founding;
    const { batchBytesMax, codec } = context;
    this.#raft = raftOptions(parts.raft ?? {}, batchBytesMax, codec.binaryBytesMax);
    this.#requests = new Requests(context);
    this.#sleepers = new Sleepers(context.marks);
    this.#replicas = new Replicas(this.#sleepers, (row) => this.#make(row.key, row));
    this.#beats = new Beats(context, this.#raft, (sleeper) => {
      this.#replicas.asleep(sleeper).step({ kind: "wake" }, 0);
    });
    this.#lifecycle = new Lifecycle(context, this.#replicas, (founding) => this.#founded(founding));
    this.#desk = new Desk(context);
    context.answers.desk = this.#desk;
    this.#removals = new Removals(context, this.#replicas, this.#desk);
    const { keys } = context;
    const { steward, keyPolicy } = parts;
    this.#office =
      steward === undefined ? null : new Office(context, this.#replicas, this.#desk, steward);
    this.#keys =
      keys === null ? null : new NodeKeys(context, keys, this.#desk, this.#replicas, keyPolicy);
    this.#service = new Service(context, this.#requests, this.#keys?.office ?? null);
    this.#ownAnswers = new OwnAnswers({
      led: context.led,
      lifecycle: this.#lifecycle,
      replicas: this.#replicas,
      keys: this.#keys,
    });
  }

  start(recovered: RecoveredNode, snapshots: readonly LoadedSnapshot[]): void {
    this.#keys?.keyring.start();
    this.#lifecycle.recovered(recovered);
    for (const found of recovered.replicas) {
      if (found.lost) {
        this.#context.marks.hit("lostReplicaNotStarted");
        continue;
      }
      const index = found.recovered.snapshot?.index;
      const loaded = snapshots.find(
        (each) => sameKey(each, found) && each.snapshot.index === index,
      );
      this.#add(found).start(found.recovered, loaded?.state ?? null);
    }
    this.#dropDead(snapshots);
    this.#lifecycle.found(this.#founding);
    this.#founding = [];
  }

  linkUp(peer: NodeId, boot: Boot): void {
    this.#stepped("linkUp", peer);
    this.#office?.nodeCame();
    this.#keys?.office.nodeCame(peer);
    this.#beats.started(peer, boot);
  }

  message(from: NodeId, message: FramedMessage, word: number): void {
    switch (message.kind) {
      case "beat":
        this.#stepped(message.kind, word);
        this.#beats.heard(from, message.boot);
        return;
      case "unknownReplica":
        this.#stepped(message.kind, word);
        this.#lifecycle.onUnknown(from, message);
        return;
      case "invite":
        this.#stepped(message.kind, word);
        this.#lifecycle.onInvite(message);
        return;
      case "nodeRequest":
        this.#nodeRequest({ from, asked: message.asked, bytes: message.bytes }, word);
        return;
      case "nodeAnswer":
        this.#stepped(message.kind, word);
        this.#desk.replied(message.to, message.bytes);
        return;
      case "hello":
      case "helloAck":
      case "goodbye":
      case "machine":
      case "request":
      case "adminRequest":
      case "answer":
        // The link or another node's business: not for a host.
        this.#stepped("stray", word);
        return;
      default:
        this.#raftMessage(from, message, word);
    }
  }

  request(door: Door, request: RequestId, bytes: Uint8Array, word: number): void {
    const decoded = decoders[door](bytes);
    if (decoded.kind === "undecodable") {
      this.#stepped(door, word);
      this.#answer(request, encodeClientAnswer({ kind: "malformed", code: decoded.code }));
      return;
    }
    this.#ask(request, decoded, word);
  }

  logRead(event: Extract<WalEvent, { kind: "logRead" }>): void {
    const { request, entries } = event;
    const replica = this.#living(event.key);
    if (replica !== null) replica.step({ kind: "logRead", request, entries }, request);
  }

  snapshot(event: Exclude<SnapshotEvent, { kind: "loaded" }>): void {
    const replica = this.#living(event.key);
    if (replica === null) return;
    const { request } = event;
    switch (event.kind) {
      case "saved":
        replica.step({ kind: "snapshotTaken", request, snapshot: event.snapshot }, request);
        return;
      case "chunk":
        replica.step({ kind: "chunkRead", request, bytes: event.bytes }, request);
        return;
      case "chunkWritten":
        replica.step({ kind: "chunkWritten", request, ok: event.ok }, request);
        return;
      case "received":
        replica.received(request, event.snapshot, event.state);
        return;
    }
  }

  hsmDone(op: number, result: HsmResult): void {
    if (this.#keys?.keyring.hsmDone(op, result) !== true)
      this.#context.marks.hit("lateCompletionDropped");
  }

  settle(stepsMax: number): boolean {
    for (let round = 0; round < roundsMax; round++) {
      if (this.#later.settle(stepsMax)) return true;
      if (this.#keys?.keyring.settle() === true) continue;
      this.#answered();
      const letters = this.#desk.takeLetters();
      for (const letter of letters) this.#nodeRequest(letter, letter.asked);
      if (letters.length === 0 && this.#later.empty) return false;
    }
    return true;
  }

  /** Gives what other nodes answered to whoever asked. */
  #answered(): void {
    this.#office?.settle();
    for (const reply of this.#desk.takeReplies()) {
      if (this.#keys?.office.answered(reply.asked, reply.bytes) !== true)
        this.#office?.answered(reply);
    }
    this.#keys?.office.settle();
  }

  refusal(reason: "overloaded" | "notReady"): Uint8Array {
    return refusalBytes(reason, null);
  }

  views(): RaftView[] {
    return this.#replicas.all().map(({ raft }) => raft.view);
  }

  viewOf(group: GroupId): RaftView | null {
    return this.#replicas.peek(group)?.raft.view ?? null;
  }

  bounds(group: GroupId): readonly Bound[] {
    const { options, writes } = this.#context;
    const { pendingWritesMax, logEntriesMax } = this.#raft;
    // Each of a replica is an effect without an answer, or a piece of one with entries of its own.
    const writesMax = 2 * (pendingWritesMax + logEntriesMax) * this.#replicas.count;
    return [
      { name: "requests", size: this.#requests.size, limit: options.requestsPendingMax },
      { name: "queued writes", size: writes.size, limit: writesMax + this.#lifecycle.underWay },
      this.#beats.bounds(),
      // The one at hand is open while it is refused for lack of room.
      { name: "requests of nodes", size: this.#desk.size, limit: options.requestsPendingMax + 1 },
      ...(this.#office === null ? [] : [this.#office.bound]),
      ...(this.#keys === null ? [] : this.#keys.office.bounds),
      ...(this.#replicas.peek(group)?.bounds() ?? []),
    ];
  }

  storeOf(group: GroupId): ReplicatedStore | null {
    return this.#replicas.peek(group)?.store ?? null;
  }

  keysOf(group: GroupId): KeysHere | null {
    const here = this.#replicas.peekAll(group);
    const keys = here.length === 1 ? here[0]!.keys : null;
    if (keys === null || this.#keys === null) return null;
    return { keys: keys.keys, isClear: this.#keys.floors.isClear(group) };
  }

  stateOf(group: GroupId): unknown {
    return this.#replicas.peek(group)?.raft.state ?? null;
  }

  get state(): unknown {
    return this.#replicas.all().map(({ raft }) => raft.summary);
  }

  /** Snapshots of replicas that were lost, or whose removal a crash cut short of its files. */
  #dropDead(snapshots: readonly LoadedSnapshot[]): void {
    for (const each of snapshots) {
      if (this.#replicas.holds(each)) continue;
      this.#context.marks.hit("deadSnapshotRemoved");
      this.#context.snapshots.remove(each);
    }
  }

  #raftMessage(from: NodeId, message: RaftMessage, word: number): void {
    routed.group = message.group;
    routed.incarnation = message.incarnation;
    routed.replica = message.to;
    if (message.kind === "preVote") this.#removals.campaigns(from, message);
    const replica = this.#replicas.find(routed);
    if (replica !== null) {
      // Who leaves the node has said its last word.
      if (!replica.leaving) replica.step({ kind: "message", from, message }, word);
      if (replica.sibling !== null) this.#removals.endOlder(replica);
      return;
    }
    this.#stepped("stray", word);
    this.#lifecycle.answerStray(from, routed);
  }

  /** Of the steward or a leader, which may be on this very node. */
  #nodeRequest(letter: Letter, word: number): void {
    const decoded = decodeNodeRequest(letter.bytes);
    const request = this.#desk.open(letter);
    if (decoded.kind === "undecodable") {
      this.#stepped("nodeRequest", word);
      this.#answer(request, encodeClientAnswer({ kind: "malformed", code: decoded.code }));
    } else if (isOfNodes(decoded)) {
      this.#stepped(decoded.kind, word);
      this.#answer(request, this.#ownAnswers.to(decoded, letter.from));
    } else this.#ask(request, decoded, word);
  }

  #ask(request: RequestId, asked: Asked, word: number): void {
    const group = "group" in asked ? asked.group : metaGroup;
    const known = this.#replicas.has(group);
    // Nobody is woken, nor made of a row, to be told that there is no room.
    const replica = this.#requests.full ? null : this.#replicas.ofGroup(group);
    if (replica === null) {
      this.#stepped(asked.kind, word);
      if (known) this.#context.marks.hit("requestsFull");
      this.#answer(request, refusalBytes(known ? "overloaded" : "noGroup", null));
    } else if (replica.leaving) {
      this.#stepped(asked.kind, word);
      this.#answer(request, refusalBytes("removed", null));
    } else {
      this.#service.serve(replica, request, asked, word);
      // What was told without a step has woken nobody.
      if (replica.sleeper >= 0) replica.rest();
    }
  }

  #answer(request: RequestId, bytes: Uint8Array): void {
    this.#context.answers.push({ request, bytes });
  }

  #founded(founding: Founding): void {
    const hardState = { term: 0 as Term, vote: 0, commit: 0 as Index };
    const recovered = {
      hardState,
      snapshot: founding.meta,
      entries: [],
      damagedThrough: 0 as Index,
    };
    this.#add(founding).start(recovered, null);
  }

  #add(key: ReplicaKey): Replica {
    const added = this.#make(key);
    this.#replicas.add(added);
    return added;
  }

  /** `row`: as it slept; else it is to be started. */
  #make({ group, incarnation, replica }: ReplicaKey, row?: SleepingRow): Replica {
    const { machine, slotCount = slotCountDefault, owned, sessions } = this.#parts;
    const { marks, crc32 } = this.#context;
    const keys = this.#keys?.of({ group, incarnation, replica }) ?? null;
    const store = new ReplicatedStore({
      group,
      incarnation,
      machine: machine?.(group, incarnation) ?? new KvStore({ slotCount, marks }),
      marks,
      slotCount,
      crc32,
      ...(owned === undefined ? {} : { owned: owned(group, incarnation) }),
      ...(sessions === undefined ? {} : { limits: sessions }),
    });
    return new Replica({
      key: { group, incarnation, replica },
      context: this.#context,
      requests: this.#requests,
      later: this.#later,
      sleepers: this.#sleepers,
      beats: this.#beats,
      store,
      sealer: keys?.sealer ?? identitySealer,
      keys,
      nodeKeys: this.#keys,
      raft: this.#raft,
      gone: this.#gone,
      restful: this.#restful,
      ...(row === undefined ? {} : { row }),
    });
  }

  /** Its removal is durable. */
  readonly #gone = (replica: Replica): void => {
    this.#replicas.remove(replica);
    replica.keys?.drop(replica, this.#replicas.peekAll(replica.group));
    this.#lifecycle.removed(replica);
  };

  readonly #restful = (replica: Replica): void => {
    if (this.#replicas.pack(replica)) this.#context.wal.rest(replica.key);
  };

  #living(key: ReplicaKey): Replica | null {
    const replica = this.#replicas.find(key);
    if (replica !== null && !replica.leaving) return replica;
    this.#context.marks.hit("lateCompletionDropped");
    return null;
  }

  #stepped(kind: string, word: number): void {
    this.#context.observer.stepped(this.#context.node, kind, word, null);
  }
}

/** Where the message at hand goes: one record serves them all. */
const routed: { -readonly [Field in keyof ReplicaKey]: ReplicaKey[Field] } = {
  group: 0 as GroupId,
  incarnation: 0 as Incarnation,
  replica: 0 as ReplicaId,
};
