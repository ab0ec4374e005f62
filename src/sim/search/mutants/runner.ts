/** Runs seeds on one build of the code, in a worker thread that is replaced when it hangs. */
import { Worker } from "node:worker_threads";
import type { RunReply, RunRequest, WorkerSetup } from "./worker.js";

/** A mutant may never come to the end of a step. */
const runMsMax = 120_000;

/** Its runs come one after another; the thread starts with the first. */
export class Runner {
  readonly #dist: string;
  #worker: Worker | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(dist: string) {
    this.#dist = dist;
  }

  run(request: RunRequest): Promise<RunReply> {
    const reply = this.#queue.then(() => this.#ask(request));
    // A failed run is its asker's to hear of; the next one has a fresh thread.
    this.#queue = reply.catch(() => this.stop());
    return reply;
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  async #ask(request: RunRequest): Promise<RunReply> {
    const setup: WorkerSetup = { dist: this.#dist };
    this.#worker ??= new Worker(new URL("./worker.js", import.meta.url), { workerData: setup });
    const reply = await replyOf(this.#worker, request);
    if (reply === hung) await this.stop();
    return reply;
  }
}

function replyOf(worker: Worker, request: RunRequest): Promise<RunReply> {
  return new Promise((resolve, reject) => {
    const end = (then: () => void): void => {
      clearTimeout(timer);
      // A worker's listeners that are not ours must stay: it hears nothing more without them.
      worker.off("message", answered).off("error", failed).off("exit", ended);
      then();
    };
    const answered = (reply: RunReply): void => end(() => resolve(reply));
    const failed = (error: Error): void => end(() => reject(error));
    const ended = (): void => failed(new Error("the worker ended before it had answered"));
    const timer = setTimeout(() => end(() => resolve(hung)), runMsMax);
    worker.on("message", answered).on("error", failed).on("exit", ended);
    worker.postMessage(request);
  });
}

const hung: RunReply = { kind: "crashed", message: `no end after ${runMsMax} ms` };

/** What went wrong in a run; null when nothing did. */
export function propertyOf(reply: RunReply): string | null {
  if (reply.kind === "crashed") return `crash: ${reply.message}`;
  return reply.result.verdict === "violation" ? (reply.result.failure?.property ?? "?") : null;
}

/** Runs of the code as it is. Mutants meet on the same seeds, so each is done once. */
export class PlainRuns {
  readonly #runner: Runner;
  readonly #known = new Map<string, Promise<string | null>>();

  constructor(dist: string) {
    this.#runner = new Runner(dist);
  }

  /** The property that the seed violates without any mutant; null: none. */
  property(request: RunRequest): Promise<string | null> {
    const key = `${request.scenario}/${request.seed}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#runner.run(request).then(propertyOf);
      this.#known.set(key, known);
    }
    return known;
  }

  stop(): Promise<void> {
    return this.#runner.stop();
  }
}
