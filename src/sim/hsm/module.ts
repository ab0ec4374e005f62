/**
 * A simulated PKCS#11 module at a simulated token: one process's worth of it. It answers every
 * `TokenCall` at once and alone by what it was asked before; which return values and attributes those
 * answers hold is told by the profile, for SoftHSM 2.6.1 as measured.
 */
import {
  type Handle,
  type SlotDescription,
  type TokenAnswer,
  type TokenCall,
  noCall,
} from "../../core/hsm/cryptoki/calls.js";
import { ckf, ckr, cks } from "../../core/hsm/cryptoki/constants.js";
import type { VendorProfile } from "../../core/hsm/profile.js";
import { type ModuleContext, ok, refused } from "./context.js";
import type { TokenCrypto } from "./crypto.js";
import { createObject, generateKey, generateKeyPair, unwrapKey } from "./making.js";
import { mechanismList } from "./mechanisms.js";
import { changeObject, destroyObject, readObject } from "./object-calls.js";
import { ObjectTable } from "./objects.js";
import type { DurableToken, TokenObject } from "./token.js";
import { crypt, verify, wrapKey } from "./using.js";

export interface SimTokenOptions {
  readonly token: DurableToken;
  readonly profile: VendorProfile;
  readonly crypto: TokenCrypto;
  /** The PIN that the process has now; null: none. */
  readonly pin: () => string | null;
  /** What the process's guard remembers: PINs with the serial of the token that rejected them. */
  readonly rejectedPins: Set<string>;
}

/** The slot of the token. */
export const tokenSlot = 623_274_361;
/** SoftHSM lists an empty token besides. */
const spareSlot = 623_274_362;
const randomBytesMax = 1 << 20;

interface Session {
  usedUs: number;
}

export class SimToken {
  readonly profile: VendorProfile;
  /** Null: it was taken out. */
  token: DurableToken | null;
  readonly #options: SimTokenOptions;
  readonly #sessions = new Map<Handle, Session>();
  #objects: ObjectTable;
  #initialized = false;
  #loggedIn = false;
  /** Of sessions and objects alike; C_Initialize begins anew, and old handles name new things. */
  #lastHandle = 0;

  constructor(options: SimTokenOptions) {
    this.#options = options;
    this.profile = options.profile;
    this.token = options.token;
    this.#objects = this.#newTable();
  }

  get initialized(): boolean {
    return this.#initialized;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  get loggedIn(): boolean {
    return this.#loggedIn;
  }

  call(nowUs: number, call: TokenCall): TokenAnswer {
    if (call.fn === "initialize") return this.#initialize();
    if (!this.#initialized) return refused(ckr.cryptokiNotInitialized);
    switch (call.fn) {
      case "finalize":
        this.loseInit();
        return ok<"finalize">(null);
      case "slots":
        return ok<"slots">(this.#slots());
      case "mechanisms":
        if (call.slot !== tokenSlot) return refused(ckr.slotIdInvalid);
        return ok<"mechanisms">(mechanismList(this.profile.vendor));
      case "openSession":
        return this.#openSession(nowUs, call.slot);
      default:
        return this.#inSession(nowUs, call);
    }
  }

  /** Every session is gone, and with it all that hangs on sessions. */
  loseSessions(): void {
    this.#sessions.clear();
    this.#lastSessionClosed();
  }

  /** Sessions stay, and nobody says so. */
  loseLogin(): void {
    this.#loggedIn = false;
    this.#objects.loggedOut();
  }

  /** As if C_Initialize had never been called. */
  loseInit(): void {
    this.#initialized = false;
    this.loseSessions();
  }

  /** The login is lost, but handles stay and name other objects of the same kind; how many do. */
  moveHandles(): number {
    this.#loggedIn = false;
    return this.#objects.moveHandles();
  }

  /** Null: the handle names nothing, or something that does not last. */
  lastingObject(handle: Handle): TokenObject | null {
    const object = this.token === null ? null : this.#objects.at(this.token, handle);
    return object === null || this.#objects.isPassing(object) ? null : object;
  }

  #initialize(): TokenAnswer<"initialize"> {
    if (this.#initialized) return refused(ckr.cryptokiAlreadyInitialized);
    this.#initialized = true;
    this.#lastHandle = 0;
    this.#objects = this.#newTable();
    return ok<"initialize">(null);
  }

  #newTable(): ObjectTable {
    const seen = this.profile.snapshotsObjects ? (this.token?.objects ?? new Set<never>()) : null;
    return new ObjectTable(() => this.#newHandle(), seen);
  }

  #newHandle(): Handle {
    return `${++this.#lastHandle}`;
  }

  #slots(): readonly SlotDescription[] {
    const { token, profile } = this;
    if (token === null) return [];
    const shared = { manufacturer: profile.title, model: profile.vendor };
    const flags =
      ckf.rng |
      ckf.loginRequired |
      ckf.userPinInitialized |
      ckf.tokenInitialized |
      pinFlags(token, profile);
    const slot = { ...shared, slot: tokenSlot, label: token.label, serial: token.serial, flags };
    if (profile.vendor !== "softhsm") return [slot];
    const spare = { ...shared, slot: spareSlot, label: "", serial: "", flags: ckf.rng };
    return [slot, spare];
  }

