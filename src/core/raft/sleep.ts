/**
 * A group with nothing to do sleeps: no deadline, no message (docs/decisions/0005). Its leader asks
 * with a heartbeat that says so, and sleeps itself when every member has agreed; whatever concerns
 * the group wakes it. Nobody who sleeps holds a lease, and a promise that was given stands.
 */
import { shorten } from "../arrays.js";
import { noReplica, type ReplicaId, type RequestId } from "../ids.js";
import { isJoint, members } from "./configuration.js";
import { type RaftCore, afterHardState, emit, nextRequest, send } from "./core.js";
import { replyHeartbeat } from "./follower.js";
import { heardLeader } from "./liveness.js";
import { evictLog, lastIndex, lastTerm } from "./log.js";
import type { Asleep, RaftMessage, Sleep } from "./messages.js";
import { sendHeartbeat } from "./peers.js";
import { type Peer, inflightCount, openHeartbeat } from "./progress.js";
import type { RaftInput } from "./raft.js";
import { answeredBeat } from "./replication.js";
import { mayLead, restartElectionTimer } from "./roles.js";
import type { RaftState } from "./state.js";

/** Before each step: what concerns the group wakes who sleeps, and work ends a leader's asking. */
export function stir(core: RaftCore, input: RaftInput): void {
  const { state } = core;
  if (state.asleep) {
    if (wakes(core, input)) wake(core, input);
  } else if (state.role === "leader" && isWork(input)) {
    if (state.askedUs > 0) core.marks.hit("sleepBrokenOff");
    goOn(core);
  }
}

/** Answers of the host and of peers are no work: they come of work that was done before. */
function isWork(input: RaftInput): boolean {
  switch (input.kind) {
    case "message":
      return !answers.has(input.message.kind);
    case "propose":
    case "read":
    case "change":
    case "transfer":
    case "permitted":
    case "noRoom":
    case "wake":
      return true;
    default:
      return false;
  }
}

const answers: ReadonlySet<RaftMessage["kind"]> = new Set([
  "appendReply",
  "heartbeatReply",
  "snapshotReply",
  "asleep",
]);

/** Answers of peers wake too: they are to something that was said before the group fell asleep. */
function wakes({ state }: RaftCore, input: RaftInput): boolean {
  if (input.kind !== "message") return isWork(input) || input.kind === "persistFailed";
  const { message } = input;
  if (message.group !== state.group || message.incarnation !== state.incarnation) return false;
  if (message.to !== state.replica) return false;
  // Another word of the exchange by which it fell asleep.
  if (message.kind === "asleep") return message.term !== state.term || state.role !== "leader";
  return message.kind !== "sleep" || !isKnown(state, message) || !endsAlike(state, message);
}

function isKnown(state: RaftState, { term, from, boot }: Sleep): boolean {
  return term === state.term && from === state.leader && boot === state.leaderBoot;
}

function wake(core: RaftCore, input: RaftInput): void {
  const { state } = core;
  state.asleep = false;
  state.leaderBoot = 0;
  const by = input.kind === "message" ? input.message.kind : input.kind;
  emit(core, { name: "awoke", by, term: state.term });
  if (state.role === "leader") {
    core.marks.hit("wokeToLead");
    // As at the beginning of a leadership: everyone gets one timeout to answer.
    for (const peer of state.peers) peer.liveness.lastHeardUs = core.now;
    goOn(core);
    return;
  }
  restartElectionTimer(core);
  // Nobody has been listening: only from now on can silence say that the leader is gone.
  if (state.leader !== noReplica) heardLeader(core);
  if (input.kind === "message" && isOfLeader(state, input.message)) return;
  tellOfWaking(core);
}

function isOfLeader({ term }: RaftState, message: RaftMessage): boolean {
  return message.term >= term && ofLeaders.has(message.kind);
}

const ofLeaders: ReadonlySet<RaftMessage["kind"]> = new Set([
  "append",
  "heartbeat",
  "sleep",
  "snapshotChunk",
]);

/** A leader that sleeps would say nothing until this follower campaigned against it. */
function tellOfWaking(core: RaftCore): void {
  const { state } = core;
  if (state.leader !== noReplica && state.leaderNode !== null) {
    core.marks.hit("wokeToFollow");
    sendWake(core, state.leader, state.leaderNode);
    return;
  }
  core.marks.hit("wokeUnderNobody");
  for (const { replica, node } of members(state.configuration)) {
    if (replica !== state.replica) sendWake(core, replica, node);
  }
}

function sendWake(core: RaftCore, to: ReplicaId, node: Peer["node"]): void {
  const { group, incarnation, replica: from, term } = core.state;
  const request = core.state.nextBootRequest++ as RequestId;
  const message = { kind: "wake", group, incarnation, from, to, term, request } as const;
  send(core, node, message, afterHardState(core));
}

/** A leader with work, or whose peers did not all agree: who sleeps already is spoken to at once. */
function goOn(core: RaftCore): void {
  const { state } = core;
  state.busyUs = core.now;
  state.askedUs = 0;
  for (const peer of state.peers) {
    if (!peer.asleep) continue;
    peer.asleep = false;
    sendHeartbeat(core, peer);
  }
}

