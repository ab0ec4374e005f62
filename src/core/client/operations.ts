/**
 * An operation from its submission to its outcome.
 *
 * A command takes effect at most once because all its attempts have one session and serial. It keeps
 * them when its slot moves: what was applied travels with the slot, and a new owner to which the
 * session did not come answers `sessionExpired`. That answer is final for this session and slot, and
 * so are `refused` and `moved` for the attempt that they answer. So the command may begin anew, in
 * another session, when and only when each of its attempts was answered in one of these ways;
 * else one of them may have been applied before the session was evicted, or before the slot moved.
 */
import { assert, assertNever } from "../assert.js";
import { type ClientAnswer, type ClientRefusal, isSerial } from "../store/client-protocol.js";
import type { FailureReason, Outcome, Submission } from "./contract.js";
import { releaseSession, replaceSession } from "./groups.js";
import { anyNodeOf, leads, nodeOf, turnFrom } from "./nodes.js";
import { isGone, sessionFor, stopAwaiting } from "./openings.js";
import { awaitAnswer, closeRequest, forgetRequests, pause, send } from "./requests.js";
import type { Route } from "./routing.js";
import {
  type ClientCore,
  type OpenRequest,
  type OperationState,
  type SessionState,
  wantMap,
} from "./state.js";

/** After so many waits without an answer the map may be an old one. */
const silencesPerMap = 2;

export function submit(core: ClientCore, submission: Submission): void {
  const { state, out } = core;
  const { operation: id, type, slot, bytes, timeoutUs } = submission;
  assert(!state.operations.has(id), "no two operations under way have one id", { id });
  const reason = refusalOf(core, slot);
  if (reason !== null) {
    out.push({ kind: "finished", operation: id, outcome: { kind: "failed", reason } });
    return;
  }
  state.operations.set(id, {
    id,
    type,
    mode: submission.type === "read" ? submission.mode : "index",
    slot,
    bytes,
    deadlineUs: core.now + timeoutUs,
    session: 0,
    serial: 0,
    lost: false,
    awaits: 0,
    reason: "deadline",
    requests: [],
    current: 0,
    silences: 0,
    refusals: 0,
    actAtUs: core.now,
  });
}

/** Its time may have come: to end, to ask, or to ask somebody else. */
export function proceed(core: ClientCore, operation: OperationState): void {
  if (core.now >= operation.deadlineUs) return giveUp(core, operation, operation.reason);
  if (operation.actAtUs > core.now) return;
  if (operation.current !== 0) silence(core, operation);
  const route = routeOf(core, operation);
  if (route === null) return;
  if (operation.type === "read") return askRead(core, operation, route);
  if (operation.session === 0) {
    const session = sessionFor(core, operation, route.group);
    if (session === null) return;
    operation.session = session.key;
    operation.serial = session.nextSerial++;
  }
  askCommand(core, operation, route);
}

export function operationAnswered(
  core: ClientCore,
  request: number,
  open: OpenRequest,
  answer: ClientAnswer,
): void {
  const operation = core.state.operations.get(open.of)!;
  const { marks } = core.options;
  if (!answers(operation, answer)) return marks.hit("clientAnswerDropped");
  const late = operation.current !== request;
  if (late) marks.hit("clientLateAnswerTaken");
  closeRequest(core, operation, request);
  if (answer.kind === "done" || answer.kind === "readResult") {
    servedBy(core, operation, open);
    return finish(core, operation, { kind: "done", bytes: answer.bytes });
  }
  if (answer.kind === "unknown" && operation.type === "command") operation.lost = true;
  if (answer.kind === "moved") wantMap(core);
  // What comes late says something about its own attempt, and nothing about the present one.
  if (!late) setBack(core, operation, open, answer);
}

/** Ends an operation now: of no use to anybody, or too late. */
export function giveUp(core: ClientCore, operation: OperationState, reason: FailureReason): void {
  const doubtful = operation.type === "command" && isDoubtful(operation);
  finish(core, operation, doubtful ? { kind: "unknown" } : { kind: "failed", reason });
}

function refusalOf({ state, options, limits }: ClientCore, slot: number): FailureReason | null {
  if (state.closed) return "closed";
  if (slot >= options.slotCount) return "noSuchSlot";
  if (state.operations.size < limits.operationsMax) return null;
  options.marks.hit("clientOperationsFull");
  return "operationsFull";
}

type Fitting = Exclude<ClientAnswer, { kind: "opened" | "map" }>;
type SetBack = Exclude<Fitting, { kind: "done" | "readResult" }>;

/** Is the answer one to what was asked? */
function answers({ type }: OperationState, answer: ClientAnswer): answer is Fitting {
  switch (answer.kind) {
    case "done":
    case "sessionExpired":
      return type === "command";
    case "readResult":
      return type === "read";
    case "refused":
    case "unknown":
    case "moved":
    case "malformed":
      return true;
    case "opened":
    case "map":
      return false;
    default:
      return assertNever(answer);
  }
}

/** May an attempt have been applied, or be applied one day? Only of commands. */
function isDoubtful({ lost, requests }: OperationState): boolean {
  return lost || requests.length > 0;
}

