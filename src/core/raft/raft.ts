/** One replica of a Raft group (Ongaro's thesis): what each input does, and what follows from it. */
import { assert, assertNever } from "../assert.js";
import type { ByteReader } from "../bytes.js";
import type { Consensus, ConsensusInput, Permissions, Sealer } from "../consensus.js";
import type { Boot, GroupId, Incarnation, NodeId, ReplicaId } from "../ids.js";
import type { Marks } from "../marks.js";
import { pack, unpack } from "../plain.js";
import { onApplied, onApplyLogRead, applyCommitted, trimCache } from "./apply.js";
import { advanceCommit } from "./commit.js";
import { compactAsAsked, maybeTakeSnapshot, onCompactNow, onSnapshotTaken } from "./compaction.js";
import { type RaftCore, type RaftEffect, closePersist } from "./core.js";
import { onPersistFailed, onPersisted, retryWrites } from "./durability.js";
import { countOwnVote, endRound, onElectionTimeout } from "./election.js";
import { expireForward } from "./follower-reads.js";
import { onLeaderTimer } from "./leader.js";
import { afterCommit, noteRemoval, onChange } from "./membership.js";
import { onMessage } from "./message-in.js";
import type { RaftMessage } from "./messages.js";
import { type RaftOptions, checkRaftOptions } from "./options.js";
import { onPropose } from "./proposals.js";
import { onRead, serveReads } from "./reads.js";
import { onRecovered } from "./recovery.js";
import { checkRepair } from "./repair.js";
import { onPeerLogRead, onUnreachable, replicate } from "./replication.js";
import { onChunkRead } from "./snapshots-send.js";
import { onChunkWritten, onRestored, tryRestore } from "./snapshots-receive.js";
import { mayCampaign } from "./roles.js";
import { sleepWithPeers, stir } from "./sleep.js";
import { readRow } from "./sleeping-row.js";
import { type RaftState, initialState } from "./state.js";
import { armTimer } from "./timer.js";
import { advanceTransfer, expireTransfer, handOver, onTransfer, passOn } from "./transfer.js";
import { viewOf } from "./view-of.js";
import type { RaftView } from "./view.js";

export interface RaftConfig {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
  readonly node: NodeId;
  /** The node's start: request ids of different starts must never meet. */
  readonly boot: Boot;
  readonly options: RaftOptions;
  /** From (seed, node, boot, group, incarnation): two replicas never time out alike. */
  readonly seed: readonly [number, number, number, number];
  readonly sealer: Sealer;
  readonly marks: Marks;
  /** As `pack` gave it, of the same boot: the replica goes on from there. Without it, it begins. */
  readonly packed?: Uint8Array;
  /** What `writeRow` wrote, of the same boot: the replica sleeps on. Read up to its end. */
  readonly row?: ByteReader;
}

export type RaftInput = ConsensusInput<RaftMessage>;

/** The first input is `recovered`, unless it goes on from a packed state. */
export class Raft implements Consensus<RaftMessage, RaftView> {
  readonly view: RaftView;
  readonly #core: RaftCore;

  constructor(config: RaftConfig) {
    const { options, sealer, marks } = config;
    const wrong = checkRaftOptions(options);
    assert(wrong.length === 0, "options of a replica can be used", { wrong });
    this.#core = {
      options,
      sealer,
      boot: config.boot,
      marks,
      state: firstState(config),
      now: 0,
      out: [],
      sender: config.node,
      persist: null,
      hardChanged: false,
      changedFrom: Infinity,
    };
    this.view = viewOf(this.#core);
  }

  get state(): RaftState {
    return this.#core.state;
  }

