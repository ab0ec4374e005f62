/**
 * What every part of the replica works on: its state, the step under way, and how effects are said.
 * A step has at most one persist effect, opened when the first durable thing changes; what is said
 * afterwards can already name its token.
 */
import type { ConsensusEffect, ConsensusEvent, RefusalReason, Sealer } from "../consensus.js";
import type { Entry, HardState, SnapshotMeta } from "../entry.js";
import {
  type Boot,
  type Index,
  type NodeId,
  type ReplicaId,
  type RequestId,
  type Token,
  noToken,
} from "../ids.js";
import type { Marks } from "../marks.js";
import { lastIndex } from "./log.js";
import type { RaftMessage } from "./messages.js";
import type { RaftOptions } from "./options.js";
import type { Peer } from "./progress.js";
import type { RaftState } from "./state.js";

export type RaftEffect = ConsensusEffect<RaftMessage>;

interface OpenPersist {
  readonly kind: "persist";
  readonly token: Token;
  hardState: HardState | null;
  truncateFrom: Index;
  readonly entries: Entry[];
  installed: SnapshotMeta | null;
  repaired: boolean;
}

export interface RaftCore {
  readonly options: RaftOptions;
  readonly sealer: Sealer;
  /** The node's start. */
  readonly boot: Boot;
  readonly marks: Marks;
  readonly state: RaftState;
  /** The step under way. */
  now: number;
  out: RaftEffect[];
  /** The node from which the message under way came. */
  sender: NodeId;
  persist: OpenPersist | null;
  hardChanged: boolean;
  /** The lowest position that this step changed; Infinity when none. */
  changedFrom: number;
}

/** The step's persist effect, opened if it is not yet. */
export function openPersist(core: RaftCore): OpenPersist {
  if (core.persist !== null) return core.persist;
  const persist: OpenPersist = {
    kind: "persist",
    token: ++core.state.token as Token,
    hardState: null,
    truncateFrom: 0 as Index,
    entries: [],
    installed: null,
    repaired: false,
  };
  core.persist = persist;
  core.out.push(persist);
  return persist;
}

/** Term or vote changed: they go into this step's write, and what depends on them waits for it. */
export function saveHardState(core: RaftCore): void {
  core.state.hardToken = openPersist(core).token;
  core.hardChanged = true;
}

/** The hint lags by at most so many entries, so that a restart applies most of its log at once. */
const commitHintEvery = 64;

/** Ends the step's persist effect and notes what it will prove once it is durable. */
export function closePersist(core: RaftCore): void {
  const { persist, state } = core;
  if (persist === null) return;
  // No hint beyond what is durable: were these entries lost, it would vouch for others.
  const hint = Math.min(state.commit, state.durable);
  if (core.hardChanged || hint >= state.commitSaved + commitHintEvery) {
    persist.hardState = { term: state.term, vote: state.vote, commit: hint as Index };
    state.commitSaved = hint;
  }
  const { entries, truncateFrom, installed } = persist;
  const first = truncateFrom > 0 ? truncateFrom : entries.length > 0 ? entries[0]!.index : 0;
  const through = installed === null ? 0 : installed.index;
  state.writes.push({
    token: persist.token,
    first,
    last: first > 0 ? lastIndex(state.log) : through,
    hard: core.hardChanged,
    installed: installed !== null,
    repaired: persist.repaired,
    cut: false,
  });
  core.persist = null;
  core.hardChanged = false;
}

/** True when the host owes so many answers that nothing that needs another write is taken on. */
export function writesFull({ state, options }: RaftCore): boolean {
  return state.writes.length >= options.pendingWritesMax;
}

/** What says our term or vote waits for this. */
export function afterHardState({ state }: RaftCore): Token {
  return state.hardToken > state.durableToken ? (state.hardToken as Token) : noToken;
}

/** What says that our log holds positions up to `match` waits for this. */
export function afterLog(core: RaftCore, match: number): Token {
  const { state } = core;
  if (match <= state.durable) return afterHardState(core);
  return state.token > state.durableToken ? (state.token as Token) : noToken;
}

export function send(core: RaftCore, to: NodeId, message: RaftMessage, after: Token): void {
  core.out.push({ kind: "send", to, message, after });
}

export function emit(core: RaftCore, event: ConsensusEvent): void {
  core.out.push({ kind: "event", event });
}

/** 0 is nobody's request: what the replica undertook by itself is answered to nobody. */
export function refuse(core: RaftCore, request: number, reason: RefusalReason): void {
  if (request === 0) return;
  const leader = core.state.leaderNode;
  core.out.push({
    kind: "answer",
    request: request as RequestId,
    result: { kind: "refused", reason, leader },
    after: noToken,
  });
}

export function nextRequest(state: RaftState): RequestId {
  return state.nextRequest++ as RequestId;
}

export function peerOf(state: RaftState, replica: ReplicaId): Peer | undefined {
  for (const peer of state.peers) if (peer.replica === replica) return peer;
  return undefined;
}
