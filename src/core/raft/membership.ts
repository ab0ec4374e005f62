/** Changes of membership, one at a time (thesis chapter 4). */
import type { MemberChange, RefusalReason } from "../consensus.js";
import { entryType } from "../entry.js";
import { type ReplicaId, type RequestId, noReplica } from "../ids.js";
import { encodeConfiguration } from "./configuration-codec.js";
import { type Configuration, hasRemoved, isJoint, isVoter } from "./configuration.js";
import { changeConfiguration, leaveJoint } from "./configuration-change.js";
import { type RaftCore, emit, peerOf, refuse } from "./core.js";
import { appendOwn } from "./log-writes.js";
import { sendHeartbeat, syncPeers } from "./peers.js";
import { whyNoGrowth, whyNotLeader } from "./proposals.js";
import { becomeFollower } from "./roles.js";
import { bestSuccessor, sendTimeoutNow } from "./transfer.js";

/** Answered when the last entry of the change is committed: of a joint one, that which leaves it. */
export function onChange(
  core: RaftCore,
  request: RequestId,
  changes: readonly MemberChange[],
): void {
  const { state } = core;
  const reason = refusalOf(core);
  if (reason !== null) {
    refuse(core, request, reason);
    return;
  }
  const result = changeConfiguration(state.configuration, changes, state.term);
  if ("refused" in result) {
    refuse(core, request, "badChange");
    return;
  }
  if (changes.some((change) => change.op === "promote" && !hasCaughtUp(core, change.replica))) {
    core.marks.hit("promotionRefused");
    refuse(core, request, "notReady");
    return;
  }
  const index = appendConfiguration(core, result.ok);
  if (isJoint(result.ok)) state.changeRequest = request;
  else state.proposals.push(index, request);
}

function refusalOf(core: RaftCore): RefusalReason | null {
  const { state } = core;
  if (state.role !== "leader") return whyNotLeader(core);
  // Without an entry of our own term a change of an older leader may still be committed elsewhere.
  if (state.commit < state.termStart) return "notReady";
  if (state.configurationIndex > state.commit) return "changePending";
  if (isJoint(state.configuration)) return "changePending";
  return whyNoGrowth(core);
}

/** Entries that a learner may lack and still soon acknowledge what its vote is needed for. */
const promotionLagMax = 256;

/** A voter that has yet to catch up would count in quorums without helping (section 4.2.1). */
function hasCaughtUp({ state, options, now }: RaftCore, replica: ReplicaId): boolean {
  const peer = peerOf(state, replica);
  if (peer === undefined || peer.damaged || peer.mode === "snapshot") return false;
  if (now >= peer.liveness.lastHeardUs + options.electionTimeoutMaxUs) return false;
  return peer.match > 0 && peer.match + promotionLagMax >= state.commit;
}

function appendConfiguration(core: RaftCore, configuration: Configuration): number {
  const index = appendOwn(core, entryType.configuration, encodeConfiguration(configuration));
  syncPeers(core);
  return index;
}

/** When the leader's commit rose: a joint configuration is left once, a removed leader steps down. */
export function afterCommit(core: RaftCore): void {
  const { state } = core;
  if (state.configurationIndex > state.commit || state.commit < state.termStart) return;
  if (isJoint(state.configuration)) {
    if (state.configuration.autoLeave) completeChange(core);
  } else if (!isVoter(state.configuration, state.replica)) {
    leaveLeadership(core);
  }
}

function completeChange(core: RaftCore): void {
  const { state } = core;
  const result = leaveJoint(state.configuration);
  if ("refused" in result) return;
  const index = appendConfiguration(core, result.ok);
  if (state.changeRequest !== 0) state.proposals.push(index, state.changeRequest);
  state.changeRequest = 0;
}

/** Only now can the new configuration elect a leader of its own (section 4.2.2). */
function leaveLeadership(core: RaftCore): void {
  const { state } = core;
  core.marks.hit("leaderRemoved");
  for (const peer of state.peers) sendHeartbeat(core, peer);
  const successor = bestSuccessor(state);
  if (successor !== null) sendTimeoutNow(core, successor);
  becomeFollower(core, state.term, noReplica);
}

/** Anyone who sees a committed configuration without itself has been removed. */
export function noteRemoval(core: RaftCore): void {
  const { state } = core;
  if (state.removed || state.configurationIndex > state.commit) return;
  // A joiner catches up through configurations from before its own time, which do not know it yet.
  if (!hasRemoved(state.configuration, state.replica)) return;
  state.removed = true;
  core.marks.hit("removedReplica");
  emit(core, { name: "removed" });
}
