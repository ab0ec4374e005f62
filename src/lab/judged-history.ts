/** Judges of all that clients saw, made of a model or of a function over the history. */
import { keyBytes } from "../core/bytes.js";
import { slotOf } from "../core/store/slots.js";
import { checkOperations } from "./history/checker.js";
import type { Model } from "./history/models/model.js";
import type { Operation as HistoryOperation } from "./history/operation.js";
import { type Operation, isRead } from "./operation.js";
import { type OracleSpec, shapeOf } from "./oracle.js";
import type { StateMachineRequest } from "./scenario.js";

/** Bounds of one check; a history that needs more is undecided, never taken for right. */
const stepsMax = 2_000_000;
const memoryBytesMax = 64 * 1_024 * 1_024;

/** An operation in the words of its model; null when it is not the model's. */
export type Translate<Input, Output> = (
  operation: Operation,
) => Pick<HistoryOperation<Input, Output>, "key" | "input" | "output"> | null;

/**
 * Herlihy and Wing 1990: every operation seems to take place at one moment between its call and its
 * answer.
 */
export function linearizableBy<State, Input, Output>(
  model: Model<State, Input, Output>,
  translate: Translate<Input, Output>,
): OracleSpec {
  return {
    id: "linearizability",
    about:
      "what clients saw fits one order in which each operation takes effect at one moment (Herlihy, Wing 1990)",
    judges: "step",
    make: (report, undecided) => ({
      finished(operations) {
        const result = checkOperations(model, historyOf(operations, translate), {
          stepBudget: stepsMax,
          memoryBytes: memoryBytesMax,
        });
        if (result.verdict === "unknown")
          undecided("the linearizability check ran out of its budget");
        if (result.verdict !== "illegal") return;
        const [part] = result.reports;
        report({
          message: `no order explains the ${part?.operations ?? 0} operations on ${part?.key ?? "?"}: ${part?.linearized.length ?? 0} of them fit at most`,
          shape: "no linear order",
          node: 0,
          group: 0,
        });
      },
    }),
  };
}

/**
 * For a state machine of the user's own. An operation's key names its slot, so that `partByKey` parts
 * a history as the store parts its state.
 */
export function linearizable<State>(
  model: Model<State, StateMachineRequest, Uint8Array>,
): OracleSpec {
  return linearizableBy(model, asAsked);
}

/** A property of all that clients asked of a user's own state machine, from start to end. */
export interface HistoryProperty {
  readonly id: string;
  readonly about: string;
  /** In the order of the calls. Returns what is wrong, or null. */
  readonly judge: (
    history: readonly HistoryOperation<StateMachineRequest, Uint8Array>[],
  ) => string | null;
}

export function overHistory({ id, about, judge }: HistoryProperty): OracleSpec {
  return {
    id,
    about,
    judges: "step",
    make: (report) => ({
      finished(operations) {
        const message = judge(historyOf(operations, asAsked));
        if (message !== null) report({ message, shape: shapeOf(message), node: 0, group: 0 });
      },
    }),
  };
}

/** Reads whose result is unknown, and operations that certainly did nothing, say nothing. */
function historyOf<Input, Output>(
  operations: readonly Operation[],
  translate: Translate<Input, Output>,
): HistoryOperation<Input, Output>[] {
  return operations.flatMap((operation) => {
    const { planned, outcome, invokedUs, completedUs } = operation;
    const known = outcome === "ok";
    if (outcome === "failed" || (isRead(planned) && !known)) return [];
    const said = translate(operation);
    if (said === null) return [];
    const { key, input, output } = said;
    return {
      client: planned.client,
      call: invokedUs,
      return: known ? completedUs : null,
      key,
      input,
      output: known ? output : undefined,
    };
  });
}

const asAsked: Translate<StateMachineRequest, Uint8Array> = ({ planned, result }) => {
  const { kind, key, value } = planned;
  if (kind !== "command" && kind !== "query") return null;
  return {
    key: `slot ${slotOf(keyBytes(key))}`,
    input: { kind, key, bytes: keyBytes(value) },
    output: result?.kind === "answer" ? keyBytes(result.answer) : undefined,
  };
};
