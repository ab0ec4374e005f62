/** A simulated module with faults: what its process is told, and when. */
import type { Handle, TokenAnswer, TokenCall } from "../../core/hsm/cryptoki/calls.js";
import { bytesKey } from "../../core/bytes.js";
import { cka, ckr } from "../../core/hsm/cryptoki/constants.js";
import { AlteredAnswers } from "./altered-answers.js";
import { valueIn } from "./attribute-bytes.js";
import { ok, refused } from "./context.js";
import type { TokenFaultRule, TokenFaults } from "./faults.js";
import type { SimToken } from "./module.js";
import { DurableToken } from "./token.js";

export interface TokenReply {
  /** Null: never. */
  readonly answer: TokenAnswer | null;
  /** Beyond what such a call takes anyhow. */
  readonly delayUs: number;
}

/** Of one process, as its `SimToken` is; `faults` goes on with the next. */
export class FaultyToken {
  readonly module: SimToken;
  readonly #faults: TokenFaults;
  #hung: TokenFaultRule | null = null;
  /** Until C_Finalize. */
  #broken: TokenFaultRule | null = null;
  readonly #busy = new Map<Handle, TokenFaultRule>();
  readonly #answers: AlteredAnswers;

  /** The token that belongs in the slot. */
  readonly #own: DurableToken | null;

  constructor(module: SimToken, faults: TokenFaults) {
    this.module = module;
    this.#own = module.token;
    this.#faults = faults;
    this.#answers = new AlteredAnswers(module, faults);
  }

  call(nowUs: number, call: TokenCall): TokenReply {
    const isOf = (rule: TokenFaultRule): boolean => this.#isOf(rule, call);
    const struck = this.#hung === null ? this.#faults.strike(nowUs, call.fn, isOf) : [];
    let delayUs = 0;
    for (const rule of struck) {
      delayUs += this.#delay(rule);
      this.#begin(rule, nowUs, call);
    }
    const hung = this.#hung;
    const isDone = hung?.effect.kind === "hang" && hung.effect.done === true;
    if (hung !== null) this.#faults.effective(hung);
    if (hung !== null && !(isDone && struck.includes(hung))) return { answer: null, delayUs };
    this.#seat(nowUs);
    const instead = this.#standing(nowUs, call) ?? this.#refusal(struck, call);
    const answer = instead ?? this.#execute(struck, nowUs, call);
    const altered = this.#answers.altered(struck, call, answer);
    return { answer: hung === null ? altered : null, delayUs };
  }

