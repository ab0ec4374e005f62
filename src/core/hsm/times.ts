/** When something is due. */
import type { TokenFunction } from "./cryptoki/calls.js";
import type { HsmCore } from "./state.js";

export function timeoutUsOf({ times }: HsmCore, fn: TokenFunction): number {
  const makesKeys = fn === "generateKey" || fn === "generateKeyPair";
  return makesKeys ? times.generateTimeoutUs : times.callTimeoutUs;
}

export function nextWakeUs(core: HsmCore): number {
  const { state, times } = core;
  const { ladder } = state;
  let atUs = Infinity;
  const sooner = (at: number): void => {
    if (at < atUs) atUs = at;
  };
  for (const job of core.jobs) {
    sooner(job.deadlineUs);
    if (job.stage === "delayed" || job.stage === "paused") sooner(job.notBeforeUs);
    // Throttled, and nothing else in its way.
    else if (job.stage === "waiting" && state.throttledUntilUs > core.now) {
      sooner(state.throttledUntilUs);
    }
  }
  for (const { fn } of core.pending.values()) {
    sooner(state.headSinceUs + timeoutUsOf(core, fn));
    break;
  }
  if (state.mode === "backingOff") sooner(ladder.nextAtUs);
  if (ladder.moduleAskedAtUs > 0) sooner(ladder.moduleAskedAtUs + times.callTimeoutUs);
  if (state.mode === "ready") sooner(state.checkAtUs);
  return atUs;
}
