/**
 * Drives a search: hands out runs, and takes their results in the order of the runs, so that what
 * comes of it is the same for any number of threads.
 */
import { setImmediate } from "node:timers/promises";
import type { Pool } from "./pool.js";
import { brokenDown, type CrashedRun, type FailedRun, type RunReport } from "./run-planned.js";
import { runAt, shardRuns, type PlannedRun, type SearchPlan } from "./seeds.js";
import { addTally, emptyTally, type Tally } from "./tally.js";

export interface SearchOptions {
  readonly pool: Pool;
  /** Stop after so many failures; null: never. */
  readonly bail: number | null;
  /** Stop handing out runs after so long; null: never. */
  readonly budgetMs: number | null;
  /** Ends the search early, with what was found so far. */
  readonly signal: AbortSignal;
  /** Hears of failures in the order of their runs. */
  readonly onFailure: (failure: FailedRun) => void;
  readonly onProgress: (progress: SearchProgress) => void;
}

export interface SearchProgress {
  /** Runs done, in whatever order. */
  readonly done: number;
  /** Infinity for a search without an end. */
  readonly of: number;
  readonly failed: number;
  readonly elapsedMs: number;
}

/** `crash`: the simulator itself broke down, which is a fault of ours and no verdict. */
export type SearchEnd = "done" | "bail" | "budget" | "interrupted" | "crash";

export interface SearchOutcome {
  readonly end: SearchEnd;
  readonly crash: CrashedRun | null;
  readonly tally: Tally;
  readonly wallMs: number;
}

/** Runs that each thread may be ahead of the slowest one. */
const aheadMax = 32;

export async function search(plan: SearchPlan, options: SearchOptions): Promise<SearchOutcome> {
  const driver = new Driver(plan, options);
  const threads = Array.from({ length: options.pool.jobs }, () => driver.work());
  await Promise.all(threads);
  // What had come back by the time of an interrupt counts.
  await setImmediate();
  return driver.outcome();
}

/**
 * 1. Runs are handed out in order, and none more than `aheadMax * jobs` beyond the oldest that is
 *    still out: so what waits to be taken in order is bounded.
 * 2. Results are taken in order, up to the one that ends the search. Only an interrupt leaves gaps,
 *    and then nothing that came back is lost.
 */
class Driver {
  readonly #plan: SearchPlan;
  readonly #options: SearchOptions;
  readonly #startedMs = performance.now();
  readonly #runs: number;
  readonly #tally = emptyTally();
  readonly #waiting = new Map<number, RunReport>();
  #handedOut = 0;
  #taken = 0;
  #done = 0;
  #failed = 0;
  #end: SearchEnd | null = null;
  #crash: CrashedRun | null = null;
  /** The outcome was given; what comes back now is too late. */
  #closed = false;
  /** Threads that wait for the oldest run to come back. */
  #held: (() => void)[] = [];

  constructor(plan: SearchPlan, options: SearchOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#runs = shardRuns(plan);
    if (options.signal.aborted) this.#finish("interrupted");
    options.signal.addEventListener("abort", () => this.#finish("interrupted"), { once: true });
  }

  /** One thread's share: run after run until there is nothing more to do. */
  async work(): Promise<void> {
    const { pool } = this.#options;
    for (;;) {
      // A breath, to hear of interrupts and show progress also when runs are done in this thread.
      await setImmediate();
      if (this.#end === null && this.#outOfTime()) this.#finish("budget");
      if (this.#end !== null || this.#handedOut >= this.#runs) return;
      if (this.#handedOut - this.#taken >= aheadMax * pool.jobs) {
        await new Promise<void>((resolve) => this.#held.push(resolve));
        continue;
      }
      const place = this.#handedOut++;
      const back = this.#run(runAt(this.#plan, place)).then((report) => this.#keep(place, report));
      await this.#orInterrupted(back);
    }
  }

  outcome(): SearchOutcome {
    this.#closed = true;
    // An interrupt leaves gaps; what lies beyond them was found all the same.
    if (this.#end === "interrupted") {
      const places = [...this.#waiting.keys()].sort((a, b) => a - b);
      for (const place of places) this.#take(this.#waiting.get(place)!);
    }
    return {
      end: this.#end ?? "done",
      crash: this.#crash,
      tally: this.#tally,
      wallMs: this.#elapsedMs(),
    };
  }

  /** With runs left to hand out. However short the time is, it is enough for one of them. */
  #outOfTime(): boolean {
    if (this.#handedOut === 0 || this.#handedOut >= this.#runs) return false;
    return this.#elapsedMs() >= (this.#options.budgetMs ?? Infinity);
  }

  async #run(planned: PlannedRun): Promise<RunReport> {
    try {
      return await this.#options.pool.run(planned);
    } catch (error) {
      // The thread is gone, out of memory for example.
      return brokenDown(planned, error);
    }
  }

  #keep(place: number, report: RunReport): void {
    if (this.#closed) return;
    this.#done += report.tally.seeds;
    this.#failed += report.tally.failed;
    this.#waiting.set(place, report);
    this.#takeInOrder();
    this.#progress();
  }

  /** Waits no longer once the search is interrupted: a run may take long. */
  async #orInterrupted(back: Promise<void>): Promise<void> {
    const { signal } = this.#options;
    let onAbort = (): void => {};
    const aborted = new Promise<void>((resolve) => {
      onAbort = resolve;
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) resolve();
    });
    try {
      await Promise.race([back, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #takeInOrder(): void {
    for (;;) {
      const result = this.#waiting.get(this.#taken);
      if (result === undefined || this.#crash !== null || this.#end === "bail") break;
      this.#waiting.delete(this.#taken++);
      this.#take(result);
    }
    const held = this.#held;
    this.#held = [];
    for (const resume of held) resume();
  }

  #take({ tally, failure, crash }: RunReport): void {
    addTally(this.#tally, tally);
    if (failure !== null) this.#options.onFailure(failure);
    if (crash !== null) {
      this.#crash = crash;
      this.#finish("crash");
    } else if (this.#options.bail !== null && this.#tally.failed >= this.#options.bail) {
      this.#finish("bail");
    }
  }

  #finish(end: SearchEnd): void {
    // A crash or a bail among the last results outweighs that time was up.
    if (this.#end === null || this.#end === "budget") this.#end = end;
    const held = this.#held;
    this.#held = [];
    for (const resume of held) resume();
  }

  #progress(): void {
    this.#options.onProgress({
      done: this.#done,
      of: this.#runs,
      failed: this.#failed,
      elapsedMs: this.#elapsedMs(),
    });
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }
}