  /** Whether the call is in the session and about the object that the rule names. */
  #isOf({ label, session }: TokenFaultRule, call: TokenCall): boolean {
    if (session !== undefined && !("session" in call && call.session === session)) return false;
    if (label === undefined) return true;
    const handle = usedHandle(call);
    const object = handle === null ? null : this.module.objectAt(handle);
    return bytesKey(object?.attributes.get(cka.label) ?? new Uint8Array(0)) === label;
  }

  /** Puts that token into the slot which is to be there now; with the other one its sessions go. */
  #seat(nowUs: number): void {
    const { module } = this;
    const { rule, untilUs } = this.#faults.swap;
    const isSwapped = rule !== null && nowUs < untilUs;
    const isOther = module.token !== this.#own;
    if (isSwapped === isOther || this.#own === null) return;
    const { label, serial, pin } = this.#own;
    const seed = [rule?.id ?? 0, 1, 1, 1] as const;
    module.token = isSwapped
      ? new DurableToken({ label, serial: `${serial}-other`, pin, seed })
      : this.#own;
    module.loseSessions();
    if (rule !== null) this.#faults.effective(rule);
  }

  #delay(rule: TokenFaultRule): number {
    if (rule.effect.kind !== "slow") return 0;
    this.#faults.effective(rule);
    return rule.effect.delayUs;
  }

  /** What is so from now on. */
  #begin(rule: TokenFaultRule, nowUs: number, call: TokenCall): void {
    const { module } = this;
    const { effect } = rule;
    switch (effect.kind) {
      case "sessionsLost":
        this.#count(rule, module.sessions > 0);
        return module.loseSessions();
      case "sessionLost":
        if (!("session" in call)) return;
        return this.#count(rule, module.loseSession(call.session));
      case "loginLost":
        this.#count(rule, module.loggedIn);
        return module.loseLogin();
      case "initLost":
        this.#count(rule, module.initialized);
        if (module.initialized) this.#faults.failingInits = { rule, left: effect.failures };
        return module.loseInit();
      case "handlesMoved":
        return this.#count(rule, module.moveHandles() > 0);
      case "deviceError":
        if (module.initialized) this.#broken = rule;
        return;
      case "tokenAway":
        Object.assign(this.#faults.away, {
          rule,
          untilUs: nowUs + effect.forUs,
          silent: effect.silent,
        });
        return;
      case "tokenSwapped":
        Object.assign(this.#faults.swap, { rule, untilUs: nowUs + effect.forUs });
        return;
      case "hang":
        this.#hung = rule;
        return;
      case "operationLeft":
        if ("session" in call) this.#busy.set(call.session, rule);
        return;
      default:
        return;
    }
  }

  /** What is told because of what began earlier. */
  #standing(nowUs: number, call: TokenCall): TokenAnswer | null {
    const failing = this.#faults.failingInits;
    if (call.fn === "initialize" && failing.left > 0) {
      failing.left--;
      return this.#instead(failing.rule!, ckr.generalError);
    }
    if (call.fn === "finalize") {
      this.#broken = null;
      this.#busy.clear();
    }
    if (call.fn === "closeSession") this.#busy.delete(call.session);
    if (!this.module.initialized && call.fn !== "initialize") return null;
    if (this.#broken !== null && call.fn !== "initialize" && call.fn !== "finalize") {
      return this.#instead(this.#broken, ckr.deviceError);
    }
    const away = this.#away(nowUs, call);
    if (away !== null) return away;
    const busy = "session" in call && begins(call) ? this.#busy.get(call.session) : undefined;
    return busy === undefined ? null : this.#instead(busy, ckr.operationActive);
  }

  #away(nowUs: number, call: TokenCall): TokenAnswer | null {
    const { rule, untilUs, silent } = this.#faults.away;
    if (rule === null || nowUs >= untilUs) return null;
    switch (call.fn) {
      case "finalize":
      case "closeSession":
      case "mechanisms":
        return null;
      case "initialize":
        return silent ? this.#instead(rule, ckr.generalError) : null;
      case "slots":
        if (silent) return null;
        this.#faults.effective(rule);
        return ok<"slots">([]);
      case "find":
        this.#faults.effective(rule);
        return ok<"find">([]);
      case "openSession":
      case "sessionInfo":
      case "generateRandom":
        return silent ? null : this.#instead(rule, ckr.tokenNotPresent);
      default:
        return this.#instead(rule, silent ? silentCode(call) : ckr.tokenNotPresent);
    }
  }

  /** Before anything is done. */
  #refusal(struck: readonly TokenFaultRule[], call: TokenCall): TokenAnswer | null {
    for (const rule of struck) {
      const rv = this.#refusalCode(rule, call);
      if (rv === ckr.ok) continue;
      const stays = rule.effect.kind === "bufferTooSmall" && begins(call);
      if (stays && "session" in call) this.#busy.set(call.session, rule);
      return this.#instead(rule, rv);
    }
    return null;
  }

  #refusalCode({ effect }: TokenFaultRule, call: TokenCall): number {
    const { throttleCodes } = this.module.profile;
    switch (effect.kind) {
      case "refused":
        return effect.rv;
      case "bufferTooSmall":
        return "session" in call && givesBytes(call) ? ckr.bufferTooSmall : ckr.ok;
      case "keyUnreplicated": {
        const handle = usedHandle(call);
        const there = handle !== null && this.module.lastingObject(handle) !== null;
        const far = "session" in call && Number(call.session) % 2 === 1;
        return there && far ? ckr.objectHandleInvalid : ckr.ok;
      }
      case "throttled":
        return "session" in call ? (throttleCodes[0] ?? ckr.functionFailed) : ckr.ok;
      case "full":
        if (!addsToToken(call)) return ckr.ok;
        return this.module.fullRv;
      case "readOnly": {
        const writes = addsToToken(call) || call.fn === "destroyObject";
        return writes || call.fn === "setAttributes" ? ckr.sessionReadOnly : ckr.ok;
      }
      default:
        return ckr.ok;
    }
  }

  #execute(struck: readonly TokenFaultRule[], nowUs: number, call: TokenCall): TokenAnswer {
    const { token } = this.module;
    const pin = token?.pin;
    for (const rule of struck) this.#disturb(rule, call);
    const answer = this.module.call(nowUs, call);
    if (token !== null && pin !== undefined) token.pin = pin;
    return answer;
  }

  /** What others do to the token just before. */
  #disturb(rule: TokenFaultRule, call: TokenCall): void {
    const { module } = this;
    const { token } = module;
    if (token === null) return;
    switch (rule.effect.kind) {
      case "pinRejected":
        if (call.fn !== "login" || module.loggedIn) return;
        token.pin = `not ${token.pin}`;
        return this.#faults.effective(rule);
      case "pinLocked":
        if (call.fn !== "login" || token.locked) return;
        token.locked = true;
        return this.#faults.effective(rule);
      case "zeroized":
        if (call.fn !== "login" || (token.locked && token.objects.size === 0)) return;
        token.locked = true;
        token.objects.clear();
        return this.#faults.effective(rule);
      case "keyDestroyed": {
        const handle = usedHandle(call);
        const object = handle === null ? null : module.lastingObject(handle);
        return this.#count(rule, object !== null && token.objects.delete(object));
      }
      default:
        return;
    }
  }

  #instead(rule: TokenFaultRule, rv: number): TokenAnswer {
    this.#faults.effective(rule);
    return refused(rv);
  }

  #count(rule: TokenFaultRule, changed: boolean): void {
    if (changed) this.#faults.effective(rule);
  }
}

/** As SoftHSM answers whose store is gone. */
function silentCode({ fn }: TokenCall): number {
  switch (fn) {
    case "generateKey":
    case "generateKeyPair":
    case "createObject":
    case "login":
      return ckr.generalError;
    default:
      return ckr.objectHandleInvalid;
  }
}

/** An operation that a session can have one of. */
function begins({ fn }: TokenCall): boolean {
  return ["encrypt", "decrypt", "sign", "verify", "find"].includes(fn);
}

/** Through a buffer of the caller's. */
function givesBytes({ fn }: TokenCall): boolean {
  return ["encrypt", "decrypt", "sign", "wrapKey"].includes(fn);
}

function addsToToken(call: TokenCall): boolean {
  switch (call.fn) {
    case "createObject":
    case "generateKey":
    case "unwrapKey":
      return valueIn(call.template, cka.token) === true;
    case "generateKeyPair":
      return valueIn(call.privateTemplate, cka.token) === true;
    default:
      return false;
  }
}

function usedHandle(call: TokenCall): Handle | null {
  switch (call.fn) {
    case "encrypt":
    case "decrypt":
    case "sign":
    case "verify":
      return call.key;
    case "wrapKey":
      return call.wrappingKey;
    case "unwrapKey":
      return call.unwrappingKey;
    case "attributes":
    case "setAttributes":
    case "destroyObject":
      return call.object;
    default:
      return null;
  }
}
