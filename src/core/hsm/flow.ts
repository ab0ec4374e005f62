/**
 * What a request does with the token, written down in the order in which it happens: a generator
 * that yields calls and is resumed with their answers. A flow never sees a lost session, login or
 * process. It is then cut off for good, and another is begun from the start when the token is back:
 * so a flow finds out what is already done before it does it, and what must not be forgotten
 * between two tries is in its job's memo.
 */
import { InvariantError } from "../assert.js";
import type { HsmError, HsmErrorCode } from "../ports/hsm.js";
import type {
  Handle,
  TokenAnswer,
  TokenCall,
  TokenFunction,
  TokenValues,
} from "./cryptoki/calls.js";
import type { ReturnClass } from "./returns.js";

export type Flow<T> = Generator<FlowStep, T, TokenAnswer | null>;

export type FlowStep =
  | {
      readonly kind: "call";
      /** Without its session, that of the job is taken. */
      readonly call: TokenCall | Sessionless;
      /**
       * Refusals are handed to the flow: those of the class `fatal`, and these. Whatever was refused,
       * the flow goes on in another session. Null: none is.
       */
      readonly tolerates: readonly number[] | "all" | null;
    }
  | { readonly kind: "pause"; readonly forUs: number }
  /** The request is answered with this; the flow is not resumed. */
  | { readonly kind: "fail"; readonly error: HsmError }
  /** The token answered, and what it answered shows that something is wrong; not resumed. */
  | { readonly kind: "suspect"; readonly as: ReturnClass; readonly because: string };

type WithoutSession<C> = C extends { readonly session: Handle } ? Omit<C, "session"> : never;
export type Sessionless = WithoutSession<TokenCall>;

type Narrow<C, Fn> = C extends { readonly fn: infer F }
  ? Fn extends F
    ? Omit<C, "fn" | "session">
    : never
  : never;
/** What a call of `Fn` takes besides its session. */
export type Arguments<Fn extends TokenFunction> = Narrow<TokenCall, Fn>;

/** Any refusal ends the request. */
export function* ask<Fn extends TokenFunction>(fn: Fn, args: Arguments<Fn>): Flow<TokenValues[Fn]> {
  const answer = yield { kind: "call", call: { fn, ...args } as Sessionless, tolerates: null };
  return answer!.value as TokenValues[Fn];
}

/** Refusals are answers too; `also` those that would else mean trouble. */
export function* attempt<Fn extends TokenFunction>(
  fn: Fn,
  args: Arguments<Fn>,
  also: readonly number[] = [],
): Flow<TokenAnswer<Fn>> {
  const answer = yield { kind: "call", call: { fn, ...args } as Sessionless, tolerates: also };
  return answer as TokenAnswer<Fn>;
}

/** A call that has no session, or names it. */
export function* rawCall<Fn extends TokenFunction>(
  call: TokenCall & { readonly fn: Fn },
  also: readonly number[] | "all" = [],
): Flow<TokenAnswer<Fn>> {
  const answer = yield { kind: "call", call, tolerates: also };
  return answer as TokenAnswer<Fn>;
}

export function* pause(forUs: number): Flow<void> {
  yield { kind: "pause", forUs };
}

export function* fail(code: HsmErrorCode, during: string, rv = 0): Flow<never> {
  yield { kind: "fail", error: { code, rv, policy: null, during } };
  throw new InvariantError("a failed flow is not resumed");
}

/** `policy` is P1 to P19. */
export function* refuse(policy: string, during: string): Flow<never> {
  yield { kind: "fail", error: { code: "refusedByPolicy", rv: 0, policy, during } };
  throw new InvariantError("a failed flow is not resumed");
}

export function* suspect(as: ReturnClass, because: string): Flow<never> {
  yield { kind: "suspect", as, because };
  throw new InvariantError("a flow that found trouble is not resumed");
}
