/**
 * The keeper of keys above a PKCS#11 module, pure: `HsmRequest`s in, `TokenCall`s out. It holds the
 * sessions and the login, brings them back when they are lost, finds keys by their id and never by
 * an old handle, and knows by trial what the token can do.
 *
 * Whoever drives it executes calls in their order, hands every answer back, and keeps bytes of keys
 * out of logs: calls and answers may hold them, events and `state` never do. `dataKey` materials and
 * targets are not for it: the port around it turns them into bytes first, and an answer's bytes into
 * a data key; here they are `badInput`.
 */
import { assertNever } from "../assert.js";
import type { HsmRequest } from "../ports/hsm.js";
import { seededRandom } from "../random.js";
import type { HsmMachineEffect, HsmMachineInput } from "./contract.js";
import { addJob, answerSick, callAnswered, endOverdue, healthOf, startJobs } from "./jobs.js";
import { climb, moduleLost, moduleReady, open } from "./ladder.js";
import { type HsmMachineOptions, hsmLimitsDefault, hsmTimesDefault } from "./options.js";
import { prove } from "./prove.js";
import { refusalOf, serve } from "./requests.js";
import { closeStaleSessions } from "./sessions.js";
import { type HsmCore, type HsmState, checkWaitUs, sessionsMaxOf } from "./state.js";
import { nextWakeUs, timeoutUsOf } from "./times.js";

export type { HsmMachineEffect, HsmMachineInput } from "./contract.js";

export class HsmMachine {
  readonly #core: HsmCore;

  constructor(options: HsmMachineOptions) {
    const { profile } = options;
    const limits = { ...hsmLimitsDefault, ...options.limits };
    const times = { ...hsmTimesDefault, ...options.times };
    const state = initialState(options);
    const jobs = new Set<never>();
    this.#core = {
      options,
      profile,
      limits,
      times,
      state,
      jobs,
      pending: new Map(),
      now: 0,
      out: [],
    };
  }

  /** Plain data, without secrets. What requests are in the middle of is not in it. */
  get state(): Readonly<HsmState> {
    return this.#core.state;
  }

  /** Requests that wait for their answer, and the machine's own. */
  get waiting(): number {
    return this.#core.jobs.size;
  }

  /** Synchronous and total. `now` is monotonic, in microseconds. */
  step(now: number, input: HsmMachineInput, out: HsmMachineEffect[]): void {
    const core = this.#core;
    core.now = now;
    core.out = out;
    take(core, input);
    endHanging(core);
    endOverdue(core);
    climb(core);
    checkNowAndThen(core);
    startJobs(core);
    // What began may have ended at once.
    climb(core);
    answerSick(core);
    startJobs(core);
    arm(core);
  }
}

function take(core: HsmCore, input: HsmMachineInput): void {
  switch (input.kind) {
    case "request":
      return requested(core, input.op, input.request);
    case "answered":
      return callAnswered(core, input.call, input.answer);
    case "moduleReady":
      return moduleReady(core);
    case "moduleLost":
      return moduleLost(core, input.reason);
    case "timer":
      // The wish has been granted, if early.
      core.state.wakeAtUs = Infinity;
      return;
    default:
      return assertNever(input);
  }
}

function requested(core: HsmCore, op: number, request: HsmRequest): void {
  const { state, times } = core;
  const refusal = refusalOf(core, request);
  if (refusal !== null) {
    const error = { ...refusal, rv: 0, during: request.kind };
    return void core.out.push({ kind: "answer", op, result: { ok: false, error } });
  }
  const away = state.mode !== "ready";
  if (request.kind === "health" && away) {
    const value = { kind: "health", health: healthOf(core, false) } as const;
    return void core.out.push({ kind: "answer", op, result: { ok: true, value } });
  }
  if (core.jobs.size >= core.limits.queueMax) {
    const error = { code: "overloaded", rv: 0, policy: null, during: request.kind } as const;
    return void core.out.push({ kind: "answer", op, result: { ok: false, error } });
  }
  const { halt } = state.ladder;
  if (halt !== null && request.kind !== "open") {
    return void core.out.push({ kind: "answer", op, result: { ok: false, error: halt } });
  }
  const forUs = request.kind === "generate" ? times.generateDeadlineUs : times.deadlineUs;
  addJob(core, {
    op,
    request,
    deadlineUs: core.now + forUs,
    keeper: false,
    pooled: request.kind !== "open",
    begin: (work) => serve(work, request),
  });
  if (state.mode === "stopped" || state.mode === "halted") open(core);
}

/** A call that hangs cannot be called off: its process is given up. */
function endHanging(core: HsmCore): void {
  for (const { fn } of core.pending.values()) {
    if (core.now - core.state.headSinceUs < timeoutUsOf(core, fn)) return;
    return moduleLost(core, `${fn} hangs`);
  }
}

function checkNowAndThen(core: HsmCore): void {
  const { state } = core;
  if (state.mode !== "ready") return;
  closeStaleSessions(core);
  if (state.checkAtUs > core.now) return;
  state.checkAtUs = core.now + checkWaitUs(core);
  const deadlineUs = core.now + core.times.deadlineUs;
  addJob(core, { op: null, request: null, deadlineUs, keeper: false, pooled: true, begin: prove });
}

function arm(core: HsmCore): void {
  const atUs = nextWakeUs(core);
  if (atUs === core.state.wakeAtUs) return;
  core.state.wakeAtUs = atUs;
  core.out.push({ kind: "wakeAt", atUs });
}

function initialState({ seed, profile }: HsmMachineOptions): HsmState {
  return {
    mode: "stopped",
    random: seededRandom(seed),
    lastCall: 0,
    epoch: 0,
    token: null,
    anchor: null,
    idle: [],
    sessions: 0,
    sessionsMax: sessionsMaxOf(profile),
    held: new Map(),
    ladder: {
      level: 0,
      wanted: 0,
      because: { rv: 0, because: "" },
      tries: 0,
      nextAtUs: 0,
      begunAtUs: [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
      outcome: null,
      proving: false,
      moduleAskedAtUs: 0,
      halt: null,
      rejections: 0,
    },
    handles: new Map(),
    registry: new Map(),
    keyWrapPadMechanism: profile.keyWrapPadMechanisms[0] ?? 0,
    unknownAttributes: new Map(),
    canary: null,
    goneNames: new Map(),
    strangers: new Map(),
    throttledUntilUs: 0,
    throttles: 0,
    checkAtUs: 0,
    refreshedAtUs: 0,
    wrote: false,
    lastRv: 0,
    headSinceUs: 0,
    wakeAtUs: Infinity,
  };
}
