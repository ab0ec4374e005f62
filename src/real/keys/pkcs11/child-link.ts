/**
 * One process of a library, from its start to its end: calls go out in one write for each turn of the
 * event loop, answers come in as the process sends them. The calls are answered in their order, so that
 * only the oldest has a deadline.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { assert } from "../../../core/assert.js";
import { ByteReader, ByteWriter } from "../../../core/bytes.js";
import type { TokenCall, TokenFunction } from "../../../core/hsm/cryptoki/calls.js";
import { readAnswer } from "./answer-codec.js";
import { writeCall } from "./call-codec.js";
import { type ChildSetup, type StartFailure, channelDescriptor } from "./child-setup.js";
import type { ModuleLoss, TokenModuleEvents, TokenModuleLimits } from "./token-module.js";
import { FrameCutter, control, functions, readText, writeFrame, writeText } from "./wire.js";

// What is built, from the sources too: the child is a plain process without a loader.
const childPath = fileURLToPath(
  new URL("../../../../dist/real/keys/pkcs11/child.js", import.meta.url),
);
/** Standard error of the node: what a library prints is no business of standard output. */
const errorDescriptor = 2;
const noticesMax = 1_000;

export interface LinkOptions {
  readonly setup: ChildSetup;
  /** The whole environment of the process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of this process, where the PIN comes from one. */
  readonly pinDescriptor: number | null;
  readonly limits: TokenModuleLimits;
}

interface CallInFlight {
  readonly id: number;
  readonly fn: TokenFunction;
  readonly kind: number;
}

export class ChildLink {
  readonly #options: LinkOptions;
  readonly #events: TokenModuleEvents;
  readonly #child: ChildProcess;
  readonly #channel: Duplex;
  readonly #cutter = new FrameCutter();
  readonly #output = new ByteWriter(1 << 16);
  readonly #inFlight: CallInFlight[] = [];
  readonly #gone: Promise<void>;
  /** Null until it is ready. */
  #readySinceMs: number | null = null;
  #headSinceMs = performance.now();
  #deadline: NodeJS.Timeout | null = null;
  #deadlineAtMs = Infinity;
  #flushing = false;
  /** Of the first call that has no answer. */
  #answeredNumber = 0;
  #madeNumber = 0;
  #notices = 0;
  #overdue: NodeJS.Timeout | undefined;
  /** What will be told when the process has ended; null: that it died. */
  #loss: ModuleLoss | null = null;
  /** Nothing is told any more. */
  #silent = false;

