/**
 * What one replica said that rests on a write which is not durable yet. Nothing in here may leave
 * the node before the sync that its token belongs to has succeeded.
 */
import { shorten } from "../arrays.js";
import { type Token, noToken } from "../ids.js";

export interface TiedToToken {
  readonly after: Token;
}

export class HeldBack<Effect extends TiedToToken> {
  /** Everything up to this token is durable. */
  durable: Token = noToken;
  #held: Effect[] = [];

  get size(): number {
    return this.#held.length;
  }

  /** Whether an effect must wait. */
  mustWait(effect: TiedToToken): boolean {
    return effect.after > this.durable;
  }

  hold(effect: Effect): void {
    this.#held.push(effect);
  }

  /** Moves to `out` what waited for tokens that are durable now, in the order in which it was said. */
  release(out: Effect[]): void {
    const held = this.#held;
    let kept = 0;
    for (let at = 0; at < held.length; at++) {
      const effect = held[at]!;
      if (effect.after > this.durable) held[kept++] = effect;
      else out.push(effect);
    }
    shorten(held, kept);
  }

  /** Forgets what waited for `token` or a later one; gives how many that were. */
  dropFrom(token: Token): number {
    return this.dropIf((effect) => effect.after >= token);
  }

  /** Gives how many it forgot. */
  dropIf(isDropped: (effect: Effect) => boolean): number {
    const before = this.#held.length;
    this.#held = this.#held.filter((effect) => !isDropped(effect));
    return before - this.#held.length;
  }
}
