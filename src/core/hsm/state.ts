/** What a machine knows. `HsmState` is plain data and holds no secret; jobs may hold keys' bytes. */
import { type RandomState, below } from "../random.js";
import type { Capability, HsmError, HsmRequest, HsmValue } from "../ports/hsm.js";
import type { Handle, TokenAnswer, TokenFunction } from "./cryptoki/calls.js";
import type { HsmStateName } from "./events.js";
import type { Flow } from "./flow.js";
import type { HsmMachineEffect } from "./contract.js";
import type { KeyDescription } from "./keys.js";
import type { HsmLimits, HsmMachineOptions, HsmTimes } from "./options.js";
import type { VendorProfile } from "./profile.js";
import type { ReturnClass } from "./returns.js";

export interface HsmState {
  mode: HsmStateName;
  readonly random: RandomState;
  /** Of the call that was made last. */
  lastCall: number;
  /** Grows whenever all handles become void. */
  epoch: number;
  /** The chosen token; null before the first choice. */
  token: { readonly slot: number; readonly serial: string } | null;
  /** Held open for life: with the last session the login would go. */
  anchor: Handle | null;
  readonly idle: { readonly session: Handle; readonly sinceUs: number }[];
  /** Sessions that exist or are being opened, besides the anchor. */
  sessions: number;
  /** What the token turned out to bear. */
  sessionsMax: number;
  /** Sessions kept open for a key that was unwrapped in them, by the key's id. */
  readonly held: Map<string, Handle>;
  readonly ladder: Ladder;
  /** By the key's id; the one unused for longest first. All of this epoch. */
  readonly handles: Map<string, LocatedKey>;
  readonly registry: Map<string, Capability>;
  /** Under which of its numbers the token has AES-KWP. */
  keyWrapPadMechanism: number;
  /** `class:type` of attributes that this token does not know. */
  readonly unknownAttributes: Map<string, true>;
  canary: Canary | null;
  readonly goneNames: Map<string, true>;
  /** Since when keys under provisional names were seen, by id. */
  readonly strangers: Map<string, number>;
  throttledUntilUs: number;
  /** In a row, without anything that worked. */
  throttles: number;
  checkAtUs: number;
  refreshedAtUs: number;
  /** Objects of the token were made or destroyed from here since the last C_Initialize. */
  wrote: boolean;
  lastRv: number;
  /** When the call that is at work now became the first of those in flight. */
  headSinceUs: number;
  wakeAtUs: number;
}

export interface Ladder {
  /** 0 while all is well; 1 new session, 2 login, 3 initialisation, 4 process. */
  level: number;
  /** Asked for meanwhile by what failed elsewhere. */
  wanted: number;
  /** What asked for it first. */
  because: { readonly rv: number; readonly because: string };
  /** Since it was last well. */
  tries: number;
  nextAtUs: number;
  /** When a level was last begun because a request had failed again and again. */
  readonly begunAtUs: number[];
  /** What became of the reconnection's own job; null while it is at work. */
  outcome: LadderOutcome | null;
  /** The level itself is done; what it gave is being proved. */
  proving: boolean;
  /** Asked for at, and no process yet; 0 when none is waited for. */
  moduleAskedAtUs: number;
  /** Why nothing is tried, while `halted`. */
  halt: HsmError | null;
  /** PINs that the token itself rejected. */
  rejections: number;
}

export type LadderOutcome =
  | { readonly kind: "done" }
  | {
      readonly kind: "failed";
      readonly as: ReturnClass;
      /** The least level that may help. */
      readonly level: number;
      readonly rv: number;
      readonly because: string;
    }
  /** Nothing that trying would change. */
  | { readonly kind: "halt"; readonly error: HsmError };

export interface LocatedKey {
  /** Of the secret or private key. */
  readonly handle: Handle;
  readonly publicHandle: Handle | null;
  readonly description: KeyDescription;
}

export type Canary =
  | {
      readonly kind: "key";
      /** CKA_ID as the token has it, hex. */
      readonly id: string;
      readonly iv: Uint8Array;
      readonly sealed: Uint8Array;
      /** Void with its epoch. */
      handle: { readonly epoch: number; readonly handle: Handle } | null;
    }
  /** The token has no key that could be asked: its generator alone is. */
  | { readonly kind: "none" };