/** The present attempt did nothing, or nobody knows. */
function setBack(
  core: ClientCore,
  operation: OperationState,
  open: OpenRequest,
  answer: SetBack,
): void {
  switch (answer.kind) {
    case "refused":
      operation.reason = answer.reason;
      return refused(core, operation, open, answer);
    case "unknown":
      operation.reason = "deadline";
      turnFrom(core, open, answer.leader);
      return pause(core, operation);
    case "moved":
      operation.reason = "moved";
      servedBy(core, operation, open);
      return pause(core, operation);
    case "sessionExpired":
      operation.reason = "sessionExpired";
      servedBy(core, operation, open);
      return expired(core, operation, open);
    case "malformed":
      operation.reason = "malformed";
      if (!isDoubtful(operation)) return giveUp(core, operation, "malformed");
      turnFrom(core, open, 0);
      return pause(core, operation);
    default:
      return assertNever(answer);
  }
}

function refused(
  core: ClientCore,
  operation: OperationState,
  open: OpenRequest,
  { reason, leader }: ClientAnswer & { kind: "refused" },
): void {
  if (reason === "tooLarge" && !isDoubtful(operation)) return giveUp(core, operation, reason);
  // Who has no lease may still ask the others.
  if (reason === "noLease") operation.mode = "index";
  const session = core.state.sessions.get(operation.session);
  if (reason === "sessionFull" && session !== undefined) {
    core.options.marks.hit("clientSessionFull");
    replaceSession(core, session);
  }
  if (isGone(reason)) wantMap(core);
  if (!isOfStore(reason)) turnFrom(core, open, leader);
  pause(core, operation);
}

/** Refused by the state machine: another node would not answer otherwise. */
function isOfStore(reason: ClientRefusal): boolean {
  return reason === "sessionFull" || reason === "staleSerial";
}

/** See the top. The session may still be honoured on other slots, and others may be using it. */
function expired(core: ClientCore, operation: OperationState, { group }: OpenRequest): void {
  const session = sessionOf(core, operation);
  if (session.id.group === group) replaceSession(core, session);
  if (isDoubtful(operation)) {
    core.options.marks.hit("clientSessionLost");
    return finish(core, operation, { kind: "expired" });
  }
  core.options.marks.hit("clientRenumbered");
  operation.session = 0;
  operation.serial = 0;
  releaseSession(core, session.key);
  pause(core, operation);
}

/** Only a leader answers like this, but for what any replica serves. */
function servedBy(core: ClientCore, { mode }: OperationState, open: OpenRequest): void {
  if (mode !== "follower") leads(core, open);
}

function silence(core: ClientCore, operation: OperationState): void {
  const open = core.state.requests.get(operation.current)!;
  operation.current = 0;
  operation.reason = "deadline";
  operation.silences++;
  turnFrom(core, open, 0);
  if (operation.silences % silencesPerMap === 0) wantMap(core);
}

/** Null when there is none now: then the operation waits. */
function routeOf(core: ClientCore, operation: OperationState): Route | null {
  const { routing } = core;
  const route = routing?.at(operation.slot) ?? null;
  if (route !== null) return route;
  operation.reason = routing === null ? "noMap" : "noOwner";
  stopAwaiting(core, operation);
  wantMap(core);
  pause(core, operation);
  return null;
}

function askRead(core: ClientCore, operation: OperationState, { group, epoch }: Route): void {
  const { mode, slot, bytes } = operation;
  const node = mode === "follower" ? anyNodeOf(core, group) : nodeOf(core, group);
  const read = { kind: "read", group, mode, slot, epoch, question: bytes } as const;
  const request = send(core, node, read, operation);
  awaitAnswer(core, operation, request, { purpose: "operation", of: operation.id, node, group });
}

function askCommand(core: ClientCore, operation: OperationState, { group, epoch }: Route): void {
  const { serial, slot, bytes } = operation;
  const session = sessionOf(core, operation);
  const ackBelow = lowestAwaited(core, session.key);
  assert(isSerial(serial, ackBelow), "what is sent is still waited for", { serial, ackBelow });
  if (session.id.group !== group) core.options.marks.hit("clientSessionMoved");
  const node = nodeOf(core, group);
  const command = { group, session: session.id, serial, ackBelow, slot, epoch, command: bytes };
  const request = send(core, node, { kind: "command", ...command }, operation);
  const open = { purpose: "operation", of: operation.id, node, group } as const;
  if (awaitAnswer(core, operation, request, open)) operation.lost = true;
}

/** Of the commands of a session that are under way, of which there is at least one. */
function lowestAwaited({ state }: ClientCore, key: number): number {
  let lowest = Infinity;
  for (const { session, serial } of state.operations.values()) {
    if (session === key) lowest = Math.min(lowest, serial);
  }
  return lowest;
}

function sessionOf({ state }: ClientCore, { session }: OperationState): SessionState {
  return state.sessions.get(session)!;
}

function finish(core: ClientCore, operation: OperationState, outcome: Outcome): void {
  forgetRequests(core, operation);
  core.state.operations.delete(operation.id);
  stopAwaiting(core, operation);
  releaseSession(core, operation.session);
  core.out.push({ kind: "finished", operation: operation.id, outcome });
}
