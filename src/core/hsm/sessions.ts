/**
 * The pool: sessions besides the anchor. One operation at a time in each, and none is used again
 * after any error: there is no portable way to end an operation that a call has left active.
 */
import type { Handle, TokenCall, TokenFunction } from "./cryptoki/calls.js";
import { ckr } from "./cryptoki/constants.js";
import type { HsmCore, Job, PendingCall } from "./state.js";

export function issue(core: HsmCore, call: TokenCall, pending: PendingCall): void {
  const { state } = core;
  const id = ++state.lastCall;
  if (core.pending.size === 0) state.headSinceUs = core.now;
  core.pending.set(id, pending);
  core.out.push({ kind: "call", id, call });
}

/** `taken`: the job has it. `opening`: it will. `none`: all are in use. */
export type SessionTaken = "taken" | "opening" | "none";

/** Gives `job` a session to go on in, at once or by a call. */
export function takeSession(core: HsmCore, job: Job): SessionTaken {
  const { state } = core;
  // A reconnection proves that a new session can be had.
  const idle = job.keeper ? undefined : state.idle.pop();
  if (idle !== undefined) {
    job.session = idle.session;
    return "taken";
  }
  const sessionsMax = Math.min(core.limits.inFlightMax + state.held.size, state.sessionsMax);
  if (state.sessions >= sessionsMax) {
    const spare = job.keeper ? state.idle.pop() : undefined;
    if (spare === undefined) return "none";
    closeSession(core, spare.session);
  }
  if (state.token === null) return "none";
  state.sessions++;
  job.stage = "opening";
  job.calling = true;
  const call = { fn: "openSession", slot: state.token.slot } as const;
  issue(core, call, { job, fn: call.fn, session: null, tolerates: null, opens: true });
  return "opening";
}

/** The job is over or begins anew: its session goes back, or is closed. */
export function releaseSession(core: HsmCore, job: Job): void {
  const { session } = job;
  if (session === null) return;
  job.session = null;
  if (job.holdFor !== null) {
    core.state.held.set(job.holdFor, session);
  } else if (job.littered) {
    job.littered = false;
    closeSession(core, session);
  } else {
    core.state.idle.push({ session, sinceUs: core.now });
  }
}

/** After an error in it. */
export function discardSession(
  core: HsmCore,
  session: Handle,
  fn: TokenFunction,
  rv: number,
): void {
  core.out.push({ kind: "event", event: { name: "sessionDiscarded", fn, rv } });
  if (isGone(rv)) core.state.sessions--;
  else closeSession(core, session);
}

export function closeSession(core: HsmCore, session: Handle): void {
  core.state.sessions--;
  const call = { fn: "closeSession", session } as const;
  issue(core, call, { job: null, fn: call.fn, session, tolerates: "all", opens: false });
}

/** Before a login or an initialisation: none of them will be of use. */
export function closeIdleSessions(core: HsmCore): void {
  const { idle, held } = core.state;
  for (const { session } of idle) closeSession(core, session);
  idle.length = 0;
  for (const session of held.values()) closeSession(core, session);
  held.clear();
}

/** Sessions that the device would let die by themselves, by a third of that time. */
export function closeStaleSessions(core: HsmCore): void {
  const expiryMs = core.profile.idleExpiryMs;
  if (expiryMs === null) return;
  const { idle } = core.state;
  const before = core.now - Math.floor((expiryMs * 1000) / 3);
  while (idle.length > 0 && idle[0]!.sinceUs < before) closeSession(core, idle.shift()!.session);
}

/** The process is gone, or its library was finalised: so are its sessions. */
export function forgetSessions(core: HsmCore): void {
  const { state } = core;
  state.idle.length = 0;
  state.held.clear();
  state.sessions = 0;
  state.anchor = null;
}

function isGone(rv: number): boolean {
  return (
    rv === ckr.sessionClosed || rv === ckr.sessionHandleInvalid || rv === ckr.cryptokiNotInitialized
  );
}
