/**
 * Faults of one kind that are in force on one target. The newest decides what is so; once it ends,
 * the one before it decides again. What happens is credited to the one that decided it.
 */
export class InForce<T> {
  /** What is so now. */
  value: T;
  /** Ordinal of the fault that made it so; -1 when there is none. */
  fault = -1;
  readonly #usual: T;
  /** The newest last. */
  #held: { readonly fault: number; readonly value: T }[] = [];

  constructor(usual: T) {
    this.#usual = usual;
    this.value = usual;
  }

  /** A fault that begins anew counts as the newest. */
  begin(fault: number, value: T): void {
    this.#held = this.#held.filter((held) => held.fault !== fault);
    this.#held.push({ fault, value });
    this.#decide();
  }

  /** Nothing happens if it is not in force. */
  end(fault: number): void {
    this.#held = this.#held.filter((held) => held.fault !== fault);
    this.#decide();
  }

  /** Ends all of them. */
  clear(): void {
    this.#held = [];
    this.#decide();
  }

  #decide(): void {
    const newest = this.#held.at(-1);
    this.value = newest === undefined ? this.#usual : newest.value;
    this.fault = newest?.fault ?? -1;
  }
}
