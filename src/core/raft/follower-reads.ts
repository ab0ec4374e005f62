/** Reads on a follower: it asks its leader for an index and may answer once that is applied. */
import { type Index, type RequestId, noReplica, noToken } from "../ids.js";
import { type RaftCore, refuse, send } from "./core.js";
import type { ReadIndexReply } from "./messages.js";
import { whyNotLeader } from "./proposals.js";

export function forwardRead(core: RaftCore, request: RequestId): void {
  const { state, options } = core;
  if (state.leader === noReplica || state.leader === state.replica) {
    refuse(core, request, whyNotLeader(core));
  } else if (state.forwarded.length + state.forwardWaiting.length >= options.pendingReadsMax) {
    refuse(core, request, "overloaded");
  } else {
    state.forwardWaiting.push(request);
    sendForward(core);
  }
}

/** One question at a time: what comes meanwhile waits for the next, whose answer is newer. */
function sendForward(core: RaftCore): void {
  const { state } = core;
  if (state.forwardRequest !== 0 || state.forwardWaiting.length === 0) return;
  if (state.leaderNode === null) return;
  state.forwardRequest = state.nextBootRequest++;
  state.forwardSentUs = core.now;
  state.forwarded = state.forwardWaiting;
  state.forwardWaiting = [];
  const { group, incarnation, replica: from, leader: to, term } = state;
  const request = state.forwardRequest as RequestId;
  const message = { kind: "readIndex", group, incarnation, from, to, term, request } as const;
  send(core, state.leaderNode, message, noToken);
}

export function onReadIndexReply(core: RaftCore, message: ReadIndexReply): void {
  const { state } = core;
  if (state.forwardRequest === 0 || message.request !== state.forwardRequest) return;
  endForward(core, (request) => {
    if (message.granted) {
      core.out.push({ kind: "readReady", request, index: message.index as Index, after: noToken });
    } else {
      refuse(core, request, "notReady");
    }
  });
}

/** No answer came: a read may be refused at any time, and its client ask again. */
export function expireForward(core: RaftCore): void {
  const { state, options, now } = core;
  if (state.forwardRequest === 0) return;
  if (now < state.forwardSentUs + options.electionTimeoutMinUs) return;
  core.marks.hit("forwardedReadExpired");
  endForward(core, (request) => refuse(core, request, "timeout"));
}

function endForward(core: RaftCore, end: (request: RequestId) => void): void {
  const { state } = core;
  state.forwardRequest = 0;
  for (const request of state.forwarded.splice(0)) end(request as RequestId);
  sendForward(core);
}