  #openSession(nowUs: number, slot: number): TokenAnswer<"openSession"> {
    if (slot === spareSlot) return refused(ckr.tokenNotRecognized);
    if (slot !== tokenSlot) return refused(ckr.slotIdInvalid);
    if (this.token === null) return refused(ckr.tokenNotPresent);
    if (this.#sessions.size >= (this.profile.sessionsMax ?? Infinity)) {
      return refused(ckr.sessionCount);
    }
    const session = this.#newHandle();
    this.#sessions.set(session, { usedUs: nowUs });
    return ok<"openSession">(session);
  }

  #inSession(nowUs: number, call: SessionCall): TokenAnswer {
    const { profile, token } = this;
    const session = this.#sessions.get(call.session);
    if (session === undefined) return refused(ckr.sessionHandleInvalid);
    if (nowUs - session.usedUs > 1000 * (profile.idleExpiryMs ?? Infinity)) {
      this.#closeSession(call.session);
      return refused(ckr.sessionHandleInvalid);
    }
    session.usedUs = nowUs;
    if (token === null) return refused(ckr.tokenNotPresent);
    switch (call.fn) {
      case "closeSession":
        this.#closeSession(call.session);
        return ok<"closeSession">(null);
      case "sessionInfo": {
        const state = this.#loggedIn ? cks.rwUser : cks.rwPublic;
        return ok<"sessionInfo">({ slot: tokenSlot, state });
      }
      case "login":
        return this.#login(token);
      case "logout":
        if (!this.#loggedIn && profile.vendor !== "softhsm") return refused(ckr.userNotLoggedIn);
        this.loseLogin();
        return ok<"logout">(null);
      case "generateRandom":
        return this.#random(token, call.lengthBytes);
      default:
        return onObjects(this.#context(token), call);
    }
  }

  #random(token: DurableToken, lengthBytes: number): TokenAnswer<"generateRandom"> {
    const { least, most } = randomLimits(this.profile);
    if (lengthBytes < least || lengthBytes > most) return refused(ckr.argumentsBad);
    return ok<"generateRandom">(token.random(lengthBytes));
  }

  #context(token: DurableToken): ModuleContext {
    const loggedIn = this.#loggedIn || this.profile.login !== "required";
    const { profile } = this;
    return { profile, crypto: this.#options.crypto, token, objects: this.#objects, loggedIn };
  }

  #closeSession(session: Handle): void {
    this.#sessions.delete(session);
    this.#objects.sessionClosed(session);
    if (this.#sessions.size === 0) this.#lastSessionClosed();
  }

  #lastSessionClosed(): void {
    this.#loggedIn = false;
    this.#objects.clear();
  }

  #login(token: DurableToken): TokenAnswer<"login"> {
    const pin = this.#options.pin();
    if (pin === null) return refused(noCall.pinMissing);
    const { rejectedPins } = this.#options;
    const guarded = `${token.serial}/${pin}`;
    if (rejectedPins.has(guarded)) return refused(noCall.pinGuarded);
    if (this.#loggedIn) return refused(ckr.userAlreadyLoggedIn);
    const rv = this.profile.pinFormat === "ignored" ? ckr.ok : tryPin(token, pin, this.profile);
    if (rv !== ckr.ok) {
      rejectedPins.add(guarded);
      return refused(rv);
    }
    this.#loggedIn = true;
    return ok<"login">(null);
  }
}

function tryPin(token: DurableToken, pin: string, { lockOut }: VendorProfile): number {
  if (token.locked) return ckr.pinLocked;
  if (pin === token.pin) {
    token.wrongPins = 0;
    return ckr.ok;
  }
  token.wrongPins++;
  if (token.wrongPins >= (lockOut?.attempts ?? Infinity)) token.locked = true;
  return ckr.pinIncorrect;
}

function pinFlags({ wrongPins, locked }: DurableToken, { lockOut }: VendorProfile): number {
  if (locked) return ckf.userPinLocked;
  const isFinal = lockOut !== null && wrongPins === lockOut.attempts - 1;
  return (wrongPins > 0 ? ckf.userPinCountLow : 0) | (isFinal ? ckf.userPinFinalTry : 0);
}

function randomLimits({ vendor }: VendorProfile): {
  readonly least: number;
  readonly most: number;
} {
  return vendor === "google-cloud-hsm"
    ? { least: 8, most: 1024 }
    : { least: vendor === "softhsm" ? 0 : 1, most: randomBytesMax };
}

type SessionCall = Extract<TokenCall, { readonly session: Handle }>;
type OwnCall = "closeSession" | "sessionInfo" | "login" | "logout" | "generateRandom";
type ObjectCall = Exclude<SessionCall, { readonly fn: OwnCall }>;

function onObjects(context: ModuleContext, call: ObjectCall): TokenAnswer {
  switch (call.fn) {
    case "find": {
      const { objects, token, loggedIn } = context;
      return ok<"find">(objects.find(token, call.template, loggedIn, call.max));
    }
    case "attributes":
      return readObject(context, call);
    case "setAttributes":
      return changeObject(context, call);
    case "destroyObject":
      return destroyObject(context, call);
    case "createObject":
      return createObject(context, call);
    case "generateKey":
      return generateKey(context, call);
    case "generateKeyPair":
      return generateKeyPair(context, call);
    case "wrapKey":
      return wrapKey(context, call);
    case "unwrapKey":
      return unwrapKey(context, call);
    case "verify":
      return verify(context, call);
    default:
      return crypt(context, call);
  }
}
