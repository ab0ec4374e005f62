/** Shorter times: the whole run earlier and denser, faults shorter, clients that do not wait. */
import type { Fault } from "../../lab/fault.js";
import type { Decisions, PlannedOperation } from "../../lab/run-result.js";
import type { Attempts, Trying } from "./attempts.js";
import { shortenAttack } from "./drop.js";
import { lower } from "./lower.js";

/** A fault that has a duration keeps one: without it, it would be another fault. */
const forUsMin = 1_000;
/** Think times are made shorter one by one only if there are few. */
const thinksMax = 40;

/**
 * Everything earlier by the same span: what happens keeps its distances. First what leaves least
 * before it, though groups may need a while to come into being.
 */
export function* beginEarlier(attempts: Attempts): Trying {
  const { faults, operations } = attempts.best;
  const firsts = new Map<number, number>();
  for (const { client, thinkUs } of operations) {
    if (!firsts.has(client)) firsts.set(client, thinkUs);
  }
  const starts = [...faults.map((fault) => fault.atUs), ...firsts.values()];
  if (starts.length === 0) return;
  const firstUs = Math.min(...starts);
  const graces = [0, 250_000, 500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000, 16_000_000];
  for (const graceUs of graces) {
    if (graceUs >= firstUs || (yield* attempts.accept(earlier(attempts.best, firstUs - graceUs))))
      return;
  }
}

export function* shortenTimes(attempts: Attempts): Trying {
  yield* beginEarlier(attempts);
  while (yield* attempts.accept(faster(attempts.best)));
  for (const { id } of attempts.best.faults) {
    yield* shortenFault(attempts, id, "forUs", forUsMin);
    yield* shortenFault(attempts, id, "atUs", 0);
  }
  if (attempts.best.operations.length <= thinksMax) {
    for (const { id } of attempts.best.operations) yield* shortenThink(attempts, id);
  }
  yield* shortenAttack(attempts);
}

function earlier(decisions: Decisions, byUs: number): Decisions {
  const begun = new Set<number>();
  const operations = decisions.operations.map((operation): PlannedOperation => {
    if (begun.has(operation.client)) return operation;
    begun.add(operation.client);
    return { ...operation, thinkUs: operation.thinkUs - byUs };
  });
  const faults = decisions.faults.map((fault) => ({ ...fault, atUs: fault.atUs - byUs }));
  return { ...decisions, faults, operations };
}

/** All starts and think times halved. */
function faster(decisions: Decisions): Decisions {
  const faults = decisions.faults.map((fault) => ({ ...fault, atUs: half(fault.atUs) }));
  const operations = decisions.operations.map((o) => ({ ...o, thinkUs: half(o.thinkUs) }));
  return { ...decisions, faults, operations };
}

function half(us: number): number {
  return Math.floor(us / 2);
}

function* shortenFault(
  attempts: Attempts,
  id: string,
  field: "atUs" | "forUs",
  floor: number,
): Trying {
  const us = attempts.best.faults.find((fault) => fault.id === id)?.[field];
  if (us === undefined) return;
  yield* lower(attempts, us, floor, (shorter) =>
    attempts.accept(withFault(attempts.best, id, (fault) => ({ ...fault, [field]: shorter }))),
  );
}

function* shortenThink(attempts: Attempts, id: string): Trying {
  const operation = attempts.best.operations.find((o) => o.id === id);
  if (operation === undefined) return;
  yield* lower(attempts, operation.thinkUs, 0, (thinkUs) =>
    attempts.accept(withOperation(attempts.best, id, (o) => ({ ...o, thinkUs }))),
  );
}

export function withFault(
  decisions: Decisions,
  id: string,
  change: (fault: Fault) => Fault,
): Decisions {
  const faults = decisions.faults.map((fault) => (fault.id === id ? change(fault) : fault));
  return { ...decisions, faults };
}

export function withOperation(
  decisions: Decisions,
  id: string,
  change: (operation: PlannedOperation) => PlannedOperation,
): Decisions {
  const operations = decisions.operations.map((o) => (o.id === id ? change(o) : o));
  return { ...decisions, operations };
}