/** At a leader's beat: whether it is to ask its peers to sleep, instead of only saying that it lives. */
export function asksToSleep(core: RaftCore): boolean {
  const { state, options, now } = core;
  if (options.sleepAfterUs === 0 || now < state.busyUs + options.sleepAfterUs) return false;
  if (!hasNothingToDo(core)) {
    if (state.askedUs > 0) goOn(core);
    return false;
  }
  if (state.askedUs === 0) {
    state.askedUs = now;
    state.askedFrom = state.nextRequest;
  } else if (now >= state.askedUs + options.electionTimeoutMaxUs) {
    // Who sleeps under a leader that is awake would not see that it fails.
    core.marks.hit("sleepGivenUp");
    goOn(core);
    return false;
  }
  return true;
}

export function sendSleep(core: RaftCore, peer: Peer): void {
  const { state, now, boot } = core;
  const { group, incarnation, replica: from, term, log } = state;
  const request = nextRequest(state);
  openHeartbeat(peer, request, now);
  peer.liveness.lastSentUs = now;
  const end = { lastIndex: lastIndex(log), lastTerm: lastTerm(log), boot } as Pick<
    Sleep,
    "lastIndex" | "lastTerm" | "boot"
  >;
  const { replica: to, session } = peer;
  const envelope = { group, incarnation, from, to, term, request, session };
  send(core, peer.node, { kind: "sleep", ...envelope, ...end }, afterHardState(core));
}

/** Of the leader of our term. It is a heartbeat as well: our promise to the leader is renewed. */
export function onSleep(core: RaftCore, message: Sleep): void {
  const { state } = core;
  if (endsAlike(state, message)) {
    // All of the leader's log is committed, and ours is equal to it (thesis section 3.5).
    state.commit = Math.max(state.commit, message.lastIndex);
  }
  if (!endsAlike(state, message) || !isSettled(state)) {
    core.marks.hit("sleepNotAgreed");
    replyHeartbeat(core, message);
    return;
  }
  const { group, incarnation, replica: from, term } = state;
  const { from: to, request, session } = message;
  const envelope = { group, incarnation, from, to, term, request, session };
  const { boot } = core;
  send(core, core.sender, { kind: "asleep", ...envelope, boot }, afterHardState(core));
  state.leaderBoot = message.boot;
  fallAsleep(core);
}

function endsAlike({ log }: RaftState, message: Sleep): boolean {
  return lastIndex(log) === message.lastIndex && lastTerm(log) === message.lastTerm;
}

export function onAsleep(core: RaftCore, message: Asleep): void {
  const { state } = core;
  const peer = answeredBeat(core, message, false);
  if (peer === undefined || state.askedUs === 0 || message.request < state.askedFrom) return;
  peer.asleep = true;
  peer.boot = message.boot;
}

/** At the end of a leader's step: when all have agreed it sleeps too. */
export function sleepWithPeers(core: RaftCore): void {
  const { state } = core;
  if (state.askedUs === 0 || !hasNothingToDo(core)) return;
  for (const peer of state.peers) if (!peer.asleep) return;
  core.marks.hit("sleepAgreed");
  state.askedUs = 0;
  for (const { heartbeats, liveness } of state.peers) {
    shorten(heartbeats, 0);
    // No lease outlives this.
    liveness.lastSentUs = 0;
    liveness.lastHeardUs = 0;
    liveness.ackedSentUs = 0;
  }
  fallAsleep(core);
}

function fallAsleep(core: RaftCore): void {
  const { state } = core;
  state.electionDeadlineUs = Infinity;
  if (state.asleep) return;
  state.asleep = true;
  // All of it is committed, durable and applied: what somebody may still need is on disk.
  evictLog(state.log, state.commit, 0);
  emit(core, { name: "asleep", term: state.term, leader: state.leader });
}

/** Everything is committed, durable and applied here, and no answer is awaited from anywhere. */
function isSettled(state: RaftState): boolean {
  const last = lastIndex(state.log);
  return (
    state.applied === last &&
    state.commit === last &&
    state.durable === last &&
    state.writes.length === 0 &&
    state.noSpaceToken === 0 &&
    state.unwrittenFrom === 0 &&
    state.damagedThrough === 0 &&
    state.unknownTypeAt === 0 &&
    state.receiving === null &&
    state.applyingTo === 0 &&
    state.applyRead === 0 &&
    state.takeRequest === 0 &&
    state.compactTo === 0 &&
    state.forwardRequest === 0 &&
    state.handedOver === null &&
    state.permissions.mayLead &&
    state.permissions.mayApply &&
    !state.removed
  );
}

function hasNothingToDo({ state }: RaftCore): boolean {
  return (
    isSettled(state) &&
    mayLead(state) &&
    !isJoint(state.configuration) &&
    state.changeRequest === 0 &&
    state.transfer === null &&
    state.reads.length === 0 &&
    state.peers.every((peer) => holdsAll(state, peer))
  );
}

/** A member whose log is known to equal ours, to which nothing is on its way. */
function holdsAll(state: RaftState, peer: Peer): boolean {
  return (
    peer.match === lastIndex(state.log) &&
    !peer.damaged &&
    peer.leftUs === Infinity &&
    peer.mode !== "snapshot" &&
    peer.readRequest === 0 &&
    inflightCount(peer) === 0
  );
}
