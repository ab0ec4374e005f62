/**
 * Makes the events of a trace of what a host lets itself be seen doing: numbers them, finds their
 * causes, and derives the evidence from Views (CONTRACTS 8). Both worlds write through it.
 */
import { base64Encode } from "../core/base64.js";
import { getU32 } from "../core/bytes.js";
import type { ConsensusEvent } from "../core/consensus.js";
import type { Entry } from "../core/entry.js";
import { hex32 } from "../core/hash.js";
import { metaGroup } from "../core/ids.js";
import type { PersistRecord } from "../core/node/observer.js";
import type { Json } from "../core/plain.js";
import type { RaftMessage } from "../core/raft/messages.js";
import type { RaftView } from "../core/raft/view.js";
import type { ReplicatedStore } from "../core/store/replicated-store.js";
import type { TraceCause, TraceData, TraceEvent, TraceKind } from "../core/trace/schema.js";
import type { Fault } from "./fault.js";
import { ControlEvidence, answerWord, movedTo } from "./control-evidence.js";
import type { Attempt, Operation } from "./operation.js";

export type TraceSink = (event: TraceEvent) => void;

/** What a trace needs to know of the world that it is written in. */
export interface TracedWorld {
  /** Whether the cluster has a map: then a client finds out for itself which group to ask. */
  readonly mapped: boolean;
  /** World time; null where nobody knows it. */
  nowUs(): number | null;
  /** The node's own monotonic time. */
  localUs(node: number): number;
  /** 0 while no process runs there, or one that does not know its boot yet. */
  boot(node: number): number;
  /** How the node's clocks stand to each other and to world time, as far as known; else 0. */
  clock(node: number): { readonly wallOffsetUs: number; readonly driftPpm: number };
  /** Identity of the disk in the node; 0 when nobody knows it. */
  disk(node: number): number;
}

/** Frames that may still arrive, and replicas whose state is compared, are at most so many. */
const framesMax = 65_536;
const replicasMax = 65_536;
/** Entries that one step commits are told one by one up to here. */
const chosenMax = 4_096;
/** Where the id stands in a frame (CONTRACTS 5), and the least that a frame holds. */
const frameIdAt = 16;
const frameBytesMin = 28;

interface Frame {
  readonly cause: TraceCause;
  readonly from: number;
  readonly id: number;
  readonly message: Json;
}

export class TraceRecorder {
  readonly #world: TracedWorld;
  readonly #sink: TraceSink;
  /**
   * `node/boot` -> number of its newest event. Kept for good: lives that end before they know their
   * boot share boot 0, and what a disk lost may have been a boot.
   */
  readonly #sequences = new Map<string, number>();
  /** The boot that each node is known to be in. */
  readonly #boots = new Map<number, number>();
  /** Newest step or start of each replica in this life, and newest step of each node as group 0. */
  readonly #steps = new Map<string, TraceCause>();
  readonly #frames = new Map<string, Frame>();
  readonly #states = new Map<string, TraceData<"state"> & { readonly configuration: number }>();
  /** What an operation's return or a fault's end follows from. */
  readonly #begun = new Map<string, TraceCause>();
  /** Operation -> node -> the newest attempt there. */
  readonly #attempts = new Map<string, Map<number, TraceCause>>();
  readonly #reasons = new Map<number, string>();
  readonly #control = new ControlEvidence();

  constructor(world: TracedWorld, sink: TraceSink) {
    this.#world = world;
    this.#sink = sink;
  }

  recovered(node: number, view: RaftView): void {
    const { group, replica, term, vote, first, last } = view;
    this.#states.delete(`${group}/${node}`);
    const data = { replica, term, vote, first, last };
    this.#steps.set(`${group}/${node}`, this.#write(node, group, "recovered", data, null));
    this.#state(node, view, null);
  }

