/** The life of a leader: its first entry, its beats, its end when no quorum answers. */
import { assert } from "../assert.js";
import { emptyBytes } from "../bytes.js";
import { entryType } from "../entry.js";
import { noReplica } from "../ids.js";
import { makeRoom } from "./compaction.js";
import type { RaftCore } from "./core.js";
import { hasQuorum } from "./liveness.js";
import { lastIndex } from "./log.js";
import { appendOwn } from "./log-writes.js";
import { dropLeftPeers, sendHeartbeat, syncPeers } from "./peers.js";
import { resendRound } from "./reads.js";
import { backOff, readFailed } from "./replication.js";
import { becomeFollower, endElection, setLeader, setRole } from "./roles.js";
import { asksToSleep, sendSleep } from "./sleep.js";
import { resendSnapshot } from "./snapshots-send.js";
import { expireTransfer, handOver } from "./transfer.js";

/** The blank entry lets commits of earlier terms be known as such (thesis section 6.4). */
export function becomeLeader(core: RaftCore): void {
  const { state } = core;
  assert(
    state.receiving === null || state.receiving.restoreRequest === 0,
    "who leads restores nothing",
  );
  state.receiving = null;
  endElection(core);
  setRole(core, "leader");
  state.termStart = lastIndex(state.log) + 1;
  state.uncommittedBytes = 0;
  state.busyUs = core.now;
  state.passOnAtUs = core.now + core.options.electionTimeoutMaxUs;
  state.passedOnTo = state.replica;
  appendOwn(core, entryType.blank, emptyBytes);
  setLeader(core, state.replica);
  state.leaderNode = state.node;
  syncPeers(core);
}

/** The timer of a leader: at least once in each heartbeat. */
export function onLeaderTimer(core: RaftCore): void {
  const { state, options, now } = core;
  if (!hasQuorum(core)) {
    // Beats of a leader without a quorum would only keep others from electing one.
    core.marks.hit("checkQuorumStepDown");
    becomeFollower(core, state.term, noReplica);
    return;
  }
  expireTransfer(core);
  if (state.role === "leader") handOver(core);
  if (state.role !== "leader") return;
  makeRoom(core);
  dropLeftPeers(core);
  const asks = asksToSleep(core);
  for (const peer of state.peers) {
    if (peer.readRequest === readFailed) peer.readRequest = 0;
    backOff(core, peer);
    resendSnapshot(core, peer);
    if (now < peer.liveness.lastSentUs + options.heartbeatUs) continue;
    if (asks) sendSleep(core, peer);
    else sendHeartbeat(core, peer);
  }
  resendRound(core);
}
