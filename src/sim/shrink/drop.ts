/** What can be left out: what was not used, the end of the attack, unusual draws, faults. */
import type { Draw } from "../../lab/draw.js";
import type { Decisions } from "../../lab/run-result.js";
import { acceptNudged } from "./at-random.js";
import type { Attempts, Trying } from "./attempts.js";
import { ddmin } from "./ddmin.js";
import { numberOption, withOption } from "./size.js";

/**
 * What the failing run did not come to, or says it made no use of. Costs one run, and is the
 * largest cut there is: nothing planned after the violation can have caused it.
 */
export function* dropUnused(attempts: Attempts): Trying {
  let gained = true;
  while (gained) {
    const { best } = attempts;
    const { faults, operations, draws } = used(best, attempts);
    gained =
      (yield* attempts.accept({ ...best, faults, operations, draws })) ||
      (yield* attempts.accept({ ...best, operations, draws })) ||
      (yield* attempts.accept({ ...best, draws }));
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
 * the last reads, was there from some time on: the shortest attack that shows it is bisected for.
 */
export function* shortenAttack(attempts: Attempts): Trying {
  const attackUs = numberOption(attempts.best, "attackUs");
  if (attackUs === null) return;
  const accept = (us: number): Trying<boolean> =>
    attempts.accept(withOption(attempts.best, "attackUs", us));
  for (const graceUs of [1, 1_000_000]) {
    const shorterUs = Math.ceil((attempts.failure.atUs + graceUs) / gridUs) * gridUs;
    if (shorterUs < attackUs && (yield* accept(shorterUs))) return;
  }
  if (attempts.failure.atUs < attackUs) return;
  let failsAt = Math.ceil(attackUs / gridUs);
  // No run has an attack of no time.
  let passesAt = 0;
  while (failsAt - passesAt > 1 && failsAt - passesAt > failsAt / 64 && !attempts.spent) {
    const middle = Math.floor((failsAt + passesAt) / 2);
    if (yield* accept(middle * gridUs)) failsAt = middle;
    else passesAt = middle;
  }
}

const gridUs = 100_000;

/** All at once, or with times that are a little other, or piece by piece. */
export function* dropDraws(attempts: Attempts, draw: Draw): Trying {
  if (attempts.best.draws.length === 0) return;
  if (yield* acceptNudged(attempts, { ...attempts.best, draws: [] }, draw)) return;
  yield* ddmin(attempts.best.draws, (draws) => attempts.accept({ ...attempts.best, draws }));
}

export function* dropFaults(attempts: Attempts): Trying {
  yield* ddmin(attempts.best.faults, (faults) => attempts.accept({ ...attempts.best, faults }));
}
