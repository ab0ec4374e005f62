/** What can be left out: unusual draws, faults, clients, operations. Every pass only ever removes. */
import type { Decisions, PlannedOperation } from "../../lab/run-result.js";
import type { Attempts } from "./attempts.js";
import { ddmin } from "./ddmin.js";
import { lower } from "./lower.js";
import { numberOption, withOption } from "./size.js";

/**
 * What the failing run did not come to, or says it made no use of. Costs one run, and is the
 * largest cut there is: nothing planned after the violation can have caused it.
 */
export function dropUnused(attempts: Attempts): void {
  let gained = true;
  while (gained) {
    const { best } = attempts;
    const { faults, operations, draws } = used(best, attempts);
    gained =
      attempts.accept({ ...best, faults, operations, draws }) ||
      attempts.accept({ ...best, operations, draws }) ||
      attempts.accept({ ...best, draws });
  }
}

function used(best: Decisions, { result, failure }: Attempts): Omit<Decisions, "options"> {
  const inert = new Set(result.inert);
  const invoked = new Set(result.decisions.operations.map(({ id }) => id));
  const taken = new Set(result.decisions.draws);
  return {
    faults: best.faults.filter(({ id, atUs }) => !inert.has(id) && atUs <= failure.atUs),
    operations: best.operations.filter(({ id }) => !inert.has(id) && invoked.has(id)),
    draws: best.draws.filter((name) => !inert.has(name) && taken.has(name)),
  };
}

/**
 * The attack ends just after a failure that shows during it. One that shows later, in healing or in
 * the last reads, may do with any shorter attack.
 */
export function shortenAttack(attempts: Attempts): void {
  const attackUs = numberOption(attempts.best, "attackUs");
  if (attackUs === null) return;
  const accept = (us: number): boolean =>
    attempts.accept(withOption(attempts.best, "attackUs", us));
  for (const graceUs of [1, 1_000_000]) {
    const shorterUs = Math.ceil((attempts.failure.atUs + graceUs) / 100_000) * 100_000;
    if (shorterUs < attackUs && accept(shorterUs)) return;
  }
  if (attempts.failure.atUs >= attackUs) lower(attempts, attackUs, 0, accept);
}

export function dropDraws(attempts: Attempts): void {
  ddmin(attempts.best.draws, (draws) => attempts.accept({ ...attempts.best, draws }));
}

export function dropFaults(attempts: Attempts): void {
  ddmin(attempts.best.faults, (faults) => attempts.accept({ ...attempts.best, faults }));
}

export function dropClients(attempts: Attempts): void {
  const clients = [...new Set(attempts.best.operations.map(({ client }) => client))];
  ddmin(clients, (kept) => {
    const operations = attempts.best.operations.filter(({ client }) => kept.includes(client));
    return attempts.accept({ ...attempts.best, operations });
  });
}

/** First the ends of all clients' lists together, then piece by piece within each client. */
export function dropOperations(attempts: Attempts): void {
  dropTails(attempts);
  const clients = new Set(attempts.best.operations.map(({ client }) => client));
  for (const client of clients) {
    const own = attempts.best.operations.filter((operation) => operation.client === client);
    ddmin(own, (kept) => {
      const ids = new Set(kept.map(({ id }) => id));
      return attempts.accept(
        keepOperations(attempts.best, (o) => o.client !== client || ids.has(o.id)),
      );
    });
  }
}

/**
 * Without the operations that `keeps` refuses. Their think times go to the client's next
 * operation, so that what stays happens when it did.
 */
export function keepOperations(
  decisions: Decisions,
  keeps: (operation: PlannedOperation) => boolean,
): Decisions {
  const owedUs = new Map<number, number>();
  const operations: PlannedOperation[] = [];
  for (const operation of decisions.operations) {
    const { client } = operation;
    const thinkUs = operation.thinkUs + (owedUs.get(client) ?? 0);
    if (keeps(operation)) {
      operations.push({ ...operation, thinkUs });
      owedUs.set(client, 0);
    } else {
      owedUs.set(client, thinkUs);
    }
  }
  return { ...decisions, operations };
}

/** Bisects how many operations each client may do at most. */
function dropTails(attempts: Attempts): void {
  let fails = longest(attempts.best.operations);
  let passes = 0;
  while (fails - passes > 1 && !attempts.spent) {
    const middle = passes + Math.ceil((fails - passes) / 2);
    if (middle === fails) return;
    if (
      attempts.accept({ ...attempts.best, operations: heads(attempts.best.operations, middle) })
    ) {
      fails = middle;
    } else {
      passes = middle;
    }
  }
}

function longest(operations: readonly PlannedOperation[]): number {
  const counts = new Map<number, number>();
  for (const { client } of operations) counts.set(client, (counts.get(client) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

function heads(operations: readonly PlannedOperation[], perClient: number): PlannedOperation[] {
  const counts = new Map<number, number>();
  return operations.filter(({ client }) => {
    const before = counts.get(client) ?? 0;
    counts.set(client, before + 1);
    return before < perClient;
  });
}
