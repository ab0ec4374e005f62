/** Who may speak here, and what a term in a message means before its content does. */
import { assertNever } from "../assert.js";
import { noReplica } from "../ids.js";
import { type RaftCore, writesFull } from "./core.js";
import { onPreVote, onPreVoteReply, onTimeoutNow, onVote, onVoteReply } from "./election.js";
import { onReadIndexReply } from "./follower-reads.js";
import { hearLeader, onAppend, onHeartbeat, refuseStaleLeader } from "./follower.js";
import { heardLeader, isPromised } from "./liveness.js";
import type { RaftMessage } from "./messages.js";
import { onReadIndex } from "./reads.js";
import { onAppendReply, onHeartbeatReply } from "./replication.js";
import { becomeFollower } from "./roles.js";
import { onAsleep, onSleep } from "./sleep.js";
import { onSnapshotChunk } from "./snapshots-receive.js";
import { onSnapshotReply } from "./snapshots-send.js";

export function onMessage(core: RaftCore, message: RaftMessage): void {
  const { state } = core;
  if (!isForUs(core, message)) {
    core.marks.hit("foreignMessageDropped");
    return;
  }
  if (message.term > state.term && raisesTerm(message)) {
    // Our disk owes us too many answers to note a new term.
    if (writesFull(core)) return;
    if (message.kind === "vote" && !message.transfer && isPromised(core, message.from)) {
      // Not even the term: else who was removed or cut off could depose the leader (4.2.3).
      core.marks.hit("voteRefusedByLease");
      return;
    }
    becomeFollower(core, message.term, noReplica);
  }
  if (message.term < state.term && isStale(core, message)) return;
  dispatch(core, message);
}

function isForUs({ state }: RaftCore, message: RaftMessage): boolean {
  if (message.group !== state.group) return false;
  if (message.incarnation !== state.incarnation) return false;
  return message.to === state.replica && message.from !== state.replica && state.started;
}

/**
 * A pre-vote and its grant speak of a term that has not begun; a refusal has its own handling. Who
 * has woken wants to hear of a leader, and not to depose it.
 */
function raisesTerm({ kind }: RaftMessage): boolean {
  return kind !== "preVote" && kind !== "preVoteReply" && kind !== "wake";
}

/** True when nothing is left to do with a message of an older term. */
function isStale(core: RaftCore, message: RaftMessage): boolean {
  switch (message.kind) {
    case "append":
    case "heartbeat":
    case "sleep":
    case "snapshotChunk":
      refuseStaleLeader(core, message);
      return true;
    case "wake":
    case "preVote":
    case "preVoteReply":
    case "vote":
    case "readIndex":
    case "readIndexReply":
      return false;
    default:
      core.marks.hit("staleTermDropped");
      return true;
  }
}

function dispatch(core: RaftCore, message: RaftMessage): void {
  switch (message.kind) {
    case "append":
      hearLeader(core, message);
      onAppend(core, message);
      return;
    case "appendReply":
      onAppendReply(core, message);
      return;
    case "heartbeat":
      hearLeader(core, message);
      onHeartbeat(core, message);
      return;
    case "heartbeatReply":
      onHeartbeatReply(core, message);
      return;
    case "sleep":
      // Who sleeps under it already has not been woken by this.
      if (core.state.asleep) heardLeader(core);
      else hearLeader(core, message);
      onSleep(core, message);
      return;
    case "asleep":
      onAsleep(core, message);
      return;
    case "wake":
      // That has happened.
      return;
    case "preVote":
      onPreVote(core, message);
      return;
    case "preVoteReply":
      onPreVoteReply(core, message);
      return;
    case "vote":
      onVote(core, message);
      return;
    case "voteReply":
      onVoteReply(core, message);
      return;
    case "timeoutNow":
      onTimeoutNow(core, message);
      return;
    case "readIndex":
      onReadIndex(core, message);
      return;
    case "readIndexReply":
      onReadIndexReply(core, message);
      return;
    case "snapshotChunk":
      hearLeader(core, message);
      onSnapshotChunk(core, message);
      return;
    case "snapshotReply":
      onSnapshotReply(core, message);
      return;
    default:
      assertNever(message);
  }
}
