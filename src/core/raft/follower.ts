/** What a follower does with its leader's words (thesis figure 3.1, AppendEntries RPC). */
import { type Entry, entryType } from "../entry.js";
import type { Index } from "../ids.js";
import { makeRoom } from "./compaction.js";
import { decodeConfiguration } from "./configuration-codec.js";
import { type RaftCore, afterHardState, afterLog, emit, send, writesFull } from "./core.js";
import { appendEntry, cutLog } from "./log-writes.js";
import { heardLeader } from "./liveness.js";
import { lastIndex, termAt } from "./log.js";
import type { Append, Heartbeat, Sleep, SnapshotChunk } from "./messages.js";
import { becomeFollower, restartElectionTimer } from "./roles.js";

/** A leader of our own term spoke: it is the only one of the term, and it lives. */
export function hearLeader(
  core: RaftCore,
  message: Append | Heartbeat | SnapshotChunk | Sleep,
): void {
  const { state } = core;
  if (state.role !== "follower" || state.leader !== message.from) {
    becomeFollower(core, message.term, message.from);
  }
  state.leaderNode = core.sender;
  heardLeader(core);
  restartElectionTimer(core);
}

export function onAppend(core: RaftCore, message: Append): void {
  const { state } = core;
  if (!isWellFormed(message) || !knowsConfigurations(core, message)) return;
  const { prevIndex, entries } = message;
  // The base is committed: what lies at or below it is the same in every leader's log.
  if (prevIndex >= state.log.base && termAt(state.log, prevIndex) !== message.prevTerm) {
    refuseAppend(core, message);
    return;
  }
  const fresh = firstFresh(core, message);
  const end = endOfFitting(core, message, fresh);
  if (end > fresh) {
    if (entries[fresh]!.index <= lastIndex(state.log)) cutLog(core, entries[fresh]!.index);
    for (let at = fresh; at < end; at++) appendEntry(core, entries[at]!);
  }
  const match = prevIndex + end;
  state.verified = Math.max(state.verified, match);
  state.commit = Math.max(state.commit, Math.min(message.commit, match));
  // Silence: the leader sees a slow follower and tries again later.
  if (end === fresh && (fresh < entries.length || isUnwritten(core, match))) return;
  replyAppend(core, message, { accepted: true, match, hintIndex: 0, hintTerm: 0 });
}

/** The first entry of the message that is not in the log already: never cut what agrees. */
function firstFresh({ state }: RaftCore, { entries }: Append): number {
  let at = 0;
  for (; at < entries.length; at++) {
    const { index, term } = entries[at]!;
    if (index <= state.log.base) continue;
    if (termAt(state.log, index) !== term) break;
  }
  return at;
}

/**
 * Up to where the message's entries can be taken. A full log takes no more data, but still what
 * leaders append by themselves: without their blank entry nothing would ever be committed of it
 * again, and so nothing compacted.
 */
function endOfFitting(core: RaftCore, { prevIndex, entries }: Append, fresh: number): number {
  const { state, options } = core;
  if (fresh === entries.length || writesFull(core) || state.noSpaceToken > 0) return fresh;
  const storable = endOfStorable(core, entries, fresh);
  const room = (): number => state.log.base + options.logEntriesMax - prevIndex;
  if (room() >= storable) return storable;
  core.marks.hit("logFull");
  makeRoom(core);
  let end = Math.max(fresh, Math.min(room(), storable));
  while (end < storable && isOfLeaders(entries[end]!)) end++;
  return end;
}

/** A leader's limits may be wider than those of this node's disk. */
function endOfStorable(core: RaftCore, entries: readonly Entry[], fresh: number): number {
  for (let at = fresh; at < entries.length; at++) {
    const { index, payload } = entries[at]!;
    if (payload.length <= core.options.storedEntryBytesMax) continue;
    core.marks.hit("entryTooLarge");
    emit(core, { name: "entryTooLarge", index, bytes: payload.length });
    return at;
  }
  return entries.length;
}

