/** When the replica next wants to be woken. It says so only when that is sooner than before. */
import type { RaftCore } from "./core.js";
import { standsForElection } from "./roles.js";

export function armTimer(core: RaftCore): void {
  const { state } = core;
  if (state.asleep) {
    if (state.wakeAtUs !== Infinity) core.out.push({ kind: "wakeAt", at: Infinity });
    state.wakeAtUs = Infinity;
    return;
  }
  const at = state.role === "leader" ? leaderDeadlineUs(core) : followerDeadlineUs(core);
  const applyAt = state.applyReadAtUs > core.now ? state.applyReadAtUs : Infinity;
  // A clock that is asked for the past would ask again at once.
  const soonest = Math.max(Math.min(at, state.retryAtUs, applyAt), core.now + 1);
  if (soonest >= state.wakeAtUs) return;
  state.wakeAtUs = soonest;
  core.out.push({ kind: "wakeAt", at: soonest });
}

/** A deadline that moved away is met early, and the timer then looks again. */
function leaderDeadlineUs({ state, options, now }: RaftCore): number {
  if (state.wakeAtUs <= now + options.heartbeatUs) return state.wakeAtUs;
  // Who leads nobody has no beats, and yet may fall asleep.
  const alone = state.peers.length === 0 && options.sleepAfterUs > 0;
  const quietUs = Math.max(state.busyUs + options.sleepAfterUs, now + options.heartbeatUs);
  let deadlineUs = alone ? quietUs : Infinity;
  for (const peer of state.peers) {
    deadlineUs = Math.min(deadlineUs, peer.liveness.lastSentUs + options.heartbeatUs);
  }
  return deadlineUs;
}

function followerDeadlineUs({ state, options }: RaftCore): number {
  const { forwardRequest, forwardSentUs, handedOver } = state;
  let deadlineUs = handedOver === null ? Infinity : handedOver.deadlineUs;
  if (forwardRequest !== 0) {
    deadlineUs = Math.min(deadlineUs, forwardSentUs + options.electionTimeoutMinUs);
  }
  // Who has no vote waits for nobody.
  if (state.electionDeadlineUs < state.wakeAtUs && standsForElection(state)) {
    deadlineUs = Math.min(deadlineUs, state.electionDeadlineUs);
  }
  return deadlineUs;
}
