/** Smaller values: plainer operations, milder faults at fewer nodes. */
import type { PlannedOperation } from "../../lab/run-result.js";
import type { Attempts, Trying } from "./attempts.js";
import { lower } from "./lower.js";
import { withFault, withOperation } from "./times.js";

type Plainer = (operation: PlannedOperation) => PlannedOperation;

/** Each is tried on all operations at once and then on one after another. */
const plainer: readonly Plainer[] = [
  (o) =>
    isOwn(o) ? o : { ...o, value: unpadded(o.value), expected: o.expected && unpadded(o.expected) },
  (o) => (o.kind === "cas" || o.kind === "delete" ? { ...o, ...plainPut(o) } : o),
  (o) => ({ ...o, read: "leader" }),
  (o) => ({ ...o, expected: null }),
];

/** To a state machine of the user's own: only the user knows what is plainer there. */
function isOwn({ kind }: PlannedOperation): boolean {
  return kind === "command" || kind === "query";
}

/** Without what made it as long as the workload asks; it stays different from all others. */
function unpadded(value: string): string {
  return value.replace(/\.+$/, "");
}

function plainPut(operation: PlannedOperation): Partial<PlannedOperation> {
  return { kind: "put", value: operation.id, expected: null };
}

export function* simplifyValues(attempts: Attempts): Trying {
  for (const change of plainer) {
    const { best } = attempts;
    if (yield* attempts.accept({ ...best, operations: best.operations.map(change) })) continue;
    for (const { id } of best.operations) {
      yield* attempts.accept(withOperation(attempts.best, id, change));
    }
  }
  yield* oneKey(attempts);
  for (const { id } of attempts.best.faults) {
    yield* milder(attempts, id);
    yield* fewerEnds(attempts, id, "nodes");
    yield* fewerEnds(attempts, id, "peers");
  }
}

/** All operations of a group on the key of its first one. */
function* oneKey(attempts: Attempts): Trying {
  const keys = new Map<number, string>();
  const operations = attempts.best.operations.map((operation) => {
    if (operation.kind === "range" || isOwn(operation)) return operation;
    const key = keys.get(operation.group) ?? operation.key;
    keys.set(operation.group, key);
    return { ...operation, key };
  });
  yield* attempts.accept({ ...attempts.best, operations });
}

function* milder(attempts: Attempts, id: string): Trying {
  const amount = attempts.best.faults.find((fault) => fault.id === id)?.amount ?? 0;
  const sign = amount < 0 ? -1 : 1;
  yield* lower(attempts, Math.abs(amount), 0, (smaller) =>
    attempts.accept(
      withFault(attempts.best, id, (fault) => ({ ...fault, amount: sign * smaller })),
    ),
  );
}

/** One node of a list after another; the last one stays, for an empty list means something else. */
function* fewerEnds(attempts: Attempts, id: string, field: "nodes" | "peers"): Trying {
  const all = attempts.best.faults.find((fault) => fault.id === id)?.[field] ?? [];
  for (const gone of all) {
    yield* attempts.accept(
      withFault(attempts.best, id, (fault) => {
        const left = fault[field].filter((node) => node !== gone);
        return left.length === 0 ? fault : { ...fault, [field]: left };
      }),
    );
  }
}
