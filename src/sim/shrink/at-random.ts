/**
 * Smaller sets by chance. A race is lost only now and then, and every change of the plan draws the
 * delays of its messages anew; so that what is needed for a failure may be no more than enough
 * chances for it. Small sets at slightly other times are tried until one of them is lucky.
 */
import type { Draw } from "../../lab/draw.js";
import type { Decisions } from "../../lab/run-result.js";
import type { Attempts, Trying } from "./attempts.js";
import { keepOperations } from "./operations.js";
import { countOf, numberOption, withOption } from "./size.js";

/** So many tries in a row without luck are enough. */
const missesMax = 80;
/** With so few operations and so few faults there is nothing to win by chance. */
const few = 4;
/** More than people can read. */
const manyOperations = 10;
const snapshotMissesMax = 200;
/** Times move by one of these at most: some failures need theirs nearly as they were. */
const nudgesUs = [0, 1_000, 60_000] as const;
const nudgesMax = 8;
/** How many in 1,000 stay. */
const sharesKept = [250, 500, 700, 900] as const;

export function* dropAtRandom(attempts: Attempts, draw: Draw): Trying {
  for (let misses = 0; misses < missesMax && !attempts.spent;) {
    const { operations, faults } = attempts.best;
    const ways = [
      ...(operations.length > few ? [someOperations] : []),
      ...(faults.length > few ? [someFaults] : []),
    ];
    if (ways.length === 0) return;
    const fewer = draw.pick(ways)(attempts, draw);
    const dropped = countOf(fewer) < countOf(attempts.best);
    misses = dropped && (yield* attempts.accept(nudged(fewer, draw))) ? 0 : misses + 1;
  }
}

/**
 * Snapshots after fewer entries, and fewer operations with it. Only for a failure that still needs
 * many: they may be there to fill the log, and any other failure would take the option without a
 * use for it.
 */
export function* snapshotSooner(attempts: Attempts, draw: Draw): Trying {
  const every = numberOption(attempts.best, "snapshotEveryEntries") ?? Infinity;
  const sooner = [2, 4, 8, 16].filter((entries) => entries < every);
  for (let misses = 0; misses < snapshotMissesMax && sooner.length > 0; misses++) {
    if (attempts.best.operations.length <= manyOperations || attempts.spent) return;
    const fewer = nudged(someOperations(attempts, draw), draw);
    if (yield* attempts.accept(withOption(fewer, "snapshotEveryEntries", draw.pick(sooner))))
      return;
  }
}

function someOperations(attempts: Attempts, draw: Draw): Decisions {
  const share = draw.pick(sharesKept);
  return keepOperations(attempts, () => draw.chance(share));
}

function someFaults({ best }: Attempts, draw: Draw): Decisions {
  const share = draw.pick(sharesKept);
  return { ...best, faults: best.faults.filter(() => draw.chance(share)) };
}

/** As it is, or else a few times with times that are a little other. */
export function* acceptNudged(
  attempts: Attempts,
  candidate: Decisions,
  draw: Draw,
): Trying<boolean> {
  if (yield* attempts.accept(candidate)) return true;
  for (let nudges = 0; nudges < nudgesMax; nudges++) {
    if (yield* attempts.accept(nudged(candidate, draw))) return true;
  }
  return false;
}

/** Every client and every fault begins a little earlier or later. */
function nudged(decisions: Decisions, draw: Draw): Decisions {
  const mostUs = draw.pick(nudgesUs);
  const moved = (us: number): number => Math.max(0, us + draw.integer(-mostUs, mostUs));
  const begun = new Set<number>();
  const operations = decisions.operations.map((operation) => {
    if (begun.has(operation.client)) return operation;
    begun.add(operation.client);
    return { ...operation, thinkUs: moved(operation.thinkUs) };
  });
  const faults = decisions.faults.map((fault) => ({ ...fault, atUs: moved(fault.atUs) }));
  return { ...decisions, faults, operations };
}
