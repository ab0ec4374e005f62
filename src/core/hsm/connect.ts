/**
 * The four levels of reconnection as flows: a new session, a new login, a new initialisation. The
 * fourth, a new process, ends in the third. Each ends when the anchor is open and logged in.
 */
import type { HsmValue } from "../ports/hsm.js";
import { type SlotDescription, noCall } from "./cryptoki/calls.js";
import { ckf, ckr, cks } from "./cryptoki/constants.js";
import { type Flow, fail, rawCall, suspect } from "./flow.js";
import { chooseSlot } from "./slot-choice.js";
import { type ReturnClass, classify } from "./returns.js";
import { forgetSessions } from "./sessions.js";
import { type HsmCore, type Work, sessionsMaxOf, voidHandles } from "./state.js";

const done: HsmValue = { kind: "done" };
/** Logins that are never used up (policy P18). */
const reservedAttempts = 3;

/** Level 1: the anchor lives, and is logged in. */
export function* checkAnchor({ core }: Work): Flow<HsmValue> {
  const { anchor } = core.state;
  if (anchor === null) return yield* suspect("relogin", "no anchor session");
  const info = yield* rawCall({ fn: "sessionInfo", session: anchor }, "all");
  if (info.value === null) return yield* lost(core, info.rv, "sessionInfo");
  const loggedIn = info.value.state === cks.rwUser || core.profile.login !== "required";
  return loggedIn ? done : yield* suspect("relogin", "sessionInfo: not logged in");
}

/** Level 2. Handles of before name nothing, or another key. */
export function* loginAnew({ core }: Work): Flow<HsmValue> {
  const { state } = core;
  if (state.token === null) return yield* suspect("reinitialize", "no token was chosen");
  if (state.anchor !== null) {
    const info = yield* rawCall({ fn: "sessionInfo", session: state.anchor }, "all");
    if (info.value === null) state.anchor = null;
  }
  state.anchor ??= yield* openAnchor(core, state.token.slot);
  yield* rawCall({ fn: "logout", session: state.anchor }, "all");
  yield* login(core);
  return done;
}

/** Level 3, and after a new process. */
export function* initializeAnew({ core }: Work): Flow<HsmValue> {
  const { state } = core;
  if (state.ladder.level === 3) yield* rawCall({ fn: "finalize" }, "all");
  forgetSessions(core);
  const initialized = yield* rawCall({ fn: "initialize" }, [ckr.cryptokiAlreadyInitialized]);
  if (initialized.rv !== ckr.ok && initialized.rv !== ckr.cryptokiAlreadyInitialized) {
    return yield* lost(core, initialized.rv, "initialize");
  }
  state.wrote = false;
  state.sessionsMax = sessionsMaxOf(core.profile);
  const slots = yield* rawCall({ fn: "slots" }, "all");
  if (slots.value === null) return yield* lost(core, slots.rv, "slots");
  const slot = yield* tokenIn(core, slots.value);
  state.token = { slot: slot.slot, serial: slot.serial };
  state.anchor = yield* openAnchor(core, slot.slot);
  yield* checkLoginFlags(slot);
  yield* login(core);
  return done;
}

/** Exactly one token must fit, and it must be the one of before. */
function* tokenIn(core: HsmCore, slots: readonly SlotDescription[]): Flow<SlotDescription> {
  const { options, state } = core;
  const chosen = chooseSlot(slots, options.slot);
  if (!chosen.ok) {
    const during = `slots: ${chosen.message}`;
    if (chosen.code === "ambiguous") return yield* fail("ambiguous", during);
    return yield* suspect("reinitialize", during);
  }
  const { slot } = chosen;
  if (state.token !== null && state.token.serial !== slot.serial) {
    return yield* suspect("reinitialize", "slots: another token is in its place");
  }
  return slot;
}

function* openAnchor(core: HsmCore, slot: number): Flow<string> {
  const opened = yield* rawCall({ fn: "openSession", slot }, "all");
  return opened.value ?? (yield* lost(core, opened.rv, "openSession"));
}

/** A PIN is not tried on a token that would lock itself over it. */
function* checkLoginFlags({ flags }: SlotDescription): Flow<void> {
  if ((flags & ckf.userPinLocked) !== 0)
    return yield* fail("pinLocked", "login: the PIN is locked");
  if ((flags & ckf.userPinFinalTry) !== 0) {
    return yield* fail("pinRejected", "login: the last try is not spent");
  }
}

function* login(core: HsmCore): Flow<void> {
  const { state, profile } = core;
  voidHandles(core);
  if (profile.login === "none") return;
  const attempts = profile.lockOut?.attempts ?? Infinity;
  if (state.ladder.rejections >= Math.max(1, attempts - reservedAttempts)) {
    return yield* fail("pinLocked", "login: the tries that are left are kept in reserve");
  }
  const answer = yield* rawCall({ fn: "login", session: state.anchor! }, "all");
  if (answer.rv === ckr.ok || answer.rv === ckr.userAlreadyLoggedIn) {
    state.ladder.rejections = 0;
    return;
  }
  if (answer.rv === noCall.pinMissing) {
    if (profile.login === "optional") return;
    return yield* suspect("relogin", "login: no PIN was given");
  }
  if (answer.rv === ckr.pinIncorrect) state.ladder.rejections++;
  if (classify(profile, answer.rv) !== "never") return yield* lost(core, answer.rv, "login");
  const code = answer.rv === ckr.pinLocked ? "pinLocked" : "pinRejected";
  return yield* fail(code, "login", answer.rv);
}

/** What a refusal in the middle of a reconnection means: this level has failed. */
function* lost(core: HsmCore, rv: number, during: string): Flow<never> {
  core.state.lastRv = rv;
  const as: ReturnClass = classify(core.profile, rv);
  return yield* suspect(as === "fatal" || as === "never" ? "newSession" : as, during);
}
