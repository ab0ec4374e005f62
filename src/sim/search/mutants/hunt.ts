/** Searches seeds until a mutant is caught, and makes sure that the same seed is fine without it. */
import { Worker } from "node:worker_threads";
import type { RunResult } from "../../../lab/run-result.js";
import type { Mutant } from "./mutant.js";
import { makeOverlay } from "./overlay.js";
import type { RunReply, RunRequest, WorkerSetup } from "./worker.js";

export interface HuntOptions {
  /** The package's folder. */
  readonly root: string;
  readonly from: number;
  readonly seedsMax: number;
}

export interface Hunt {
  readonly id: string;
  readonly killed: boolean;
  /** Seeds that were run, the one that caught it included. */
  readonly seeds: number;
  readonly steps: number;
  /** What caught it; null when nothing did. */
  readonly property: string | null;
  readonly failure: RunResult | null;
  readonly wallMs: number;
  /** Properties violated that the mutant is not said to break, and crashes, with their counts. */
  readonly others: Readonly<Record<string, number>>;
}

/** Throws when the mutant no longer applies to the source. */
export async function hunt(mutant: Mutant, options: HuntOptions): Promise<Hunt> {
  const overlay = makeOverlay(options.root, mutant);
  if ("error" in overlay) throw new Error(overlay.error);
  const startedMs = performance.now();
  const mutated = new Runner(overlay.dist);
  const plain = new Runner(`${options.root}/dist`);
  const others: Record<string, number> = {};
  let steps = 0;
  let seeds = 0;
  let failure: RunResult | null = null;
  try {
    while (failure === null && seeds < options.seedsMax) {
      const seed = options.from + seeds;
      const scenario = mutant.scenarios[seeds % mutant.scenarios.length] ?? "";
      seeds++;
      const reply = await mutated.run({ scenario, seed });
      if (reply.kind === "ran") steps += reply.result.steps;
      const property = propertyOf(reply);
      if (property === null) continue;
      if (
        reply.kind === "ran" &&
        mutant.breaks.includes(property) &&
        reply.result.verdict === "violation"
      ) {
        if (propertyOf(await plain.run({ scenario, seed })) === null) failure = reply.result;
        else count(others, `${property} also without the mutant`);
      } else count(others, property);
    }
  } finally {
    await mutated.stop();
    await plain.stop();
    overlay.remove();
  }
  return {
    id: mutant.id,
    killed: failure !== null,
    seeds,
    steps,
    property: failure?.failure?.property ?? null,
    failure,
    wallMs: Math.round(performance.now() - startedMs),
    others,
  };
}

/** What went wrong in a run; null when nothing did. */
function propertyOf(reply: RunReply): string | null {
  if (reply.kind === "crashed") return `crash: ${reply.message}`;
  return reply.result.verdict === "violation" ? (reply.result.failure?.property ?? "?") : null;
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** One worker, started when it is first asked. Its runs come one after another. */
class Runner {
  readonly #dist: string;
  #worker: Worker | null = null;

  constructor(dist: string) {
    this.#dist = dist;
  }

  run(request: RunRequest): Promise<RunReply> {
    const setup: WorkerSetup = { dist: this.#dist };
    this.#worker ??= new Worker(new URL("./worker.js", import.meta.url), { workerData: setup });
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.postMessage(request);
    }).finally(() => worker.removeAllListeners()) as Promise<RunReply>;
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }
}