export interface Job {
  /** The caller's; null for the machine's own. */
  readonly op: number | null;
  readonly request: HsmRequest | null;
  readonly deadlineUs: number;
  readonly begin: (work: Work) => Flow<HsmValue>;
  /** Belongs to a reconnection: runs though the machine is not ready. */
  readonly keeper: boolean;
  readonly memo: Memo;
  stage: "waiting" | "delayed" | "opening" | "running" | "paused" | "over";
  notBeforeUs: number;
  tries: number;
  /** Of the reconnection that its last failure began; -1 before any. */
  level: number;
  flow: Flow<HsmValue> | null;
  /** False: it names sessions itself. */
  readonly pooled: boolean;
  /** A call of it is in flight. */
  calling: boolean;
  session: Handle | null;
  /** An answer that waits for a session to go on in. */
  parked: TokenAnswer | null;
  /** A call was sent that may have changed the token. */
  doubtful: boolean;
  /** The session is closed in the end: objects are left in it. */
  littered: boolean;
  /** The session stays open for the key of this id. */
  holdFor: string | null;
  answered: boolean;
  during: string;
  lastRv: number;
}

export interface Memo {
  /** CKA_ID of the key that this request made, as hex. */
  madeId: string | null;
  madeAtUs: number;
  /** Since when another key of its name was seen beside it. */
  rivalsSinceUs: number | null;
  /** The token was initialised anew to see newer keys. */
  refreshed: boolean;
  deleting: boolean;
}

export interface PendingCall {
  /** Null: nobody waits for its answer. */
  readonly job: Job | null;
  readonly fn: TokenFunction;
  readonly session: Handle | null;
  readonly tolerates: readonly number[] | "all" | null;
  /** Opens a session for its job. */
  readonly opens: boolean;
}

export interface HsmCore {
  readonly options: HsmMachineOptions;
  readonly profile: VendorProfile;
  readonly limits: HsmLimits;
  readonly times: HsmTimes;
  readonly state: HsmState;
  /** Every job that is not over, in the order in which they came. */
  readonly jobs: Set<Job>;
  /** By id, in the order in which they were made. */
  readonly pending: Map<number, PendingCall>;
  now: number;
  out: HsmMachineEffect[];
}

/** What a flow works with. */
export interface Work {
  readonly core: HsmCore;
  readonly job: Job;
}

/** The longest wait after so many tries; what is waited is drawn below it (full jitter). */
function waitMaxUs(core: HsmCore, tries: number): number {
  const { backoffUs, backoffMaxUs } = core.times;
  return Math.min(backoffMaxUs, backoffUs * (1 << Math.min(tries, 20)));
}

export function drawWaitUs(core: HsmCore, tries: number): number {
  return below(core.state.random, waitMaxUs(core, tries)) + 1;
}

export function newMemo(): Memo {
  return { madeId: null, madeAtUs: 0, rivalsSinceUs: null, refreshed: false, deleting: false };
}

/** Every handle is void: they belong to a login that is over. */
export function voidHandles(core: HsmCore): void {
  const { state } = core;
  state.epoch++;
  state.handles.clear();
  core.out.push({ kind: "event", event: { name: "epoch", epoch: state.epoch } });
}

export function setMode(core: HsmCore, to: HsmStateName, because: string, rv = 0): void {
  const from = core.state.mode;
  if (from === to) return;
  core.state.mode = to;
  core.out.push({ kind: "event", event: { name: "state", from, to, because, rv } });
}

export function sessionsMaxOf(profile: VendorProfile): number {
  return profile.sessionsMax === null ? Infinity : Math.max(1, profile.sessionsMax - 1);
}

/** Until the next known-answer check. */
export function checkWaitUs({ profile, times }: HsmCore): number {
  const idleUs = (profile.idleExpiryMs ?? Infinity) * 1000;
  return Math.min(times.checkEveryUs, Math.floor(idleUs / 3));
}
