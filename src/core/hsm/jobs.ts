/** Requests at work: each has a session, a flow and a deadline, and is answered exactly once. */
import { assertNever } from "../assert.js";
import type { HsmError, HsmHealth, HsmRequest, HsmResult, HsmValue } from "../ports/hsm.js";
import type { Handle, TokenAnswer, TokenCall, TokenFunction } from "./cryptoki/calls.js";
import { ckr } from "./cryptoki/constants.js";
import type { Flow } from "./flow.js";
import { type ReturnClass, classOfReturn, classify, errorCodeOf, levelOf } from "./returns.js";
import {
  type SessionTaken,
  discardSession,
  issue,
  releaseSession,
  takeSession,
} from "./sessions.js";
import { type HsmCore, type Job, type Work, drawWaitUs, newMemo } from "./state.js";

/** Throttled so often in a row it is taken for what the number says otherwise. */
const throttlesMax = 8;
const levelMax = 4;

export interface JobStart {
  readonly op: number | null;
  readonly request: HsmRequest | null;
  readonly deadlineUs: number;
  readonly keeper: boolean;
  readonly pooled: boolean;
  readonly begin: (work: Work) => Flow<HsmValue>;
}

export function addJob(core: HsmCore, start: JobStart): Job {
  const job: Job = {
    ...start,
    memo: newMemo(),
    stage: "waiting",
    notBeforeUs: 0,
    tries: 0,
    level: -1,
    flow: null,
    calling: false,
    session: null,
    parked: null,
    doubtful: false,
    littered: false,
    holdFor: null,
    answered: false,
    during: start.request?.kind ?? "check",
    lastRv: 0,
  };
  core.jobs.add(job);
  return job;
}

/** Lets every job go on whose time has come. */
export function startJobs(core: HsmCore): void {
  let crowded = false;
  for (const job of core.jobs) {
    const due = job.notBeforeUs <= core.now;
    if (job.stage === "delayed" && due) job.stage = "waiting";
    if (job.stage === "paused" && due) run(core, job, null);
    else if (job.stage === "waiting" && !(crowded && job.pooled) && mayStart(core, job)) {
      crowded = start(core, job) === "none";
    }
  }
}

function mayStart(core: HsmCore, job: Job): boolean {
  const { state } = core;
  // Above the first level nothing may be in flight.
  if (job.keeper) return state.ladder.level <= 1 || job.pooled || core.pending.size === 0;
  return state.mode === "ready" && state.ladder.wanted === 0 && state.throttledUntilUs <= core.now;
}

function start(core: HsmCore, job: Job): SessionTaken {
  const taken = job.pooled ? takeSession(core, job) : "taken";
  if (taken === "taken") begin(core, job);
  return taken;
}

function begin(core: HsmCore, job: Job): void {
  const { parked } = job;
  job.parked = null;
  job.flow ??= job.begin({ core, job });
  run(core, job, parked);
}

/** True while reconnection waits for calls to end: flows get no further. */
function draining(core: HsmCore): boolean {
  const { mode, ladder } = core.state;
  return mode !== "ready" && ladder.level >= 2;
}

function run(core: HsmCore, job: Job, answer: TokenAnswer | null): void {
  job.stage = "running";
  const next = job.flow!.next(answer);
  if (next.done === true) return finish(core, job, { ok: true, value: next.value });
  const step = next.value;
  switch (step.kind) {
    case "call": {
      if (draining(core) && !job.keeper) return cut(core, job);
      const call = "session" in step.call || !job.pooled ? step.call : inSessionOf(job, step.call);
      job.calling = true;
      job.during = call.fn;
      if (changes.has(call.fn)) job.doubtful = true;
      const session = "session" in call ? (call as { session: Handle }).session : null;
      const { tolerates } = step;
      return issue(core, call as TokenCall, { job, fn: call.fn, session, tolerates, opens: false });
    }
    case "pause":
      job.stage = "paused";
      job.notBeforeUs = core.now + step.forUs;
      return;
    case "fail":
      return finish(core, job, { ok: false, error: step.error });
    case "suspect":
      return trouble(core, job, step.as, 0, step.because);
    default:
      return assertNever(step);
  }
}

function inSessionOf(job: Job, call: object): TokenCall {
  return { ...call, session: job.session } as TokenCall;
}