  constructor(options: LinkOptions, events: TokenModuleEvents) {
    this.#options = options;
    this.#events = events;
    const { pinDescriptor, environment } = options;
    this.#child = spawn(process.execPath, [childPath], {
      env: environment,
      stdio: [
        "ignore",
        errorDescriptor,
        errorDescriptor,
        "pipe",
        ...(pinDescriptor === null ? [] : [pinDescriptor]),
      ],
    });
    this.#channel = this.#child.stdio[channelDescriptor] as Duplex;
    this.#gone = this.#listen();
    const setup = JSON.stringify(options.setup);
    writeFrame(this.#output, 0, control.setup, (to) => writeText(to, setup));
    this.#flushSoon();
    this.#arm();
  }

  /** How long it has been ready; 0: it is not. */
  get readyMs(): number {
    return this.#readySinceMs === null ? 0 : performance.now() - this.#readySinceMs;
  }

  call(id: number, call: TokenCall): void {
    if (this.#readySinceMs === null || this.#loss !== null) return;
    const { callsInFlightMax } = this.#options.limits;
    assert(
      this.#inFlight.length < callsInFlightMax,
      "no more calls are made than may be in flight",
    );
    const kind = this.#write(++this.#madeNumber, call);
    this.#inFlight.push({ id, fn: call.fn, kind });
    if (this.#inFlight.length === 1) this.#nextIsHead();
    this.#flushSoon();
  }

  /** Nothing is told any more, and the process ends at once. */
  kill(): void {
    this.#silent = true;
    this.#end();
  }

  /** Nothing is told any more; the process is asked to end, and killed when it does not. */
  async close(): Promise<void> {
    this.#silent = true;
    this.#disarm();
    const late = setTimeout(() => this.#end(), this.#options.limits.closeGraceMs);
    this.#channel.end();
    await this.#gone;
    clearTimeout(late);
  }

  #listen(): Promise<void> {
    this.#channel.on("data", (chunk: Buffer) => this.#read(chunk));
    // A broken channel is told by the end of the process.
    this.#channel.on("error", () => undefined);
    return new Promise((resolve) => {
      let told = false;
      const tell = (message: string): void => {
        if (told) return;
        told = true;
        resolve();
        this.#ended({ code: "died", message });
      };
      this.#child.on("error", (error) =>
        tell(`the process could not be started: ${error.message}`),
      );
      // After all that it wrote was read.
      this.#child.once("close", (status, signal) => {
        tell(`the process of the library ended (${signal ?? `status ${status}`})`);
      });
    });
  }

  #write(number: number, call: TokenCall): number {
    const start = this.#output.length;
    try {
      const kind = functions.indexOf(call.fn);
      writeFrame(this.#output, number, kind, (to) => writeCall(to, call));
      return kind;
    } catch {
      // Whatever it is, it is no call. The answer keeps its place among the others.
      this.#output.length = start;
      writeFrame(this.#output, number, control.malformed, () => undefined);
      return control.malformed;
    }
  }

  /** Once for all that is written in this turn. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      const bytes = this.#output.finish();
      this.#output.written().fill(0);
      this.#output.reset();
      if (this.#channel.writable) this.#channel.write(bytes, () => bytes.fill(0));
    });
  }

  #read(chunk: Buffer): void {
    if (this.#silent) return;
    const sound = this.#cutter.cut(chunk, (frame) => {
      // Whoever is told of one answer may be done with us before the next.
      if (this.#loss === null && !this.#silent) this.#take(frame);
    });
    if (!sound) this.#lose("unreadable", "the process of the library wrote no frames");
    chunk.fill(0);
    if (this.#inFlight.length > 0) this.#arm();
  }

  #take(frame: Buffer): void {
    const from = new ByteReader(frame);
    const number = from.u32();
    const kind = from.u8();
    if (kind === control.ready) {
      this.#readySinceMs = performance.now();
      this.#disarm();
      this.#events.ready();
    } else if (kind === control.failed) {
      const { code, message } = JSON.parse(readText(from)) as StartFailure;
      this.#lose(code, message);
    } else if (kind === control.notice) {
      if (++this.#notices <= noticesMax) this.#events.notice?.(readText(from));
    } else {
      this.#answer(from, number, kind);
    }
  }

  #answer(from: ByteReader, number: number, kind: number): void {
    const head = this.#inFlight[0];
    const answer = head === undefined ? null : readAnswer(from, head.fn);
    const expected = (this.#answeredNumber + 1) >>> 0;
    if (
      head === undefined ||
      answer === null ||
      !from.complete ||
      head.kind !== kind ||
      number !== expected
    ) {
      this.#lose("unreadable", "the process of the library answered what was not asked");
      return;
    }
    this.#answeredNumber = number;
    this.#inFlight.shift();
    this.#nextIsHead();
    this.#events.answered(head.id, answer);
  }

  #nextIsHead(): void {
    this.#headSinceMs = performance.now();
    if (this.#inFlight.length === 0) this.#disarm();
    else this.#arm();
  }

  /** Armed anew only when it would fire too late. */
  #arm(): void {
    const atMs = this.#headSinceMs + this.#headDeadlineMs();
    if (this.#deadline !== null && this.#deadlineAtMs <= atMs) return;
    this.#disarm();
    this.#deadlineAtMs = atMs;
    this.#deadline = setTimeout(() => this.#due(), Math.max(0, atMs - performance.now()));
  }

  #disarm(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
    this.#deadlineAtMs = Infinity;
  }

  #due(): void {
    this.#deadline = null;
    this.#deadlineAtMs = Infinity;
    // If it was us who stood still, the answer is here and only has to be read.
    setImmediate(() => {
      const waiting = this.#readySinceMs === null || this.#inFlight.length > 0;
      if (!waiting || this.#loss !== null || this.#silent) return;
      const lateMs = performance.now() - this.#headSinceMs - this.#headDeadlineMs();
      if (lateMs < 0) return this.#arm();
      const what = this.#inFlight[0]?.fn ?? "the start";
      this.#lose("deadline", `${what} took longer than ${this.#headDeadlineMs()} ms`);
    });
  }

  #headDeadlineMs(): number {
    const { startDeadlineMs, callDeadlineMs, generateDeadlineMs } = this.#options.limits;
    if (this.#readySinceMs === null) return startDeadlineMs;
    const fn = this.#inFlight[0]?.fn;
    const generates = fn === "generateKey" || fn === "generateKeyPair";
    return generates ? generateDeadlineMs : callDeadlineMs;
  }

  /** Told when the process is gone, so that no two of them ever use a token by accident. */
  #lose(code: ModuleLoss["code"], message: string): void {
    if (this.#loss !== null || this.#silent) return;
    this.#loss = { code, message };
    this.#end();
    // What the kernel cannot end (a device that does not answer it) must not hold up the node as well.
    this.#overdue = setTimeout(
      () => this.#ended({ code, message }),
      this.#options.limits.closeGraceMs,
    );
  }

  #end(): void {
    this.#disarm();
    this.#inFlight.length = 0;
    this.#child.kill("SIGKILL");
    this.#channel.destroy();
  }

  #ended(loss: ModuleLoss): void {
    this.#disarm();
    clearTimeout(this.#overdue);
    const told = this.#loss ?? loss;
    this.#loss = told;
    this.#inFlight.length = 0;
    if (!this.#silent) this.#events.lost(told);
    this.#silent = true;
  }
}
