/** What is committed, and who is told (thesis sections 3.5, 3.6.2 and 4.3). */
import { shorten } from "../arrays.js";
import type { ReplicaId } from "../ids.js";
import { type Index, type RequestId, type Term, noToken } from "../ids.js";
import { quorumValue } from "../quorum/joint.js";
import { type RaftCore, peerOf } from "./core.js";
import { entryAt, entryBytes, lastIndex, termAt } from "./log.js";
import type { RaftState } from "./state.js";

/** Commits what a quorum of every configuration in force holds durably; true when commit rose. */
export function advanceCommit(core: RaftCore): boolean {
  const { state } = core;
  counting = state;
  const held = Math.min(quorumValue(state.configuration, matchOf), lastIndex(state.log));
  if (held <= state.commit) return false;
  // Figure 3.7: an entry of an older term is committed only beneath one of our own.
  if (termAt(state.log, held) !== state.term) return false;
  freeUncommitted(state, held);
  state.commit = held;
  answerProposals(core);
  return true;
}

/** Durably held by `replica`. We count ourselves by our own disk, like anyone. */
function matchOf(replica: ReplicaId): number {
  if (replica === counting!.replica) return counting!.durable;
  const peer = peerOf(counting!, replica);
  return peer === undefined || peer.damaged ? 0 : peer.match;
}

/** The state that `matchOf` reads: set by each call, so that none makes a closure of its own. */
let counting: RaftState | null = null;

function freeUncommitted(state: RaftState, through: number): void {
  for (let at = Math.max(state.commit + 1, state.termStart); at <= through; at++) {
    const entry = entryAt(state.log, at);
    if (entry !== undefined) state.uncommittedBytes -= entryBytes(entry);
  }
}

function answerProposals(core: RaftCore): void {
  const { state, out } = core;
  const { proposals } = state;
  let head = state.proposalsHead;
  for (; head < proposals.length && proposals[head]! <= state.commit; head += 2) {
    const index = proposals[head] as Index;
    const request = proposals[head + 1] as RequestId;
    const result = { kind: "committed", index, term: termAt(state.log, index) as Term } as const;
    out.push({ kind: "answer", request, result, after: noToken });
  }
  if (head === proposals.length) {
    shorten(proposals, 0);
    head = 0;
  } else if (head > usedMax) {
    proposals.splice(0, head);
    head = 0;
  }
  state.proposalsHead = head;
}

/** Beyond so many used-up places the array of proposals is moved together. */
const usedMax = 1_024;
