/** All that a client remembers, as plain data. */
import type { GroupId, NodeId } from "../ids.js";
import { type RandomState, below, seededRandom } from "../random.js";
import type { ClientReadMode, SessionId } from "../store/client-protocol.js";
import type { ClientEffect, FailureReason, OperationId } from "./contract.js";
import type { ClientLimits, ClientOptions, ClientTimes, WaitUs } from "./options.js";
import type { Routing } from "./routing.js";

export interface ClientState {
  readonly random: RandomState;
  /** Of the newest map, from which `ClientCore.routing` was decoded; empty for none or a fixed one. */
  mapBytes: Uint8Array;
  mapVersion: number;
  readonly fetch: MapFetch;
  /** In the order in which they came. */
  readonly operations: Map<OperationId, OperationState>;
  /** The longest unused first. */
  readonly groups: Map<GroupId, GroupState>;
  /** Of groups for whose session some operation waits. */
  readonly openings: Map<GroupId, Attempts>;
  /** By a number of our own. */
  readonly sessions: Map<number, SessionState>;
  /** Requests whose answers are still taken. */
  readonly requests: Map<number, OpenRequest>;
  nextRequest: number;
  nextSession: number;
  nextNonce: number;
  wakeAtUs: number;
  closed: boolean;
}

/** One at a time. `request` 0: none is under way. */
export interface MapFetch {
  wanted: boolean;
  request: number;
  /** Of the request; with none, before this none is sent. */
  actAtUs: number;
  /** The next one may be sent from then on. */
  notBeforeUs: number;
  turn: number;
}

/** What is asked again and again, of one node after the other, until it is answered. */
export interface Attempts {
  /** That may still be answered, the oldest first. */
  readonly requests: number[];
  /** The one whose answer is waited for; 0: none. */
  current: number;
  silences: number;
  refusals: number;
  /** When to stop waiting for an answer, or to ask again; Infinity: when something happens. */
  actAtUs: number;
}

export interface OperationState extends Attempts {
  readonly id: OperationId;
  readonly type: "command" | "read";
  /** Of a command `index`, and without meaning. */
  mode: ClientReadMode;
  readonly slot: number;
  readonly bytes: Uint8Array;
  readonly deadlineUs: number;
  /** Key of the session and serial of the command; 0 until it is to be sent. */
  session: number;
  serial: number;
  /** An attempt may have been applied, and no answer that is still to come can say that it was not. */
  lost: boolean;
  /** Whose session it waits for; 0: it does not. */
  awaits: GroupId | 0;
  /** Why it would fail at its deadline. */
  reason: FailureReason;
}

export interface GroupState {
  /** Whom to ask first; 0: one after the other, by `turn`. */
  leader: NodeId | 0;
  turn: number;
  hints: number;
  /** Key of the session for new commands; 0: none. */
  session: number;
  /** Of the opening of the next one, repeated until that has come about; 0: none was begun. */
  nonce: number;
}

export interface SessionState {
  readonly key: number;
  readonly id: SessionId;
  nextSerial: number;
}

export interface OpenRequest {
  readonly purpose: "operation" | "opening" | "map";
  /** Which operation or group. */
  readonly of: number;
  readonly node: NodeId;
  /** That was asked; 0 for none. */
  readonly group: GroupId | 0;
}

/** What the functions of the client share during a step. */
export interface ClientCore {
  readonly state: ClientState;
  readonly options: ClientOptions;
  readonly limits: ClientLimits;
  readonly times: ClientTimes;
  routing: Routing | null;
  now: number;
  out: ClientEffect[];
}

export function initialState(options: ClientOptions): ClientState {
  return {
    random: seededRandom(options.seed),
    mapBytes: new Uint8Array(0),
    mapVersion: options.routing?.version ?? 0,
    fetch: { wanted: false, request: 0, actAtUs: 0, notBeforeUs: 0, turn: 0 },
    operations: new Map(),
    groups: new Map(),
    openings: new Map(),
    sessions: new Map(),
    requests: new Map(),
    nextRequest: options.firstRequest ?? 1,
    nextSession: 1,
    nextNonce: 1,
    wakeAtUs: Infinity,
    closed: false,
  };
}

/** Does nothing where there is no map. */
export function wantMap({ state, options }: ClientCore): void {
  if (options.decodeMap !== null) state.fetch.wanted = true;
}

const doublingsMax = 16;

/** The wait after `count` earlier ones. */
export function waitUs({ state }: ClientCore, { min, max }: WaitUs, count: number): number {
  const whole = Math.min(max, min * (1 << Math.min(count, doublingsMax)));
  return whole - below(state.random, (whole >> 1) + 1);
}
