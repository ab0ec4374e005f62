/** The oracle's oracle: tries every order of a handful of operations. Shares nothing with the checker. */
import type { Operation } from "../../../src/lab/history/operation.js";

/** A sequential object in its plainest form: it is built anew and replayed for each order. */
export interface Replay<Input, Output> {
  /** Carries out one operation and says whether its answer was the one recorded (undefined: unknown). */
  apply(input: Input, output: Output | undefined): boolean;
}

/** Whether some order of all closed and any open operations is legal and keeps the order of time. */
export function isLinearizable<Input, Output>(
  operations: readonly Operation<Input, Output>[],
  start: () => Replay<Input, Output>,
): boolean {
  const chosen: Operation<Input, Output>[] = [];
  const legal = (): boolean => {
    const replay = start();
    return chosen.every(({ input, output }) => replay.apply(input, output));
  };
  const extend = (): boolean => {
    if (!legal()) return false;
    const rest = operations.filter((operation) => !chosen.includes(operation));
    if (rest.every((operation) => operation.return === null)) return true;
    for (const operation of rest) {
      if (rest.some((other) => other.return !== null && other.return < operation.call)) continue;
      chosen.push(operation);
      if (extend()) return true;
      chosen.pop();
    }
    return false;
  };
  return extend();
}
