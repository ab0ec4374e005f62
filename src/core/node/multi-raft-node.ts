/** The node that hosts many Raft groups: routes messages, requests and completions to its replicas. */
import type { Sealer } from "../consensus.js";
import type { Door } from "../framing/frame-types.js";
import type { FramedMessage } from "../framing/messages.js";
import {
  type GroupId,
  type Incarnation,
  type Index,
  type NodeId,
  type ReplicaId,
  type RequestId,
  type Term,
  metaGroup,
} from "../ids.js";
import type { RaftMessage } from "../raft/messages.js";
import type { RaftOptions } from "../raft/options.js";
import type { Bound, RaftView } from "../raft/view.js";
import type { SlotRange, StateMachine } from "../state-machine.js";
import { decodeAdminRequest } from "../store/admin-protocol.js";
import { decodeClientRequest, encodeClientAnswer } from "../store/client-protocol.js";
import { KvStore } from "../store/kv.js";
import { ReplicatedStore } from "../store/replicated-store.js";
import type { SessionLimits } from "../store/sessions.js";
import { slotCountDefault } from "../store/slots.js";
import type { RecoveredNode, ReplicaKey, SnapshotEvent, WalEvent } from "../wal/log-store.js";
import type { NodeContext } from "./context.js";
import { Later } from "./later.js";
import { type Founding, type FoundingGroup, Lifecycle } from "./lifecycle.js";
import { raftOptions } from "./limits.js";
import { type LoadedSnapshot, type LogicFactory, type NodeLogic, sameKey } from "./logic.js";
import { Replica } from "./replica.js";
import { Replicas } from "./replicas.js";
import { Requests, refusalBytes } from "./requests.js";
import { Service } from "./service.js";

export interface MultiRaftParts {
  /** Of every replica; see raft/options.ts. */
  readonly raft?: Partial<RaftOptions>;
  /** Groups that this node belongs to from their founding; those it holds already are left alone. */
  readonly founding?: readonly FoundingGroup[];
  /** What a group replicates; a key-value store by default. */
  readonly machine?: (group: GroupId, incarnation: Incarnation) => StateMachine;
  /** Seals what users write; the identity by default. */
  readonly sealer?: (group: GroupId, incarnation: Incarnation) => Sealer;
  /** 65,536 by default; the cluster's. */
  readonly slotCount?: number;
  /** The slots that a group serves from its founding; all by default, none in a cluster with a map. */
  readonly owned?: (group: GroupId, incarnation: Incarnation) => SlotRange;
  readonly sessions?: Partial<SessionLimits>;
}

/** For `HostParts.logic`. */
export function multiRaft(parts: MultiRaftParts = {}): LogicFactory {
  return (context) => new MultiRaftNode(context, parts);
}

/** What may be asked by each door; the other's kinds are malformed there. */
const decoders = { request: decodeClientRequest, adminRequest: decodeAdminRequest } as const;

class MultiRaftNode implements NodeLogic {
  readonly recordWriter = null;
  readonly #context: NodeContext;
  readonly #parts: MultiRaftParts;
  readonly #raft: RaftOptions;
  readonly #replicas = new Replicas();
  readonly #requests: Requests;
  readonly #service: Service;
  readonly #later = new Later();
  readonly #lifecycle: Lifecycle;

  constructor(context: NodeContext, parts: MultiRaftParts) {
    this.#context = context;
    this.#parts = parts;
    const { batchBytesMax, codec } = context;
    this.#raft = raftOptions(parts.raft ?? {}, batchBytesMax, codec.binaryBytesMax);
    this.#requests = new Requests(context);
    this.#service = new Service(context, this.#requests);
    this.#lifecycle = new Lifecycle(context, this.#replicas, (founding) => this.#founded(founding));
  }

  start(recovered: RecoveredNode, snapshots: readonly LoadedSnapshot[]): void {
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
    this.#lifecycle.found(this.#parts.founding ?? []);
  }

