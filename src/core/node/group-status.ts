/** What the leader of a group says of it, for whoever changes its members. */
import { encodeConfiguration } from "../raft/configuration-codec.js";
import type { Index } from "../ids.js";
import type { RaftState } from "../raft/state.js";
import { encodeClientAnswer } from "../store/client-protocol.js";
import { encodeGroupStatus } from "../store/group-status.js";
import { refusalBytes } from "./requests.js";

/** A ClientAnswer, as bytes: a GroupStatus, or whom to ask instead. */
export function groupStatusAnswer(state: Readonly<RaftState>): Uint8Array {
  const { role, leaderNode, commit, termStart } = state;
  if (role !== "leader") return refusalBytes("notLeader", leaderNode);
  // Until then its commit index, and the configurations below it, may lag behind what is committed.
  if (commit < termStart) return refusalBytes("notReady", leaderNode);
  const bytes = encodeGroupStatus({
    term: state.term,
    leader: state.replica,
    configuration: encodeConfiguration(state.configuration),
    configurationIndex: state.configurationIndex as Index,
    commit: commit as Index,
    members: [
      { replica: state.replica, match: state.durable as Index },
      ...state.peers.map(({ replica, match }) => ({ replica, match: match as Index })),
    ],
  });
  return encodeClientAnswer({ kind: "readResult", bytes });
}
