/** Whom a leader talks to: everyone in its newest configuration, and for a while who left it. */
import { type Index, type ReplicaId, noToken } from "../ids.js";
import { memberOf, members } from "./configuration.js";
import { type RaftCore, nextRequest, peerOf, send } from "./core.js";
import { lastIndex } from "./log.js";
import { newPeer, openHeartbeat, type Peer } from "./progress.js";
import type { RaftState } from "./state.js";

/** After a change of configuration, and when a leadership begins. */
export function syncPeers(core: RaftCore): void {
  const { state, now } = core;
  for (const member of members(state.configuration)) {
    if (member.replica === state.replica || peerOf(state, member.replica) !== undefined) continue;
    // A guess: the logs agree, or the answer says where they may.
    const next = Math.max(lastIndex(state.log), state.log.base + 1);
    state.peers.push(newPeer(member, state.nextSession++, next, now));
  }
  for (const peer of state.peers) {
    const member = isMember(state, peer.replica);
    if (member) peer.leftUs = Infinity;
    else if (peer.leftUs === Infinity) peer.leftUs = now;
  }
}

/** Who left is told of it for two election timeouts, so that it can stop by itself. */
export function dropLeftPeers({ state, options, now }: RaftCore): void {
  const keepUs = 2 * options.electionTimeoutMaxUs;
  for (let at = state.peers.length - 1; at >= 0; at--) {
    if (now >= state.peers[at]!.leftUs + keepUs) state.peers.splice(at, 1);
  }
}

function isMember(state: RaftState, replica: ReplicaId): boolean {
  return memberOf(state.configuration, replica) !== undefined;
}

/** Says that the leader lives, and how far the peer may apply: never beyond what it has. */
export function sendHeartbeat(core: RaftCore, peer: Peer): void {
  const { state, now } = core;
  const { group, incarnation, replica: from, term } = state;
  const request = nextRequest(state);
  openHeartbeat(peer, request, now);
  peer.liveness.lastSentUs = now;
  const commit = Math.min(state.commit, peer.match) as Index;
  const { replica: to, session } = peer;
  send(
    core,
    peer.node,
    { kind: "heartbeat", group, incarnation, from, to, term, request, session, commit },
    noToken,
  );
}
