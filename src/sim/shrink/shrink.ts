/**
 * A smaller failure with the same fingerprint. Only runs decide: each candidate is run again from
 * its decisions, and one that fails otherwise, or not at all, does not count.
 *
 * Large cuts come first: the end of the attack, unusual draws in bulk, all but the last operations.
 * Then faults and clients go by delta debugging, operations also by chance; then the cluster; then
 * times and values. Rounds repeat until one leaves out nothing more. Then tight limits are loosened.
 * Last, every decision that is left is left out by itself, which proves that all are needed.
 */
import { assert } from "../../core/assert.js";
import type { Draw } from "../../lab/draw.js";
import type { Decisions, RunResult } from "../../lab/run-result.js";
import {
  Attempts,
  type Interrupt,
  type Rerun,
  type ShrinkProgress,
  type Trying,
} from "./attempts.js";
import { dropAtRandom, snapshotSooner } from "./at-random.js";
import { shrinkCluster } from "./cluster.js";
import { dropDraws, dropFaults, dropUnused, shortenAttack } from "./drop.js";
import { loosenLimits } from "./limits.js";
import { minimalCountMax, proveMinimal } from "./minimal.js";
import { dropClients, dropOperations, keepLastOperations } from "./operations.js";
import { sizeOf, type DecisionsSize } from "./size.js";
import { beginEarlier, shortenTimes } from "./times.js";
import { sequential } from "../streams.js";
import { simplifyValues } from "./values.js";

export interface ShrinkOptions {
  /** How often the failure may be run again in all; 2,000 by default, at least 4. */
  readonly rerunsMax?: number;
  readonly onProgress?: (progress: ShrinkProgress) => void;
  /** Ends it with the smallest failure so far, which is still run twice to prove that it is one. */
  readonly signal?: Interrupt;
}

export interface ShrinkResult {
  /**
   * `smaller`: something went. `same`: it was as small as this gets. `notReproduced`: the decisions
   * of the start do not bring back its failure, so there was nothing to shrink. `unstable`: the
   * smallest failure did not come out twice the same, which is a fault of ours.
   */
  readonly outcome: "smaller" | "same" | "notReproduced" | "unstable";
  readonly decisions: Decisions;
  /** The last run of `decisions`. */
  readonly result: RunResult;
  readonly before: DecisionsSize;
  readonly after: DecisionsSize;
  readonly reruns: number;
  /** True if leaving out any one fault, operation or draw was seen to lose the failure. */
  readonly minimal: boolean;
  /** True if runs were used up before there was nothing more to try. */
  readonly spent: boolean;
}

export const rerunsMaxDefault = 2_000;

/** Runs at the end: the smallest failure, twice. */
const verifications = 2;
/** Runs that are kept for the proof: two rounds, in which an operation is left out in two ways. */
const forProofMax = 4 * minimalCountMax;

/** @throws InvariantError if `start` has no failure or `rerunsMax` is below 4. */
export function shrink(run: Rerun, start: RunResult, options: ShrinkOptions = {}): ShrinkResult {
  const trying = shrinking(run, start, options);
  for (;;) {
    const turn = trying.next();
    if (turn.done === true) return turn.value;
  }
}

/** The same, run by run: between two of them whoever drives it may do something else. */
export function* shrinking(
  run: Rerun,
  start: RunResult,
  options: ShrinkOptions = {},
): Trying<ShrinkResult> {
  const rerunsMax = options.rerunsMax ?? rerunsMaxDefault;
  assert(rerunsMax >= 4, "shrinking has runs to spend", { rerunsMax });
  const onProgress = options.onProgress ?? null;
  const signal = options.signal ?? null;
  const attempts = new Attempts(start, { run, rerunsMax, onProgress, signal });
  const first = attempts.rerun(start.decisions);
  if (!attempts.same(first)) return unchanged(start, first, attempts.reruns);

  let minimal = false;
  const most = rerunsMax - attempts.reruns - verifications;
  const search = yield* attempts.within("start", most, function* () {
    minimal = yield* smallest(attempts, rerunsMax);
  });
  const { best } = attempts;
  const runs = [attempts.rerun(best), attempts.rerun(best)] as const;
  const stable = runs.every((result) => attempts.same(result)) && runs[0].digest === runs[1].digest;
  return {
    outcome: stable ? (search.gained ? "smaller" : "same") : "unstable",
    decisions: best,
    result: runs[1],
    before: sizeOf(start.decisions),
    after: sizeOf(best),
    reruns: attempts.reruns,
    minimal: minimal && stable,
    spent: attempts.reruns >= rerunsMax,
  };
}

/** Rounds of all passes until one leaves out nothing; then the proof. Whether it was given. */
function* smallest(attempts: Attempts, rerunsMax: number): Trying<boolean> {
  const draw = sequential(0, "shrink");
  const pass = function* (name: string, work: Pass): Trying<boolean> {
    const proof = Math.min(forProofMax, Math.floor((rerunsMax * 2) / 5));
    const left = rerunsMax - verifications - proof - attempts.reruns;
    return (yield* attempts.within(name, left, () => work(attempts, draw))).gained;
  };
  for (let round = 0; ; round++) {
    let gained = false;
    for (const [name, work] of removals) {
      if (yield* pass(name, work)) gained = true;
      yield* pass("unused", dropUnused);
    }
    if (yield* pass("cluster", shrinkCluster)) gained = true;
    if (round > 0 && !gained) break;
    yield* pass("times", shortenTimes);
    yield* pass("values", simplifyValues);
  }
  yield* pass("limits", loosenLimits);
  return yield* proveMinimal(attempts);
}

type Pass = (attempts: Attempts, draw: Draw) => Trying;

const removals: readonly (readonly [string, Pass])[] = [
  ["end of the run", shortenAttack],
  ["draws", dropDraws],
  ["last operations", keepLastOperations],
  ["faults", dropFaults],
  ["beginning", beginEarlier],
  ["clients", dropClients],
  ["at random", dropAtRandom],
  ["operations", dropOperations],
  ["snapshots", snapshotSooner],
];

function unchanged(start: RunResult, result: RunResult, reruns: number): ShrinkResult {
  const size = sizeOf(start.decisions);
  return {
    outcome: "notReproduced",
    decisions: start.decisions,
    result,
    before: size,
    after: size,
    reruns,
    minimal: false,
    spent: false,
  };
}

export { minimalCountMax };
export type { DecisionsSize, Rerun, ShrinkProgress };
