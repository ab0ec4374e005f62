/**
 * What goes wrong with a token: rules that say when, on which calls and how likely, and what then
 * happens. They outlive the module's processes, and count what they did.
 */
import type { Handle, TokenFunction } from "../../core/hsm/cryptoki/calls.js";

export interface TokenFaultRule {
  /** One's own among the rules. */
  readonly id: number;
  /** Default: every call. */
  readonly fn?: TokenFunction | readonly TokenFunction[];
  /** Calls that use an object with this CKA_LABEL, and no others. */
  readonly label?: string;
  /** Calls in this session, and no others. */
  readonly session?: Handle;
  /** Of a thousand calls that fit. */
  readonly chance: number;
  readonly fromUs: number;
  /** Itself no more. */
  readonly toUs: number;
  /** The nth call that fits, from 1, and no other. */
  readonly nth?: number;
  readonly effect: TokenFaultEffect;
}

export type TokenFaultEffect =
  /** All of them, without a word. */
  | { readonly kind: "sessionsLost" }
  /** That of the call alone. */
  | { readonly kind: "sessionLost" }
  | { readonly kind: "loginLost" }
  /** The library forgets C_Initialize, and refuses it so many times again with CKR_GENERAL_ERROR. */
  | { readonly kind: "initLost"; readonly failures: number }
  /** CKR_DEVICE_ERROR to everything, until C_Finalize. */
  | { readonly kind: "deviceError" }
  /** For so long. `silent`: sessions look sound, and only what needs an object tells. */
  | { readonly kind: "tokenAway"; readonly forUs: number; readonly silent: boolean }
  /** For so long another token of that label and PIN is in the slot; it has nothing in it. */
  | { readonly kind: "tokenSwapped"; readonly forUs: number }
  /** Too fast, in the vendor's words. */
  | { readonly kind: "throttled" }
  /** Refused before anything is done. */
  | { readonly kind: "refused"; readonly rv: number }
  /** This call and all after it are never answered by this process. `done`: it is done all the same. */
  | { readonly kind: "hang"; readonly done?: boolean }
  | { readonly kind: "slow"; readonly delayUs: number }
  | { readonly kind: "full" }
  /** It was full while it wrote: of a pair the public half is there, of another object what has no name. */
  | { readonly kind: "fullPartly" }
  | { readonly kind: "readOnly" }
  /** The right PIN is taken for a wrong one. */
  | { readonly kind: "pinRejected" }
  /** For good. */
  | { readonly kind: "pinLocked" }
  /** Locked, and everything on the token erased. */
  | { readonly kind: "zeroized" }
  /** Another client destroys what the call is about to use. */
  | { readonly kind: "keyDestroyed" }
  /** In sessions with an odd handle it has not been copied to the device that serves them. */
  | { readonly kind: "keyUnreplicated" }
  /** Another client makes an equal key at the same time. */
  | { readonly kind: "keyMade" }
  /** A search finds what it found the first time under this rule, gone or not, and nothing newer. */
  | { readonly kind: "findStale" }
  /** A search leaves the last thing out. */
  | { readonly kind: "keyHidden" }
  /** Another client makes a second object that equals the first one found. */
  | { readonly kind: "keyDoubled" }
  /** The login is lost, and after the next one old handles name other keys. */
  | { readonly kind: "handlesMoved" }
  /** A key is made, but not as it was asked for: anybody may read it. */
  | { readonly kind: "attributesIgnored" }
  /** A flag is read back other than it is. */
  | { readonly kind: "flagMisread"; readonly type: number }
  /** It is done, and the answer says otherwise. */
  | { readonly kind: "answerLost"; readonly rv: number }
  /** The session has an operation that nobody ends. */
  | { readonly kind: "operationLeft" }
  /** CKR_BUFFER_TOO_SMALL, and the operation is not ended. */
  | { readonly kind: "bufferTooSmall" }
  /** One bit of what is given out. */
  | { readonly kind: "bytesCorrupted" }
  /** The last eight bytes of what is given out are missing. */
  | { readonly kind: "bytesCut" }
  /** What the function gave out the last time. */
  | { readonly kind: "outputStale" };

export type TokenFaultKind = TokenFaultEffect["kind"];

export interface TokenFaultCount {
  fired: number;
  /** Calls whose course it changed. */
  effective: number;
}

/** A 32-bit word for the next chance of `rule`. */
export type FaultWord = (nowUs: number, rule: number) => number;

/** What lasts of a fault beyond its call, and beyond the process. */
interface Lasting {
  rule: TokenFaultRule | null;
  untilUs: number;
  silent: boolean;
}

export class TokenFaults {
  /** Hears of each time that a rule changed the course of a call. */
  onEffective: (id: number) => void = () => {};
  readonly #counts = new Map<number, TokenFaultCount>();
  readonly away: Lasting = { rule: null, untilUs: 0, silent: false };
  readonly swap: { rule: TokenFaultRule | null; untilUs: number } = { rule: null, untilUs: 0 };
  /** C_Initialize fails so many times more. */
  failingInits: { rule: TokenFaultRule | null; left: number } = { rule: null, left: 0 };
  readonly #word: FaultWord;
  readonly #fitted = new Map<TokenFaultRule, number>();
  #rules: readonly TokenFaultRule[];

  constructor(rules: readonly TokenFaultRule[], word: FaultWord) {
    this.#rules = rules;
    this.#word = word;
    for (const { id } of rules) this.#counts.set(id, { fired: 0, effective: 0 });
  }

  get counts(): ReadonlyMap<number, TokenFaultCount> {
    return this.#counts;
  }

  /** One more, from now on. */
  begin(rule: TokenFaultRule): void {
    this.#rules = [...this.#rules, rule];
    this.#counts.set(rule.id, { fired: 0, effective: 0 });
  }

  end(id: number): void {
    this.#rules = this.#rules.filter((rule) => rule.id !== id);
    if (this.away.rule?.id === id) this.away.rule = null;
    if (this.swap.rule?.id === id) this.swap.rule = null;
  }

  /** Nothing goes wrong from here on but what a process has in itself. */
  heal(): void {
    this.#rules = [];
    this.away.rule = null;
    this.swap.rule = null;
    this.failingInits = { rule: null, left: 0 };
  }

  /** Rules that strike this call. `isOf`: whether it is of the session and object that a rule names. */
  strike(
    nowUs: number,
    fn: TokenFunction,
    isOf: (rule: TokenFaultRule) => boolean = () => true,
  ): readonly TokenFaultRule[] {
    const struck: TokenFaultRule[] = [];
    for (const rule of this.#rules) {
      if (nowUs < rule.fromUs || nowUs >= rule.toUs || !isAbout(rule, fn) || !isOf(rule)) continue;
      const fitted = (this.#fitted.get(rule) ?? 0) + 1;
      this.#fitted.set(rule, fitted);
      if (rule.nth !== undefined && rule.nth !== fitted) continue;
      if (this.#word(nowUs, rule.id) % 1_000 >= rule.chance) continue;
      this.counts.get(rule.id)!.fired++;
      struck.push(rule);
    }
    return struck;
  }

  effective({ id }: TokenFaultRule): void {
    this.#counts.get(id)!.effective++;
    this.onEffective(id);
  }
}

function isAbout({ fn }: TokenFaultRule, called: TokenFunction): boolean {
  if (fn === undefined) return true;
  return typeof fn === "string" ? fn === called : fn.includes(called);
}