  message(from: NodeId, message: FramedMessage, word: number): void {
    switch (message.kind) {
      case "unknownReplica":
        this.#stepped(message.kind, word);
        this.#lifecycle.onUnknown(from, message);
        return;
      case "invite":
        this.#stepped(message.kind, word);
        this.#lifecycle.onInvite(message);
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
      const answer = encodeClientAnswer({ kind: "malformed", code: decoded.code });
      this.#context.answers.push({ request, bytes: answer });
      return;
    }
    const group = "group" in decoded ? decoded.group : metaGroup;
    const replica = this.#replicas.ofGroup(group);
    if (replica === null || this.#requests.full) {
      this.#stepped(door, word);
      if (replica !== null) this.#context.marks.hit("requestsFull");
      const answer = refusalBytes(replica === null ? "noGroup" : "overloaded", null);
      this.#context.answers.push({ request, bytes: answer });
      return;
    }
    if (replica.leaving) {
      this.#stepped(door, word);
      this.#context.answers.push({ request, bytes: refusalBytes("removed", null) });
      return;
    }
    this.#service.serve(replica, request, decoded, word);
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

  settle(stepsMax: number): boolean {
    return this.#later.settle(stepsMax);
  }

  refusal(reason: "overloaded" | "notReady"): Uint8Array {
    return refusalBytes(reason, null);
  }

  views(): RaftView[] {
    return this.#replicas.all().map(({ raft }) => raft.view);
  }

  viewOf(group: GroupId): RaftView | null {
    return this.#replicas.ofGroup(group)?.raft.view ?? null;
  }

  bounds(group: GroupId): readonly Bound[] {
    const { options, writes } = this.#context;
    const { pendingWritesMax, logEntriesMax } = this.#raft;
    // Each of a replica is an effect without an answer, or a piece of one with entries of its own.
    const writesMax = 2 * (pendingWritesMax + logEntriesMax) * this.#replicas.count;
    return [
      { name: "requests", size: this.#requests.size, limit: options.requestsPendingMax },
      { name: "queued writes", size: writes.size, limit: writesMax + this.#lifecycle.underWay },
      ...(this.#replicas.ofGroup(group)?.bounds() ?? []),
    ];
  }

  stateOf(group: GroupId): unknown {
    return this.#replicas.ofGroup(group)?.raft.state ?? null;
  }

  get state(): unknown {
    return this.#replicas.all().map(({ raft }) => raft.summary);
  }

  /** Snapshots of replicas that were lost, or whose removal a crash cut short of its files. */
  #dropDead(snapshots: readonly LoadedSnapshot[]): void {
    for (const each of snapshots) {
      if (this.#replicas.find(each) !== null) continue;
      this.#context.marks.hit("deadSnapshotRemoved");
      this.#context.snapshots.remove(each);
    }
  }

  #raftMessage(from: NodeId, message: RaftMessage, word: number): void {
    routed.group = message.group;
    routed.incarnation = message.incarnation;
    routed.replica = message.to;
    const replica = this.#replicas.find(routed);
    if (replica !== null) {
      // Who leaves the node has said its last word.
      if (!replica.leaving) replica.step({ kind: "message", from, message }, word);
      return;
    }
    this.#stepped("stray", word);
    this.#lifecycle.answerStray(from, routed);
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

  #add({ group, incarnation, replica }: ReplicaKey): Replica {
    const { sealer, machine, slotCount = slotCountDefault, owned, sessions } = this.#parts;
    const { marks, crc32 } = this.#context;
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
    const added = new Replica({
      key: { group, incarnation, replica },
      context: this.#context,
      requests: this.#requests,
      later: this.#later,
      store,
      sealer: sealer?.(group, incarnation) ?? identitySealer,
      raft: this.#raft,
      gone: (gone) => this.#gone(gone),
    });
    this.#replicas.add(added);
    return added;
  }

  /** Its removal is durable. */
  #gone(replica: Replica): void {
    this.#replicas.remove(replica);
    this.#lifecycle.removed(replica);
  }

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

const identitySealer: Sealer = {
  keyEpoch: 0,
  seal: (_header, payload) => payload,
  open: (_header, sealed) => sealed,
};