const changes: ReadonlySet<TokenFunction> = new Set<TokenFunction>([
  "generateKey",
  "generateKeyPair",
  "createObject",
  "setAttributes",
  "destroyObject",
]);

export function callAnswered(core: HsmCore, id: number, answer: TokenAnswer): void {
  const pending = core.pending.get(id);
  if (pending === undefined) return;
  core.pending.delete(id);
  // Calls are answered in their order: the next one begins now.
  core.state.headSinceUs = core.now;
  if (answer.rv !== ckr.ok) core.state.lastRv = answer.rv;
  const { job } = pending;
  if (job === null) return;
  job.calling = false;
  if (pending.opens) return opened(core, job, answer);
  if (answer.rv === ckr.ok) {
    core.state.throttles = 0;
    if (job.stage === "over") return abandon(core, job);
    return run(core, job, answer);
  }
  if (job.session !== null && job.session === pending.session) {
    job.session = null;
    job.littered = false;
    discardSession(core, pending.session, pending.fn, answer.rv);
  }
  if (job.stage === "over") return;
  const as = classify(core.profile, answer.rv);
  const { tolerates } = pending;
  if (
    tolerates !== null &&
    (tolerates === "all" || as === "fatal" || tolerates.includes(answer.rv))
  ) {
    return resume(core, job, answer);
  }
  trouble(core, job, as, answer.rv, pending.fn);
}

/** After a refusal: in a session without an error. */
function resume(core: HsmCore, job: Job, answer: TokenAnswer): void {
  if (!job.pooled || job.session !== null) return run(core, job, answer);
  job.parked = answer;
  job.stage = "waiting";
  if (takeSession(core, job) === "taken") begin(core, job);
}

function opened(core: HsmCore, job: Job, answer: TokenAnswer): void {
  const { state } = core;
  if (answer.rv === ckr.ok) {
    job.session = answer.value as string;
    if (job.stage === "over") return releaseSession(core, job);
    if (draining(core) && !job.keeper) return cut(core, job);
    return begin(core, job);
  }
  state.sessions--;
  if (job.stage === "over") return;
  if (answer.rv === ckr.sessionCount && state.sessions > 0) {
    // That is how many the token has room for, until it is initialised anew.
    state.sessionsMax = state.sessions;
    job.stage = "waiting";
    return;
  }
  trouble(core, job, classify(core.profile, answer.rv), answer.rv, "openSession");
}

/** Its deadline passed while a call was in flight: objects may be left in the session. */
function abandon(core: HsmCore, job: Job): void {
  job.littered = true;
  releaseSession(core, job);
}

/** Begun anew when the token is back. */
function cut(core: HsmCore, job: Job): void {
  releaseSession(core, job);
  job.flow = null;
  job.parked = null;
  job.stage = "waiting";
}

/** Before a level that needs all calls ended: who pauses in the middle begins anew. */
export function cutPaused(core: HsmCore): void {
  for (const job of core.jobs) if (job.stage === "paused" && !job.keeper) cut(core, job);
}

function trouble(core: HsmCore, job: Job, as: ReturnClass, rv: number, because: string): void {
  const again = job.lastRv === rv;
  job.lastRv = rv;
  if (as !== "fatal" && as !== "throttled") forgetHandles(core);
  if (job.keeper) {
    core.state.ladder.outcome = { kind: "failed", as, level: levelOf[as], rv, because };
    return end(core, job);
  }
  job.littered = true;
  cut(core, job);
  if (as === "throttled" && ++core.state.throttles <= throttlesMax) return throttle(core, job);
  const known = as === "throttled" ? classOfReturn(rv) : as;
  if (known === "fatal" || known === "never") return giveUp(core, job, rv, because);
  job.tries++;
  if (job.tries >= core.limits.triesMax) return giveUp(core, job, rv, because);
  // What was done about it the last time did not help: the next level.
  const next = again ? Math.min(levelMax, Math.max(levelOf[known], job.level + 1)) : levelOf[known];
  const level = tooOften(core, next) ? levelOf[known] : next;
  job.level = level;
  const { ladder } = core.state;
  if (level > ladder.wanted && core.state.mode === "ready") {
    ladder.because = { rv, because };
  }
  ladder.wanted = Math.max(ladder.wanted, level);
  delay(core, job);
}

