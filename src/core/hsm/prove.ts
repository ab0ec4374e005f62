/** Whether the token works, shown by asking it for what is known. */
import type { HsmValue } from "../ports/hsm.js";
import { askCanary } from "./canary.js";
import { type Flow, ask, rawCall, suspect } from "./flow.js";
import { healthOf } from "./jobs.js";
import type { HsmCore, Work } from "./state.js";
import { tryBasics } from "./trials.js";

/** The end of each reconnection, and now and then while ready. */
export function* prove(work: Work): Flow<HsmValue> {
  yield* check(work);
  yield* tryBasics(work);
  return { kind: "done" };
}

export function* check(work: Work): Flow<HsmValue> {
  const { anchor } = work.core.state;
  // Where sessions die of idleness, the anchor must not.
  if (anchor !== null && work.core.profile.idleExpiryMs !== null) {
    yield* rawCall({ fn: "generateRandom", session: anchor, lengthBytes: 32 });
  }
  const drawn = yield* ask("generateRandom", { lengthBytes: 32 });
  const dull = drawn.length !== 32 || drawn.every((byte) => byte === drawn[0]);
  if (dull) return yield* suspect("reinitialize", "the generator gives nothing random");
  yield* askCanary(work);
  return { kind: "done" };
}

export function* health(work: Work): Flow<HsmValue> {
  yield* checkToken(work.core);
  yield* check(work);
  return { kind: "health", health: healthOf(work.core, true) };
}

function* checkToken({ state }: HsmCore): Flow<void> {
  const slots = yield* rawCall({ fn: "slots" });
  const there = slots.value?.some(({ serial }) => serial === state.token?.serial) ?? false;
  if (!there) return yield* suspect("reinitialize", "slots: the token is not there");
}
