import type { Operation } from "../operation.js";
import type { OracleSpec } from "../oracle.js";

/**
 * What a client was told is written is there after healing, unless something newer took its place.
 * Simpler than linearizability and blind to order, so that it can be believed at a glance: the value
 * last read of a key must come from a write that no later acknowledged write began after.
 */
export const noLostWrite: OracleSpec = {
  id: "no-lost-write",
  about: "an acknowledged write is still there, or something newer is, when all has healed",
  judges: "step",
  make(report) {
    return {
      finished(operations) {
        const byKey = new Map<string, Operation[]>();
        for (const operation of operations) {
          if (operation.planned.kind === "range") continue;
          const list = byKey.get(operation.planned.key);
          if (list === undefined) byKey.set(operation.planned.key, [operation]);
          else list.push(operation);
        }
        for (const [key, list] of byKey) {
          const lost = lostWrite(list);
          if (lost === null) continue;
          report({
            message: `${key}: operation ${lost.planned.id} was acknowledged, and the last read shows what it had replaced`,
            shape: "acknowledged write gone",
            node: 0,
            group: lost.planned.group,
          });
          return;
        }
      },
    };
  },
};

/** A write that took effect for certain, after everything that could have written what is read. */
function lostWrite(operations: readonly Operation[]): Operation | null {
  const read = lastRead(operations);
  if (read === null || read.result?.kind !== "value") return null;
  const value = read.result.value;
  const origins = operations.filter((operation) => mayLeave(operation, value));
  const originEndUs = Math.max(0, ...origins.map((operation) => operation.completedUs));
  const later = operations.filter(
    (operation) =>
      operation.invokedUs > originEndUs &&
      operation.completedUs < read.invokedUs &&
      tookEffect(operation) &&
      !mayLeave(operation, value),
  );
  return later[0] ?? null;
}

function lastRead(operations: readonly Operation[]): Operation | null {
  let last: Operation | null = null;
  for (const operation of operations) {
    if (operation.planned.kind !== "get" || operation.outcome !== "ok") continue;
    if (last === null || operation.invokedUs > last.invokedUs) last = operation;
  }
  return last;
}

/** Whether the key may hold `value` because of this operation; unknown outcomes may at any time. */
function mayLeave({ planned, outcome }: Operation, value: string | null): boolean {
  if (outcome === "failed") return false;
  if (planned.kind === "delete") return value === null;
  return (planned.kind === "put" || planned.kind === "cas") && planned.value === value;
}

function tookEffect({ planned, outcome, result }: Operation): boolean {
  if (outcome !== "ok") return false;
  if (planned.kind === "cas") return result?.kind === "swapped" && result.swapped;
  return planned.kind === "put" || planned.kind === "delete";
}
