/**
 * Reconnection: four levels, each tried before the next, with drawn waits between them, and back to
 * `ready` by itself. Only a rejected PIN and a choice of slot that is not clear end it, until a
 * request `open` begins it anew.
 */
import type { HsmStateName } from "./events.js";
import { checkAnchor, initializeAnew, loginAnew } from "./connect.js";
import type { Flow } from "./flow.js";
import { addJob, cutPaused, failAll, loseCalls } from "./jobs.js";
import { prove } from "./prove.js";
import type { HsmValue } from "../ports/hsm.js";
import { closeIdleSessions, forgetSessions } from "./sessions.js";
import {
  type HsmCore,
  type LadderOutcome,
  type Work,
  checkWaitUs,
  drawWaitUs,
  setMode,
  voidHandles,
} from "./state.js";

const levelMax = 4;
const names: readonly HsmStateName[] = [
  "ready",
  "newSession",
  "relogin",
  "reinitialize",
  "restart",
];

/** Takes the next step of a reconnection, if one is due. */
export function climb(core: HsmCore): void {
  const { state } = core;
  const { ladder } = state;
  if (ladder.outcome !== null) conclude(core, ladder.outcome);
  if (state.mode === "ready" && ladder.wanted > 0) {
    begin(core, ladder.wanted, ladder.because.because, ladder.because.rv);
  } else if (state.mode === "backingOff" && ladder.nextAtUs <= core.now) {
    begin(core, ladder.level, "the wait is over", 0);
  } else if (ladder.moduleAskedAtUs > 0 && moduleIsOverdue(core)) {
    ladder.moduleAskedAtUs = 0;
    conclude(core, failure("no process of the module came"));
  }
}

/** Asks for the first process, or after a halt for a new one. */
export function open(core: HsmCore): void {
  const { ladder } = core.state;
  ladder.halt = null;
  ladder.tries = 0;
  begin(core, levelMax, "asked to open", 0);
}

export function moduleReady(core: HsmCore): void {
  const { state } = core;
  const { ladder } = state;
  if (state.mode === "halted") return;
  // Nobody asked: then the old one is gone too.
  if (ladder.moduleAskedAtUs === 0) forgetModule(core, "another process of the module came");
  ladder.moduleAskedAtUs = 0;
  ladder.level = levelMax;
  ladder.outcome = null;
  setMode(
    core,
    state.token === null ? "connecting" : "restart",
    "a process of the module is there",
  );
  addKeeper(core, initializeAnew, false);
}

/** The process died, or hangs and is given up: only another one helps. */
export function moduleLost(core: HsmCore, because: string): void {
  const { state } = core;
  if (state.mode === "halted" || state.mode === "stopped") return forgetModule(core, because);
  forgetModule(core, because);
  state.ladder.moduleAskedAtUs = 0;
  conclude(core, failure(because));
}

function forgetModule(core: HsmCore, because: string): void {
  forgetSessions(core);
  loseCalls(core, because);
  voidHandles(core);
  core.state.ladder.outcome = null;
}

function failure(because: string): LadderOutcome {
  return { kind: "failed", as: "reinitialize", level: levelMax, rv: 0, because };
}

function begin(core: HsmCore, level: number, because: string, rv: number): void {
  const { state } = core;
  const { ladder } = state;
  ladder.level = level;
  ladder.outcome = null;
  ladder.begunAtUs[level] = core.now;
  if (level < levelMax) {
    setMode(core, names[level]!, because, rv);
    if (level >= 2) {
      cutPaused(core);
      closeIdleSessions(core);
    }
    const flow = level === 1 ? checkAnchor : level === 2 ? loginAnew : initializeAnew;
    return addKeeper(core, flow, false);
  }
  forgetModule(core, because);
  setMode(core, state.token === null ? "starting" : "restart", because, rv);
  ladder.moduleAskedAtUs = Math.max(1, core.now);
  core.out.push({ kind: "restartModule" });
}

function addKeeper(core: HsmCore, begin: (work: Work) => Flow<HsmValue>, pooled: boolean): void {
  core.state.ladder.proving = pooled;
  addJob(core, { op: null, request: null, deadlineUs: Infinity, keeper: true, pooled, begin });
}

function conclude(core: HsmCore, outcome: LadderOutcome): void {
  const { ladder } = core.state;
  ladder.outcome = null;
  switch (outcome.kind) {
    case "done":
      return succeeded(core);
    case "halt":
      ladder.halt = outcome.error;
      ladder.level = 0;
      ladder.wanted = 0;
      setMode(core, "halted", outcome.error.during, outcome.error.rv);
      return failAll(core, outcome.error);
    default:
      return backOff(core, outcome);
  }
}

function succeeded(core: HsmCore): void {
  const { state } = core;
  const { ladder } = state;
  if (!ladder.proving) return addKeeper(core, prove, true);
  if (ladder.wanted > ladder.level) return begin(core, ladder.wanted, "it did not help", 0);
  ladder.level = 0;
  ladder.wanted = 0;
  ladder.tries = 0;
  state.checkAtUs = core.now + checkWaitUs(core);
  setMode(core, "ready", "proved by a known answer");
}

function backOff(core: HsmCore, failed: LadderOutcome & { readonly kind: "failed" }): void {
  const { ladder } = core.state;
  // Too fast is nothing that another level would cure, unless it goes on and on.
  const again = failed.as === "throttled" && ladder.tries % 4 !== 3 && ladder.level > 0;
  const next = again ? ladder.level : Math.max(ladder.level + 1, failed.level, ladder.wanted);
  ladder.level = Math.min(levelMax, next);
  ladder.nextAtUs = core.now + drawWaitUs(core, ladder.tries++);
  setMode(core, "backingOff", failed.because, failed.rv);
}

function moduleIsOverdue(core: HsmCore): boolean {
  return core.now - core.state.ladder.moduleAskedAtUs >= core.times.callTimeoutUs;
}
