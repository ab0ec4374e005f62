/**
 * A client of a cluster (contract.ts). It finds out who serves a slot, opens sessions, asks again
 * until it is answered or the time is up, and says what became of each operation.
 */
import { assertNever } from "../assert.js";
import { decodeClientAnswer } from "../store/client-protocol.js";
import type { ClientEffect, ClientInput } from "./contract.js";
import { closeSession } from "./groups.js";
import { fetchMap, mapAnswered } from "./map-fetch.js";
import { openAgain, openingAnswered } from "./openings.js";
import { giveUp, operationAnswered, proceed, submit } from "./operations.js";
import {
  type ClientOptions,
  checkClientOptions,
  clientLimitsDefault,
  clientTimesDefault,
} from "./options.js";
import type { Routing } from "./routing.js";
import { type Attempts, type ClientCore, type ClientState, initialState, waitUs } from "./state.js";
import type { NodeId } from "../ids.js";

export class Client {
  readonly #core: ClientCore;

  constructor(options: ClientOptions) {
    const limits = { ...clientLimitsDefault, ...options.limits };
    const times = { ...clientTimesDefault, ...options.times };
    checkClientOptions(options, limits);
    const { routing } = options;
    this.#core = { state: initialState(options), options, limits, times, routing, now: 0, out: [] };
  }

  /** Plain data. */
  get state(): ClientState {
    return this.#core.state;
  }

  /** What it knows of the cluster; null as long as it has no map. */
  get routing(): Routing | null {
    return this.#core.routing;
  }

  step(now: number, input: ClientInput, out: ClientEffect[]): void {
    const core = this.#core;
    core.now = now;
    core.out = out;
    take(core, input);
    for (const operation of core.state.operations.values()) proceed(core, operation);
    for (const [group, opening] of core.state.openings) openAgain(core, group, opening);
    fetchMap(core);
    arm(core);
  }
}

function take(core: ClientCore, input: ClientInput): void {
  switch (input.kind) {
    case "submit":
      return submit(core, input);
    case "answer":
      return answered(core, input.request, input.bytes);
    case "unreachable":
      return unreachable(core, input.node);
    case "timer":
      // The wish has been granted, if early.
      core.state.wakeAtUs = Infinity;
      return;
    case "close":
      return close(core);
    default:
      return assertNever(input);
  }
}

function answered(core: ClientCore, request: number, bytes: Uint8Array): void {
  const open = core.state.requests.get(request);
  const answer = decodeClientAnswer(bytes);
  if (open === undefined || answer.kind === "undecodable") {
    return core.options.marks.hit("clientAnswerDropped");
  }
  switch (open.purpose) {
    case "operation":
      return operationAnswered(core, request, open, answer);
    case "opening":
      return openingAnswered(core, request, open, answer);
    case "map":
      return mapAnswered(core, answer);
    default:
      return assertNever(open.purpose);
  }
}

/** Not before a short wait: where no node can be reached, all would be asked without end. */
function unreachable(core: ClientCore, node: NodeId): void {
  const { operations, openings, requests, fetch } = core.state;
  const hurry = (asked: Attempts): void => {
    if (requests.get(asked.current)?.node !== node) return;
    const atUs = core.now + waitUs(core, core.times.backoffUs, asked.silences);
    asked.actAtUs = Math.min(asked.actAtUs, atUs);
  };
  for (const operation of operations.values()) hurry(operation);
  for (const opening of openings.values()) hurry(opening);
  if (requests.get(fetch.request)?.node === node) fetch.actAtUs = core.now;
}

function close(core: ClientCore): void {
  const { state } = core;
  state.closed = true;
  for (const operation of state.operations.values()) giveUp(core, operation, "closed");
  for (const session of state.sessions.values()) closeSession(core, session);
  state.groups.clear();
  state.requests.delete(state.fetch.request);
  state.fetch.request = 0;
}

/** When something is due next; said only when that has changed. */
function arm(core: ClientCore): void {
  const { state } = core;
  const { fetch } = state;
  let atUs = fetch.actAtUs;
  for (const { actAtUs, deadlineUs } of state.operations.values()) {
    atUs = Math.min(atUs, actAtUs, deadlineUs);
  }
  for (const { actAtUs } of state.openings.values()) atUs = Math.min(atUs, actAtUs);
  // A clock that is asked for the past would ask again at once.
  atUs = Math.max(atUs, core.now + 1);
  if (atUs === state.wakeAtUs) return;
  state.wakeAtUs = atUs;
  core.out.push({ kind: "wakeAt", at: atUs });
}
