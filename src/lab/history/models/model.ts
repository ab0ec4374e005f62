import type { Operation, Part } from "../operation.js";

/**
 * A sequential object, told to the checker. States are immutable values.
 *
 * 1. `step` is a function: the same state, input and output give an equal state, or none.
 * 2. Two states have the same `stateKey` exactly when no future operation can tell them apart.
 * 3. Two operations with the same `operationKey` step alike in every state.
 * 4. `readOnly` is true only for an operation that, wherever it is legal, leaves the state as it was.
 */
export interface Model<State, Input, Output> {
  readonly name: string;
  /** Splits a history into parts that share no state. */
  partition(operations: readonly Operation<Input, Output>[]): readonly Part<Input, Output>[];
  readonly initial: State;
  /** The next state, or undefined when this cannot happen in `state`. An undefined `output` is an unknown outcome. */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  readOnly(input: Input, output: Output | undefined): boolean;
  stateKey(state: State): string;
  operationKey(input: Input, output: Output | undefined): string;
  /**
   * Optional: merges states that no operation of this part can tell apart. The answer maps each state to one that
   * stands for it, in which every operation is legal that was, and which every step leads on alike.
   */
  abstraction?(operations: readonly Operation<Input, Output>[]): (state: State) => State;
  /** Optional: prunes states from which a known read can no longer be satisfied. */
  foresight?(operations: readonly Operation<Input, Output>[]): Foresight<State>;
}

/**
 * Whether, from `state`, the closed read-only operation `operations[read]` may still come to be legal by operations that return at or after
 * `now`, or are open. It may say yes wrongly, but never no wrongly.
 */
export type Foresight<State> = (state: State, read: number, now: number) => boolean;
