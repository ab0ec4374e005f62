/**
 * Smaller sets by chance. A race is lost only now and then, and every change of the plan draws the
 * delays of its messages anew; so that what is needed for a failure may be no more than enough
 * chances for it. Small sets at slightly other times are tried until one of them is lucky.
 */
import type { Draw } from "../../lab/draw.js";
import type { Decisions } from "../../lab/run-result.js";
import type { Attempts } from "./attempts.js";
import { keepOperations } from "./operations.js";

/** So many tries in a row without luck are enough. */
const missesMax = 80;
/** With so few operations there is nothing to win by chance. */
const fewOperations = 4;
/** Times move by so much at most. */
const nudgeUsMax = 60_000;
const nudgesMax = 8;
/** How many in 1,000 stay. */
const sharesKept = [250, 500, 700, 900] as const;

export function dropAtRandom(attempts: Attempts, draw: Draw): void {
  let misses = 0;
  while (misses < missesMax && attempts.best.operations.length > fewOperations) {
    if (attempts.spent) return;
    const share = draw.pick(sharesKept);
    const kept = keepOperations(attempts, () => draw.chance(share));
    if (kept.operations.length === attempts.best.operations.length) misses++;
    else misses = attempts.accept(nudged(kept, draw)) ? 0 : misses + 1;
  }
}

/** As it is, or else a few times with times that are a little other. */
export function acceptNudged(attempts: Attempts, candidate: Decisions, draw: Draw): boolean {
  if (attempts.accept(candidate)) return true;
  for (let nudges = 0; nudges < nudgesMax; nudges++) {
    if (attempts.accept(nudged(candidate, draw))) return true;
  }
  return false;
}

/** Every client and every fault begins a little earlier or later. */
function nudged(decisions: Decisions, draw: Draw): Decisions {
  const moved = (us: number): number =>
    Math.max(0, us + draw.integer(0, 2 * nudgeUsMax) - nudgeUsMax);
  const begun = new Set<number>();
  const operations = decisions.operations.map((operation) => {
    if (begun.has(operation.client)) return operation;
    begun.add(operation.client);
    return { ...operation, thinkUs: moved(operation.thinkUs) };
  });
  const faults = decisions.faults.map((fault) => ({ ...fault, atUs: moved(fault.atUs) }));
  return { ...decisions, faults, operations };
}