  /** All that it knows, as bytes: a replica that sleeps need be no more than these. */
  pack(): Uint8Array {
    return pack(this.#core.state);
  }

  /**
   * The state for digests: its log's digests stand for the entries. What nobody asked for is left
   * out, so that runs without it keep theirs.
   */
  get summary(): unknown {
    const { compactTo, ...state } = this.#core.state;
    const log = { ...state.log, entries: null };
    return compactTo === 0 ? { ...state, log } : { ...state, log, compactTo };
  }

  step(now: number, input: RaftInput, out: RaftEffect[]): void {
    const core = this.#core;
    core.now = now;
    core.out = out;
    core.changedFrom = Infinity;
    const commit = core.state.commit;
    stir(core, input);
    handle(core, input);
    if (core.state.role === "leader") settleLeader(core);
    if (core.state.damagedThrough > 0) checkRepair(core);
    if (core.state.commit !== commit) noteRemoval(core);
    if (core.state.receiving !== null) tryRestore(core);
    if (core.state.compactTo > 0) compactAsAsked(core);
    applyCommitted(core);
    trimCache(core);
    closePersist(core);
    armTimer(core);
    core.out = nowhere;
  }
}

function firstState(config: RaftConfig): RaftState {
  const { seed, packed, row } = config;
  if (row !== undefined) return readRow(row, config, seed);
  return packed === undefined ? initialState(config, seed) : unpackedState(packed);
}

function unpackedState(packed: Uint8Array): RaftState {
  const unpacked = unpack(packed);
  assert("ok" in unpacked, "what was packed here can be unpacked", { bytes: packed.length });
  return unpacked.ok as unknown as RaftState;
}

/** Effects belong to the step that made them. */
const nowhere: RaftEffect[] = [];

function handle(core: RaftCore, input: RaftInput): void {
  switch (input.kind) {
    case "message":
      core.sender = input.from;
      onMessage(core, input.message);
      return;
    case "propose":
      onPropose(core, input.request, input.type, input.payload);
      return;
    case "persisted":
      onPersisted(core, input.token);
      countOwnVote(core);
      return;
    case "applied":
      onApplied(core, input.index);
      maybeTakeSnapshot(core);
      return;
    case "timer":
      onTimer(core);
      return;
    case "read":
      onRead(core, input.request, input.mode);
      return;
    case "change":
      onChange(core, input.request, input.changes);
      return;
    case "transfer":
      onTransfer(core, input.request, input.to);
      return;
    default:
      handleHost(core, input);
  }
}

type HostInput = Exclude<
  RaftInput,
  {
    kind:
      "message" | "propose" | "persisted" | "applied" | "timer" | "read" | "change" | "transfer";
  }
>;

function handleHost(core: RaftCore, input: HostInput): void {
  switch (input.kind) {
    case "recovered":
      onRecovered(core, input.replica);
      return;
    case "persistFailed":
      onPersistFailed(core, input.token);
      return;
    case "logRead":
      if (!onPeerLogRead(core, input.request, input.entries)) {
        onApplyLogRead(core, input.request, input.entries);
      }
      return;
    case "snapshotTaken":
      onSnapshotTaken(core, input.request, input.snapshot);
      return;
    case "chunkRead":
      onChunkRead(core, input.request, input.bytes);
      return;
    case "chunkWritten":
      onChunkWritten(core, input.request, input.ok);
      return;
    case "restored":
      onRestored(core, input.request, input.snapshot);
      return;
    case "unreachable":
      onUnreachable(core, input.node);
      return;
    case "noRoom":
      passOn(core);
      return;
    case "wake":
      // That has happened.
      return;
    case "permitted":
      onPermitted(core, input.permissions);
      return;
    case "compactNow":
      onCompactNow(core);
      return;
    case "signed":
    case "verified":
      // Raft asks for no signatures: an answer is to nobody.
      return;
    default:
      assertNever(input);
  }
}

function onTimer(core: RaftCore): void {
  const { state, now } = core;
  state.wakeAtUs = Infinity;
  if (state.asleep) return;
  retryWrites(core);
  if (state.role === "leader") {
    onLeaderTimer(core);
    return;
  }
  expireForward(core);
  expireTransfer(core);
  if (now >= state.electionDeadlineUs) onElectionTimeout(core);
}

function onPermitted(core: RaftCore, permissions: Permissions): void {
  const { state } = core;
  state.permissions = permissions;
  if (state.role === "leader") handOver(core);
  else if (state.role !== "follower" && !mayCampaign(core)) endRound(core);
}

/** What a leader does in consequence of whatever happened in the step. */
function settleLeader(core: RaftCore): void {
  const { state } = core;
  if (advanceCommit(core)) afterCommit(core);
  if (state.role !== "leader") return;
  serveReads(core);
  advanceTransfer(core);
  for (const peer of state.peers) replicate(core, peer);
  sleepWithPeers(core);
}