function isOfLeaders({ type }: Entry): boolean {
  return type === entryType.blank || type === entryType.configuration;
}

/** True while a part of the log up to `match` found no room on disk and waits for its next try. */
function isUnwritten({ state }: RaftCore, match: number): boolean {
  return match > state.durable && state.unwrittenFrom > 0;
}

/** Peers are trusted to follow the protocol, but a message may not break what the log rests on. */
function isWellFormed({ entries, prevIndex, prevTerm, term }: Append): boolean {
  let before: number = prevTerm;
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at]!;
    if (entry.index !== prevIndex + 1 + at) return false;
    if (entry.term < before || entry.term > term) return false;
    before = entry.term;
  }
  return before <= term;
}

/** One of a newer version's format cannot be obeyed, and so not be taken. */
function knowsConfigurations(core: RaftCore, { entries }: Append): boolean {
  for (const { type, payload, index } of entries) {
    if (type !== entryType.configuration || "ok" in decodeConfiguration(payload)) continue;
    emit(core, { name: "unknownConfiguration", index });
    return false;
  }
  return true;
}

/** The highest position at which the logs may still agree: one answer skips a whole term. */
function refuseAppend(core: RaftCore, message: Append): void {
  const { log } = core.state;
  let hint = Math.min(message.prevIndex, lastIndex(log));
  while (hint > log.base && termAt(log, hint) > message.prevTerm) hint--;
  const answer = { accepted: false, match: 0, hintIndex: hint, hintTerm: termAt(log, hint) };
  replyAppend(core, message, answer);
}

interface AppendAnswer {
  readonly accepted: boolean;
  readonly match: number;
  readonly hintIndex: number;
  readonly hintTerm: number;
}

function replyAppend(core: RaftCore, message: Append, answer: AppendAnswer): void {
  const { state } = core;
  send(
    core,
    core.sender,
    {
      kind: "appendReply",
      group: state.group,
      incarnation: state.incarnation,
      from: state.replica,
      to: message.from,
      term: state.term,
      request: message.request,
      session: message.session,
      accepted: answer.accepted,
      match: answer.match as Index,
      hintIndex: answer.hintIndex as Index,
      hintTerm: answer.hintTerm as never,
      damaged: state.damagedThrough > 0,
    },
    answer.accepted ? afterLog(core, answer.match) : afterHardState(core),
  );
}

export function onHeartbeat(core: RaftCore, message: Heartbeat): void {
  const { state } = core;
  // The leader never names a commit above what it knows this log to hold.
  state.commit = Math.max(state.commit, Math.min(message.commit, lastIndex(state.log)));
  replyHeartbeat(core, message);
}

export function replyHeartbeat(
  core: RaftCore,
  { from: to, request, session }: Heartbeat | Sleep,
): void {
  const { group, incarnation, replica: from, term, damagedThrough } = core.state;
  const damaged = damagedThrough > 0;
  send(
    core,
    core.sender,
    { kind: "heartbeatReply", group, incarnation, from, to, term, request, session, damaged },
    afterHardState(core),
  );
}

/** A leader of an older term hears of ours, and steps down. */
export function refuseStaleLeader(
  core: RaftCore,
  message: Append | Heartbeat | SnapshotChunk | Sleep,
): void {
  const { state } = core;
  core.marks.hit("staleLeaderRefused");
  if (message.kind === "append") {
    replyAppend(core, message, { accepted: false, match: 0, hintIndex: 0, hintTerm: 0 });
  } else if (message.kind === "heartbeat" || message.kind === "sleep") {
    replyHeartbeat(core, message);
  } else {
    const { group, incarnation, replica: from, term } = state;
    const { from: to, request, session, snapshot } = message;
    const reply = { group, incarnation, from, to, term, request, session };
    const refused = { outcome: "refused", snapshotIndex: snapshot.index, offset: 0 } as const;
    send(core, core.sender, { kind: "snapshotReply", ...reply, ...refused }, afterHardState(core));
  }
}