/** Sessions or handles are gone without our doing: what else was found in them may name another key. */
function forgetHandles(core: HsmCore): void {
  core.state.handles.clear();
  if (core.state.canary?.kind === "key") core.state.canary.handle = null;
}

/** One request that never works must not keep the others from theirs. */
function tooOften(core: HsmCore, level: number): boolean {
  const begunAtUs = core.state.ladder.begunAtUs[level]!;
  return level >= 3 && core.now - begunAtUs < core.times.backoffMaxUs;
}

function throttle(core: HsmCore, job: Job): void {
  const forUs = drawWaitUs(core, core.state.throttles);
  core.state.throttledUntilUs = Math.max(core.state.throttledUntilUs, core.now + forUs);
  core.out.push({ kind: "event", event: { name: "throttled", waitUs: forUs } });
  job.stage = "waiting";
}

function delay(core: HsmCore, job: Job): void {
  job.stage = "delayed";
  job.notBeforeUs = core.now + drawWaitUs(core, job.tries);
}

function giveUp(core: HsmCore, job: Job, rv: number, during: string): void {
  const code = isDoubtful(job) ? "unknownOutcome" : errorCodeOf(rv);
  finish(core, job, { ok: false, error: { code, rv, policy: null, during } });
}

function isDoubtful(job: Job): boolean {
  const kind = job.request?.kind;
  return job.doubtful && (kind === "generate" || kind === "delete");
}

export function finish(core: HsmCore, job: Job, result: HsmResult): void {
  if (job.keeper) {
    core.state.ladder.outcome = result.ok
      ? { kind: "done" }
      : { kind: "halt", error: result.error };
  }
  if (job.op !== null) answer(core, job.op, job.request, result);
  if (!result.ok) job.littered = true;
  end(core, job);
}

/** Whoever asks for health wants to hear that there is none. */
function answer(core: HsmCore, op: number, request: HsmRequest | null, result: HsmResult): void {
  const sick = request?.kind === "health" && !result.ok;
  const value = sick ? ({ kind: "health", health: healthOf(core, false) } as const) : null;
  core.out.push({ kind: "answer", op, result: value === null ? result : { ok: true, value } });
}

export function healthOf(core: HsmCore, working: boolean): HsmHealth {
  const { mode, epoch, lastRv } = core.state;
  return { state: mode, working, epoch, queued: core.jobs.size, lastRv };
}

function end(core: HsmCore, job: Job): void {
  core.jobs.delete(job);
  job.stage = "over";
  job.flow = null;
  if (!job.calling) releaseSession(core, job);
}

/** Health is asked of the token that is there: who leaves `ready` has the answer. */
export function answerSick(core: HsmCore): void {
  if (core.state.mode === "ready") return;
  for (const job of core.jobs) {
    if (job.request?.kind !== "health") continue;
    const { during, lastRv: rv } = job;
    finish(core, job, { ok: false, error: { code: "unavailable", rv, policy: null, during } });
  }
}

/** Those whose time is up. */
export function endOverdue(core: HsmCore): void {
  for (const job of core.jobs) {
    if (job.deadlineUs > core.now) continue;
    const { op, during, lastRv: rv } = job;
    if (op !== null) core.out.push({ kind: "event", event: { name: "deadline", op, during } });
    const away = core.state.mode !== "ready";
    const code = isDoubtful(job) ? "unknownOutcome" : away ? "unavailable" : "timeout";
    finish(core, job, { ok: false, error: { code, rv, policy: null, during } });
  }
}

/** Nobody tries any more: all that wait are told why. */
export function failAll(core: HsmCore, error: HsmError): void {
  for (const job of core.jobs) finish(core, job, { ok: false, error });
}

/** The process is gone, and with it every call in flight, session and login. */
export function loseCalls(core: HsmCore, because: string): void {
  core.pending.clear();
  for (const job of core.jobs) {
    const wasCalling = job.calling;
    job.calling = false;
    job.session = null;
    job.littered = false;
    job.parked = null;
    if (job.keeper) {
      trouble(core, job, "reinitialize", 0, because);
    } else if (job.stage !== "delayed") {
      job.flow = null;
      job.stage = "waiting";
      if (wasCalling && ++job.tries >= core.limits.triesMax) giveUp(core, job, 0, because);
    }
  }
}
