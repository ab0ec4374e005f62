/** Operations that can be left out: all but the last, whole clients, then piece by piece. */
import type { Decisions, PlannedOperation } from "../../lab/run-result.js";
import type { Attempts, Trying } from "./attempts.js";
import { ddmin } from "./ddmin.js";

/**
 * The best without the operations that `keeps` refuses. What they took, and the thinking before
 * them, goes to the client's next operation, so that what stays happens when it did.
 */
export function keepOperations(
  attempts: Attempts,
  keeps: (operation: PlannedOperation) => boolean,
): Decisions {
  const owedUs = new Map<number, number>();
  const operations: PlannedOperation[] = [];
  for (const operation of attempts.best.operations) {
    const { client, id } = operation;
    const thinkUs = operation.thinkUs + (owedUs.get(client) ?? 0);
    if (keeps(operation)) {
      operations.push({ ...operation, thinkUs });
      owedUs.set(client, 0);
    } else {
      owedUs.set(client, thinkUs + attempts.latencyUs(id));
    }
  }
  return { ...attempts.best, operations };
}

/** As few as will do of those that began last: what came long before the failure seldom matters. */
export function* keepLastOperations(attempts: Attempts): Trying {
  const { operations } = attempts.best;
  for (let last = 0; last < operations.length; last = Math.max(1, last * 2)) {
    if (yield* keepOnly(attempts, operations.slice(operations.length - last))) return;
  }
}

export function* dropClients(attempts: Attempts): Trying {
  const clients = [...new Set(attempts.best.operations.map(({ client }) => client))];
  yield* ddmin(clients, (kept) => {
    const operations = attempts.best.operations.filter(({ client }) => kept.includes(client));
    return attempts.accept({ ...attempts.best, operations });
  });
}

/** They stand in the order in which they began, so that a piece is a span of time. */
export function* dropOperations(attempts: Attempts): Trying {
  yield* ddmin(attempts.best.operations, (kept) => keepOnly(attempts, kept));
}

function* keepOnly(attempts: Attempts, kept: readonly PlannedOperation[]): Trying<boolean> {
  const ids = new Set(kept.map(({ id }) => id));
  return yield* attempts.accept(keepOperations(attempts, ({ id }) => ids.has(id)));
}
