/** Runs seeds on one build of the code, in a worker thread that is replaced when it hangs or dies. */
import { Worker } from "node:worker_threads";
import type { RunReply, RunRequest, WorkerSetup } from "./worker.js";

/** A mutant may never come to the end of a step. */
const runMsMax = 120_000;

/** The built worker: a thread cannot load TypeScript. Seen alike from `src` and from `dist`. */
const workerUrl = new URL("../../../../dist/sim/search/mutants/worker.js", import.meta.url);

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
    this.#queue = reply;
    return reply;
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  async #ask(request: RunRequest): Promise<RunReply> {
    this.#worker ??= this.#start();
    const { reply, lost } = await answerOf(this.#worker, request);
    if (lost) await this.stop();
    return reply;
  }

  #start(): Worker {
    const setup: WorkerSetup = { dist: this.#dist };
    const worker = new Worker(workerUrl, { workerData: setup });
    // One that dies between two runs is nobody's crash; the next run starts another.
    worker.on("error", () => {});
    worker.on("exit", () => {
      if (this.#worker === worker) this.#worker = null;
    });
    return worker;
  }
}

interface Answer {
  readonly reply: RunReply;
  /** Nothing more is to be had of the worker. */
  readonly lost: boolean;
}

/** A worker that hangs or dies, out of memory for example, has crashed: that is told, not thrown. */
function answerOf(worker: Worker, request: RunRequest): Promise<Answer> {
  return new Promise((resolve) => {
    const end = (answer: Answer): void => {
      clearTimeout(timer);
      // A worker's listeners that are not ours must stay: it hears nothing more without them.
      worker.off("message", answered).off("error", failed).off("exit", ended);
      resolve(answer);
    };
    const lose = (message: string): void =>
      end({ reply: { kind: "crashed", message }, lost: true });
    const answered = (reply: RunReply): void => end({ reply, lost: false });
    const failed = (error: unknown): void =>
      lose(error instanceof Error ? error.message : String(error));
    const ended = (code: number): void =>
      lose(`the worker ended with code ${code} before it had answered`);
    const timer = setTimeout(() => lose(`no end after ${runMsMax} ms`), runMsMax);
    worker.on("message", answered).on("error", failed).on("exit", ended);
    worker.postMessage(request);
  });
}

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
