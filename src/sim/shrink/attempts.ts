import { digestOf } from "../../core/plain.js";
import { assert } from "../../core/assert.js";
import type { Decisions, Failure, RunResult } from "../../lab/run-result.js";
import { countOf } from "./size.js";

export interface ShrinkProgress {
  /** What is being tried: `draws`, `faults`, `operations`, ... */
  readonly pass: string;
  readonly reruns: number;
  /** Faults, operations and draws that are left. */
  readonly decisions: number;
}

/**
 * Work that tries candidates, one run after another: it pauses before each, so that whoever drives it
 * may hear of an interrupt.
 */
export type Trying<Result = void> = Generator<void, Result>;

/** As much of an `AbortSignal` as is needed here. */
export interface Interrupt {
  readonly aborted: boolean;
}

/** Runs again; may end the run, undecided, once it has handled `stopAtStep` inputs. */
export type Rerun = (decisions: Decisions, stopAtStep: number) => RunResult;

export interface AttemptsOptions {
  readonly run: Rerun;
  readonly rerunsMax: number;
  readonly onProgress: ((progress: ShrinkProgress) => void) | null;
  /** Once it is aborted no run is left. */
  readonly signal: Interrupt | null;
}

/** Healing and the last reads of a small run take no more. */
const stepsMore = 10_000;

/**
 * The smallest failure so far, and the re-runs that were spent on it.
 *
 * 1. `best` has failed with the fingerprint of the start in a run of its own.
 * 2. Nothing that did not fail so is run again.
 * 3. There are never more than `rerunsMax` runs, nor more than `limit` while a pass has one.
 */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #fingerprint: string;
  readonly #lost = new Set<string>();
  #best: Decisions;
  #bestKey: string;
  #result: RunResult;
  #latenciesUs: ReadonlyMap<string, number>;
  #reruns = 0;
  #limit: number;
  #refused = false;
  #pass = "start";

  constructor(start: RunResult, options: AttemptsOptions) {
    const { failure } = start;
    assert(failure !== null, "what is shrunk has failed", { scenario: start.scenario });
    this.#options = options;
    this.#fingerprint = failure.fingerprint;
    this.#best = start.decisions;
    this.#bestKey = keyOf(start.decisions);
    this.#result = start;
    this.#latenciesUs = latenciesOf(start);
    this.#limit = options.rerunsMax;
  }

  get best(): Decisions {
    return this.#best;
  }

  get result(): RunResult {
    return this.#result;
  }

  get failure(): Failure {
    const { failure } = this.#result;
    assert(failure !== null, "the best so far has failed");
    return failure;
  }

  /** How long the operation took in the last run of the best. */
  latencyUs(operation: string): number {
    return this.#latenciesUs.get(operation) ?? 0;
  }

  get reruns(): number {
    return this.#reruns;
  }

  /** No run is left, neither to the whole nor to the pass that is under way. */
  get spent(): boolean {
    return this.#reruns >= this.#limit || this.#options.signal?.aborted === true;
  }

  /** True if the candidate fails in the same way; it is then the best. False without a run left. */
  *accept(candidate: Decisions): Trying<boolean> {
    yield;
    if (this.spent) {
      this.#refused = true;
      return false;
    }
    const key = keyOf(candidate);
    if (key === this.#bestKey || this.#lost.has(key)) return false;
    const result = this.#tried(candidate);
    if (result === null || !this.same(result)) {
      this.#lost.add(key);
      return false;
    }
    this.#best = candidate;
    this.#bestKey = key;
    this.#result = result;
    this.#latenciesUs = latenciesOf(result);
    this.#report();
    return true;
  }

  /** Null when the run broke down: that is no failure of the one that is being shrunk. */
  #tried(candidate: Decisions): RunResult | null {
    try {
      return this.rerun(candidate);
    } catch {
      return null;
    }
  }

  /** One run outside the search for something smaller: whether it fails at all, and again. */
  rerun(decisions: Decisions): RunResult {
    this.#reruns++;
    // A smaller failure comes about as early; what runs on much longer has another outcome.
    return this.#options.run(decisions, 2 * this.failure.step + stepsMore);
  }

  same(result: RunResult): boolean {
    return result.verdict === "violation" && result.failure?.fingerprint === this.#fingerprint;
  }

  /**
   * Does one pass with at most so many runs, and tells whether it gained anything and whether it
   * went without something that it wanted to try.
   */
  *within(
    pass: string,
    rerunsMax: number,
    work: () => Trying,
  ): Trying<{ gained: boolean; cutShort: boolean }> {
    const before = this.#bestKey;
    const outer = this.#limit;
    this.#limit = Math.min(outer, this.#reruns + Math.max(0, rerunsMax));
    this.#refused = false;
    this.#pass = pass;
    this.#report();
    yield* work();
    this.#limit = outer;
    return { gained: this.#bestKey !== before, cutShort: this.#refused };
  }

  #report(): void {
    this.#options.onProgress?.({
      pass: this.#pass,
      reruns: this.#reruns,
      decisions: countOf(this.#best),
    });
  }
}

function latenciesOf({ decisions, latenciesUs }: RunResult): ReadonlyMap<string, number> {
  return new Map(decisions.operations.map(({ id }, at) => [id, latenciesUs[at] ?? 0]));
}

/** Equal for equal decisions; two 32-bit words, so that thousands of tried sets cost nothing. */
function keyOf(decisions: Decisions): string {
  return digestOf(decisions).join(":");
}