  stepped(node: number, input: string, word: number, view: RaftView | null): void {
    const group = view?.group ?? 0;
    const frame = this.#frames.get(`${node}/${word}`);
    let cause: TraceCause | null = null;
    if (frame !== undefined && input === "message") {
      const { from, id, message } = frame;
      cause = this.#write(node, group, "receive", { from, id, message }, frame.cause);
    }
    if (input === "linkUp" || input === "linkDown") {
      this.#write(node, 0, "link", { peer: word, up: input === "linkUp" }, null);
    }
    const step = this.#write(node, group, "step", { input, word }, cause);
    this.#steps.set(`${group}/${node}`, step);
    if (view !== null) this.#state(node, view, step);
  }

  released(node: number, to: number, message: RaftMessage, frame: Uint8Array): void {
    if (frame.length < frameBytesMin) return;
    const id = getU32(frame, frameIdAt) + getU32(frame, frameIdAt + 4) * 0x1_0000_0000;
    const told = messageJson(message);
    const data = { to, id, message: told };
    const cause = this.#write(node, message.group, "send", data, this.#step(node, message.group));
    bounded(this.#frames, framesMax).set(`${to}/${getU32(frame, frame.length - 4)}`, {
      cause,
      from: node,
      id,
      message: told,
    });
  }

  submitted(node: number, sync: number, persists: readonly PersistRecord[]): void {
    const writes = persists.map(({ group, token, hardState, truncateFrom, entries }) => ({
      group,
      token,
      term: hardState?.term ?? 0,
      vote: hardState?.vote ?? 0,
      truncateFrom,
      entries: entries.length,
    }));
    this.#write(node, 0, "submit", { sync, writes }, this.#step(node, 0));
  }

  durable(node: number, sync: number): void {
    this.#write(node, 0, "durable", { sync }, null);
  }

  applied(
    node: number,
    group: number,
    range: { readonly from: number; readonly to: number },
    digest: readonly [number, number],
  ): void {
    const data = { ...range, digest: hex64(digest) };
    this.#write(node, group, "applied", data, this.#step(node, group));
  }

  /** An entry of a group's life or of an admin was applied; see `HostObserver`. */
  controlApplied(
    node: number,
    view: RaftView,
    entry: Entry,
    answer: Uint8Array | null,
    store: ReplicatedStore,
  ): void {
    if (answer === null) return;
    const { group } = view;
    const slots = this.#control.slots(view, entry, answer);
    if (slots !== null) this.#write(node, group, "slots", slots, this.#step(node, group));
    const job = this.#control.job(entry, answer, store);
    if (job !== null) this.#write(node, group, "job", job, this.#step(node, group));
  }

  restored(node: number, group: number, index: number, digest: readonly [number, number]): void {
    const data = { index, digest: hex64(digest) };
    this.#write(node, group, "restored", data, this.#step(node, group));
  }

  answered(node: number, request: number, bytes: Uint8Array): void {
    const data = { request, bytes: base64Encode(bytes) };
    this.#write(node, 0, "answer", data, this.#step(node, 0));
  }

  event(node: number, group: number, { name, ...detail }: ConsensusEvent): void {
    this.said(node, group, name, detail);
  }

  /** What a machine wants people to see; or the world, as node 0. */
  said(node: number, group: number, name: string, detail: Json): void {
    this.#write(
      node,
      group,
      "event",
      { name, detail },
      node === 0 ? null : this.#step(node, group),
    );
  }

  /** The node stopped itself; its crash, which follows, gets this reason. */
  stopped(node: number, reason: string): void {
    this.#reasons.set(node, reason);
  }

  crashed(node: number): void {
    const reason = this.#reasons.get(node) ?? "killed";
    this.#reasons.delete(node);
    this.#write(node, 0, "crash", { reason }, null);
    this.#boots.delete(node);
    // What it did and what it believed went with the process.
    for (const known of [this.#states, this.#steps]) {
      for (const key of known.keys()) if (key.endsWith(`/${node}`)) known.delete(key);
    }
  }

  /** `group` counts from 1, as everywhere in a trace. */
  invoked({ planned }: Operation): void {
    const { id, client, kind, key, value, expected } = planned;
    const written = kind === "get" || kind === "delete" || kind === "range" ? null : value;
    const data = { client, operation: id, call: kind, key, value: written, expected };
    this.#begun.set(`op ${id}`, this.#write(0, this.#groupOf(planned), "invoke", data, null));
  }

  asked({ planned }: Operation, { node, group, slot, epoch }: Attempt): void {
    const { id, client } = planned;
    const data = { client, operation: id, to: node, slot, epoch };
    const cause = this.#begun.get(`op ${id}`) ?? null;
    let attempts = this.#attempts.get(id);
    if (attempts === undefined) this.#attempts.set(id, (attempts = new Map()));
    attempts.set(node, this.#write(0, group, "attempt", data, cause));
  }

  heard({ planned }: Operation, attempt: Attempt, bytes: Uint8Array): void {
    const { id, client } = planned;
    const { node: from, group, slot, epoch } = attempt;
    const told = { answer: answerWord(bytes), newest: movedTo(bytes) };
    const data = { client, operation: id, from, slot, epoch, ...told };
    this.#write(0, group, "reply", data, this.#attempts.get(id)?.get(from) ?? null);
  }

  completed({ planned, outcome, result, session, serial, served }: Operation): void {
    const { id, client } = planned;
    const group = served?.group ?? this.#groupOf(planned);
    const told = outcome === "failed" ? "fail" : outcome;
    const value = result === null ? null : { ...result };
    const cause = this.#begun.get(`op ${id}`) ?? null;
    this.#begun.delete(`op ${id}`);
    this.#attempts.delete(id);
    const data = { client, operation: id, outcome: told, value: value as Json };
    const returned = this.#write(0, group, "return", data, cause);
    if (outcome !== "ok" || serial === 0) return;
    this.#write(0, group, "acked", { session: String(session), serial }, returned);
  }

  fault({ id, kind, nodes, peers, forUs, amount }: Fault, active: boolean): void {
    const cause = active ? null : (this.#begun.get(`fault ${id}`) ?? null);
    const data = { id, fault: kind, active, nodes, peers, forUs, amount };
    const written = this.#write(0, 0, "fault", data, cause);
    if (active) this.#begun.set(`fault ${id}`, written);
    else this.#begun.delete(`fault ${id}`);
  }

  violated(node: number, group: number, property: string, message: string): void {
    const cause = node === 0 ? null : this.#step(node, group);
    this.#write(node, group, "violation", { property, message }, cause);
  }

  /** 0 where the plan does not say it. */
  #groupOf({ group }: Operation["planned"]): number {
    return this.#world.mapped ? 0 : group + 1;
  }

  /** State, role and evidence, as far as they changed with this step. */
  #state(node: number, view: RaftView, cause: TraceCause | null): void {
    const { group, replica, role, term, vote, leader, commit, first, last } = view;
    const key = `${group}/${node}`;
    const before = this.#states.get(key) ?? null;
    const configuration = view.configurationIndex as number;
    const now = { replica, role, term, vote, leader, commit, first, last };
    if (before !== null && same(before, now) && before.configuration === configuration) return;
    bounded(this.#states, replicasMax).set(key, { ...now, configuration });
    this.#write(node, group, "state", now, cause);
    if (before?.role !== role || before.term !== term) {
      this.#write(node, group, "role", { role, term }, cause);
      if (role === "leader") this.#write(node, group, "elected", { term, replica }, cause);
    }
    this.#steward(node, view, before?.role === "leader", cause);
    if (before?.configuration !== configuration) this.#configured(node, view, cause);
    if (before !== null && commit > before.commit) this.#chosen(node, view, before.commit, cause);
  }

  /** Who leads the meta group carries out its jobs. */
  #steward(node: number, view: RaftView, was: boolean, cause: TraceCause | null): void {
    const { group, role, term } = view;
    const active = role === "leader";
    if (!this.#world.mapped || group !== metaGroup || active === was) return;
    this.#write(node, group, "steward", { active, term }, cause);
  }

  #configured(node: number, view: RaftView, cause: TraceCause | null): void {
    const { voters, outgoing, learners } = view.configuration;
    const ids = (members: typeof voters): number[] => members.map(({ replica }) => replica);
    const index = view.configurationIndex;
    const data = { index, voters: ids(voters), outgoing: ids(outgoing), learners: ids(learners) };
    this.#write(node, view.group, "configuration", data, cause);
  }

  #chosen(node: number, view: RaftView, after: number, cause: TraceCause | null): void {
    const from = Math.max(after + 1, view.first, view.commit - chosenMax + 1);
    for (let position = from; position <= view.commit; position++) {
      const index = position as typeof view.commit;
      const term = view.termAt(index);
      const digest = hex64([term, view.entryDigest(index)]);
      this.#write(node, view.group, "chosen", { position, term, digest }, cause);
    }
  }

  #step(node: number, group: number): TraceCause | null {
    return this.#steps.get(`${group}/${node}`) ?? this.#steps.get(`0/${node}`) ?? null;
  }

  #write<K extends TraceKind>(
    node: number,
    group: number,
    kind: K,
    data: TraceData<K>,
    cause: TraceCause | null,
  ): TraceCause {
    const boot = node === 0 ? 0 : this.#bootOf(node, kind);
    const key = `${node}/${boot}`;
    const seq = (this.#sequences.get(key) ?? 0) + 1;
    this.#sequences.set(key, seq);
    const name = { node, boot, seq };
    const at = this.#world.nowUs();
    const t = node === 0 ? (at ?? 0) : this.#world.localUs(node);
    const head = at === null ? { t, ...name } : { t, at, ...name };
    this.#sink({ ...head, group, kind, cause, data } as TraceEvent);
    return name;
  }

  /** A node that has just died is told of in its last boot; one that does not know its own, in 0. */
  #bootOf(node: number, kind: TraceKind): number {
    const known = this.#boots.get(node) ?? 0;
    const boot = this.#world.boot(node);
    if (kind === "crash") return known;
    if (boot === 0 || boot === known) return boot;
    this.#boots.set(node, boot);
    const nowUs = this.#world.nowUs();
    const worldOffsetUs = nowUs === null ? 0 : nowUs - this.#world.localUs(node);
    const disk = this.#world.disk(node);
    this.#write(node, 0, "boot", { ...this.#world.clock(node), worldOffsetUs, disk }, null);
    return boot;
  }
}

/** Room for one more: the oldest goes. */
function bounded<T>(map: Map<string, T>, most: number): Map<string, T> {
  if (map.size >= most) for (const oldest of map.keys()) if (map.delete(oldest)) break;
  return map;
}

function same(one: TraceData<"state">, other: TraceData<"state">): boolean {
  return (
    one.replica === other.replica &&
    one.role === other.role &&
    one.term === other.term &&
    one.vote === other.vote &&
    one.leader === other.leader &&
    one.commit === other.commit &&
    one.first === other.first &&
    one.last === other.last
  );
}

/** What people want to know of a message: its kind and its numbers; of entries, how many. */
function messageJson(message: RaftMessage): Json {
  const told: Record<string, Json> = {};
  for (const [name, value] of Object.entries(message) as [string, unknown][]) {
    if (name === "group" || name === "incarnation") continue;
    if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") {
      told[name] = value;
    } else if (name === "entries") {
      told[name] = (value as readonly unknown[]).length;
    }
  }
  return told;
}

function hex64([a, b]: readonly [number, number]): string {
  return hex32(a) + hex32(b);
}
