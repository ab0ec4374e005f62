import type { Decisions } from "../../lab/run-result.js";
import type { Attempts, Trying } from "./attempts.js";
import { keepOperations } from "./operations.js";
import { countOf } from "./size.js";

/** With more decisions than this left, one run for each of them proves little and costs much. */
export const minimalCountMax = 200;

/**
 * Leaves out one decision at a time until a whole round takes nothing: then each that is left is
 * needed. True if that was proven; false if there are too many or the runs were used up first.
 */
export function* proveMinimal(attempts: Attempts): Trying<boolean> {
  if (countOf(attempts.best) > minimalCountMax) return false;
  for (;;) {
    const round = yield* attempts.within("one by one", Infinity, () => removeEachOnce(attempts));
    if (round.cutShort) return false;
    if (!round.gained) return true;
  }
}

function* removeEachOnce(attempts: Attempts): Trying {
  const { faults, operations, draws } = attempts.best;
  for (const { id } of [...operations].reverse()) {
    if (yield* attempts.accept(keepOperations(attempts, (operation) => operation.id !== id)))
      continue;
    yield* attempts.accept(
      without(attempts.best, "operations", (operation) => operation.id === id),
    );
  }
  for (const { id } of [...faults].reverse()) {
    yield* attempts.accept(without(attempts.best, "faults", (fault) => fault.id === id));
  }
  for (const name of [...draws].reverse()) {
    yield* attempts.accept(without(attempts.best, "draws", (draw) => draw === name));
  }
}

function without<List extends "faults" | "operations" | "draws">(
  decisions: Decisions,
  list: List,
  gone: (item: Decisions[List][number]) => boolean,
): Decisions {
  const items: readonly Decisions[List][number][] = decisions[list];
  return { ...decisions, [list]: items.filter((item) => !gone(item)) };
}
