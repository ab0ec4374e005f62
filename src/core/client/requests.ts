/** Requests under way: each is answered once at most, and only those remembered are answered at all. */
import { shorten } from "../arrays.js";
import type { NodeId } from "../ids.js";
import { type ClientRequest, encodeClientRequest } from "../store/client-protocol.js";
import {
  type Attempts,
  type ClientCore,
  type OpenRequest,
  type OperationState,
  waitUs,
  wantMap,
} from "./state.js";

/** Sends a request whose answer nobody waits for. Returns its number. */
export function send(
  core: ClientCore,
  node: NodeId,
  request: ClientRequest,
  operation: OperationState | null = null,
): number {
  const number = core.state.nextRequest++;
  const bytes = encodeClientRequest(request);
  core.out.push({ kind: "ask", node, request: number, bytes, operation: operation?.id ?? null });
  return number;
}

/** Waits for the answer to this request. True when an older one had to be forgotten for it. */
export function awaitAnswer(
  core: ClientCore,
  attempts: Attempts,
  request: number,
  open: OpenRequest,
): boolean {
  const { state, limits, times } = core;
  state.requests.set(request, open);
  attempts.requests.push(request);
  attempts.current = request;
  attempts.actAtUs = core.now + waitUs(core, times.timeoutUs, attempts.silences);
  if (attempts.requests.length <= limits.attemptsOpenMax) return false;
  core.options.marks.hit("clientAttemptForgotten");
  state.requests.delete(attempts.requests.shift()!);
  return true;
}

/** Its answer has come. */
export function closeRequest(core: ClientCore, attempts: Attempts, request: number): void {
  core.state.requests.delete(request);
  attempts.requests.splice(attempts.requests.indexOf(request), 1);
  if (attempts.current === request) attempts.current = 0;
}

export function forgetRequests(core: ClientCore, attempts: Attempts): void {
  for (const request of attempts.requests) core.state.requests.delete(request);
  shorten(attempts.requests, 0);
  attempts.current = 0;
}

/**
 * After so many refusals the map may be an old one: what is left of a group that has ended, on nodes
 * that were given up, refuses like a group that has no leader yet.
 */
const refusalsPerMap = 8;

/** It will be asked again after a while. */
export function pause(core: ClientCore, attempts: Attempts): void {
  attempts.current = 0;
  attempts.actAtUs = core.now + waitUs(core, core.times.backoffUs, attempts.refusals++);
  if (attempts.refusals % refusalsPerMap === 0) wantMap(core);
}
