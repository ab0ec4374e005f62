/**
 * Drives a search: hands out chunks of runs, and takes their results in the order of the runs, so
 * that what comes of it is the same for any number of threads.
 */
import type { ChunkResult, CrashedRun, FailedRun } from "./chunk.js";
import type { Pool } from "./pool.js";
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

/** More than this at once makes progress coarse, and threads wait for the last of them. */
const chunkRunsMax = 4;
/** Chunks that each thread may be ahead of the slowest one. */
const aheadMax = 8;

export async function search(plan: SearchPlan, options: SearchOptions): Promise<SearchOutcome> {
  const driver = new Driver(plan, options);
  const threads = Array.from({ length: options.pool.jobs }, () => driver.work());
  await Promise.all(threads);
  return driver.outcome();
}

/**
 * 1. Chunks are handed out in order, and none more than `aheadMax * jobs` beyond the oldest that is
 *    still out: so what waits to be taken in order is bounded.
 * 2. Results are taken in order, up to the one that ends the search.
 */
class Driver {
  readonly #plan: SearchPlan;
  readonly #options: SearchOptions;
  readonly #startedMs = performance.now();
  readonly #runs: number;
  readonly #chunkRuns: number;
  readonly #tally = emptyTally();
  readonly #waiting = new Map<number, ChunkResult>();
  #handedOut = 0;
  #taken = 0;
  #done = 0;
  #failed = 0;
  #end: SearchEnd | null = null;
  #crash: CrashedRun | null = null;
  /** Threads that wait for the oldest chunk to come back. */
  #held: (() => void)[] = [];

  constructor(plan: SearchPlan, options: SearchOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#runs = shardRuns(plan);
    const each = Math.ceil(Math.min(this.#runs, 1 << 20) / (options.pool.jobs * aheadMax));
    // Who wants to stop at a failure wants none after it.
    this.#chunkRuns = options.bail !== null ? 1 : Math.max(1, Math.min(chunkRunsMax, each));
    if (options.signal.aborted) this.#finish("interrupted");
    options.signal.addEventListener("abort", () => this.#finish("interrupted"), { once: true });
  }

  /** One thread's share: chunk after chunk until there is nothing more to do. */
  async work(): Promise<void> {
    const { pool } = this.#options;
    for (;;) {
      if (this.#end === null && this.#elapsedMs() >= (this.#options.budgetMs ?? Infinity)) {
        this.#finish("budget");
      }
      const chunk = this.#end === null ? this.#chunk(this.#handedOut) : [];
      if (chunk.length === 0) return;
      if (this.#handedOut - this.#taken >= aheadMax * pool.jobs) {
        await new Promise<void>((resolve) => this.#held.push(resolve));
        continue;
      }
      const place = this.#handedOut++;
      const result = await this.#orInterrupted(this.#run(chunk));
      if (result === null) return;
      this.#done += result.tally.seeds;
      this.#failed += result.failures.length;
      this.#waiting.set(place, result);
      this.#takeInOrder();
      this.#progress();
    }
  }

  outcome(): SearchOutcome {
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

  #chunk(place: number): PlannedRun[] {
    const first = place * this.#chunkRuns;
    const count = Math.min(this.#chunkRuns, this.#runs - first);
    return Array.from({ length: Math.max(0, count) }, (_, at) => runAt(this.#plan, first + at));
  }

  async #run(chunk: readonly PlannedRun[]): Promise<ChunkResult> {
    try {
      return await this.#options.pool.run(chunk);
    } catch (error) {
      // The thread is gone, out of memory for example; which of its runs did it, nobody can say.
      const message = error instanceof Error ? error.message : String(error);
      return {
        tally: emptyTally(),
        failures: [],
        crash: { ...chunk[0]!, message, byScenario: false },
      };
    }
  }

  /** Null once the search is interrupted: nobody waits for a run that may take long. */
  async #orInterrupted(running: Promise<ChunkResult>): Promise<ChunkResult | null> {
    const { signal } = this.#options;
    if (signal.aborted) return null;
    let onAbort = (): void => {};
    const aborted = new Promise<null>((resolve) => {
      onAbort = () => resolve(null);
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([running, aborted]);
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

  #take({ tally, failures, crash }: ChunkResult): void {
    addTally(this.#tally, tally);
    for (const failure of failures) this.#options.onFailure(failure);
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
