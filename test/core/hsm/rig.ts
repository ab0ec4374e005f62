/** Machines and their modules under one virtual clock. Calls are answered in order, after a drawn time. */
import { createHash } from "node:crypto";
import type { TokenAnswer, TokenCall } from "../../../src/core/hsm/cryptoki/calls.js";
import type { HsmEvent } from "../../../src/core/hsm/events.js";
import { HsmMachine, type HsmMachineEffect } from "../../../src/core/hsm/hsm-machine.js";
import type { HsmMachineOptions } from "../../../src/core/hsm/options.js";
import { vendorProfile } from "../../../src/core/hsm/profiles/index.js";
import type { HsmRequest, HsmResult, HsmValue } from "../../../src/core/ports/hsm.js";
import { type RandomState, below, seededRandom } from "../../../src/core/random.js";
import { FakeModule, type FakeToken } from "./fake-token.js";

export const adminSecret = "only the administrator knows this";

/** What a fault does to a call: an answer of its own, a lost one after the deed, or no answer at all. */
export type Fault =
  | { readonly kind: "answer"; readonly rv: number }
  | { readonly kind: "lostAnswer"; readonly rv: number }
  /** Success, with something else. */
  | { readonly kind: "lie"; readonly value: Uint8Array }
  | { readonly kind: "hang" }
  | { readonly kind: "die" };

/** What executes calls: the fake, or another model. */
export interface Module {
  call(call: TokenCall): TokenAnswer;
}

interface Queued {
  readonly id: number;
  readonly call: TokenCall;
  readonly atUs: number;
}

export class Rig<M extends Module = FakeModule> {
  readonly machine: HsmMachine;
  module: M | null = null;
  readonly answers = new Map<number, HsmResult[]>();
  readonly events: HsmEvent[] = [];
  readonly calls: TokenCall[] = [];
  /** Asked before each call is executed. */
  fault: (call: TokenCall, count: number) => Fault | null = () => null;
  moduleStarts: (count: number) => boolean = () => true;
  restarts = 0;
  now = 0;
  #queue: Queued[] = [];
  #wakeAtUs = Infinity;
  #moduleAtUs = Infinity;
  #hanging = false;
  #nextOp = 1;
  #count = 0;
  readonly #random: RandomState;
  readonly #makeModule: () => M;

  constructor(makeModule: () => M, options: Partial<HsmMachineOptions> = {}, seed = 1) {
    this.#makeModule = makeModule;
    this.#random = seededRandom([seed, 7, 7, 7]);
    this.machine = new HsmMachine({
      profile: vendorProfile("softhsm"),
      slot: { by: "label", label: "t1" },
      seed: [seed, 1, 1, 1],
      digest: (hash, bytes) => new Uint8Array(createHash(hash).update(bytes).digest()),
      adminDigest: new Uint8Array(createHash("sha256").update(adminSecret).digest()),
      ...options,
    });
  }

  send(request: HsmRequest): number {
    const op = this.#nextOp++;
    this.answers.set(op, []);
    this.#step({ kind: "request", op, request });
    return op;
  }

  /** Of a request that must have been answered. */
  result(op: number): HsmResult {
    const given = this.answers.get(op)!;
    if (given.length !== 1) throw new Error(`op ${op} was answered ${given.length} times`);
    return given[0]!;
  }

  /** Sends, runs, and gives the answer. */
  ask(request: HsmRequest, forUs = 400_000_000): HsmResult {
    const op = this.send(request);
    this.runUntil(() => this.answers.get(op)!.length > 0, forUs);
    return this.result(op);
  }

  /** What must succeed. */
  value<K extends HsmValue["kind"]>(kind: K, request: HsmRequest): HsmValue & { readonly kind: K } {
    const result = this.ask(request);
    if (!result.ok) throw new Error(`${request.kind}: ${JSON.stringify(result.error)}`);
    if (result.value.kind !== kind) throw new Error(`${request.kind} gave ${result.value.kind}`);
    return result.value as HsmValue & { readonly kind: K };
  }

  /** What must be refused. */
  code(request: HsmRequest): string {
    const result = this.ask(request);
    return result.ok ? "ok" : result.error.code;
  }

  runUntil(done: () => boolean, forUs: number): void {
    const untilUs = this.now + forUs;
    while (!done()) {
      const at = this.nextUs();
      if (at > untilUs) {
        this.now = untilUs;
        return;
      }
      this.next();
    }
  }

  run(forUs: number): void {
    this.runUntil(() => false, forUs);
  }

  /** When something happens here next. */
  nextUs(): number {
    const [head] = this.#queue;
    const callUs = head === undefined || this.#hanging ? Infinity : head.atUs;
    return Math.min(callUs, this.#wakeAtUs, this.#moduleAtUs);
  }

  next(): void {
    const at = this.nextUs();
    this.now = Math.max(this.now, at);
    const [head] = this.#queue;
    if (this.#moduleAtUs === at) {
      this.#moduleAtUs = Infinity;
      if (!this.moduleStarts(this.restarts)) {
        return this.#step({ kind: "moduleLost", reason: "it did not start" });
      }
      this.module = this.#makeModule();
      this.#step({ kind: "moduleReady" });
    } else if (head !== undefined && !this.#hanging && head.atUs === at) {
      this.#execute(head);
    } else {
      this.#wakeAtUs = Infinity;
      this.#step({ kind: "timer" });
    }
  }

  die(): void {
    this.module = null;
    this.#queue = [];
    this.#hanging = false;
    this.#step({ kind: "moduleLost", reason: "it died" });
  }

  #execute({ id, call }: Queued): void {
    const fault = this.fault(call, this.#count++);
    if (fault?.kind === "hang") {
      this.#hanging = true;
      return;
    }
    if (fault?.kind === "die") return this.die();
    this.#queue.shift();
    if (fault?.kind === "lie") {
      return this.#step({ kind: "answered", call: id, answer: { rv: 0, value: fault.value } });
    }
    const answer =
      fault?.kind === "answer" ? { rv: fault.rv, value: null } : this.module!.call(call);
    const told = fault?.kind === "lostAnswer" ? { rv: fault.rv, value: null } : answer;
    this.#step({ kind: "answered", call: id, answer: told });
  }

  #step(input: Parameters<HsmMachine["step"]>[1]): void {
    const out: HsmMachineEffect[] = [];
    this.machine.step(this.now, input, out);
    for (const effect of out) this.#take(effect);
  }

  #take(effect: HsmMachineEffect): void {
    switch (effect.kind) {
      case "call": {
        this.calls.push(effect.call);
        if (effect.call.fn === "finalize" && this.#queue.length > 0) {
          throw new Error("the library is finalised under a call");
        }
        const last = this.#queue.at(-1)?.atUs ?? this.now;
        // One in eight is slow, so that the steps of two processes interleave in every way.
        const mostUs = below(this.#random, 8) === 0 ? 20_000 : 2000;
        const atUs = Math.max(last, this.now) + 1 + below(this.#random, mostUs);
        this.#queue.push({ id: effect.id, call: effect.call, atUs });
        return;
      }
      case "restartModule":
        this.restarts++;
        this.module = null;
        this.#queue = [];
        this.#hanging = false;
        this.#moduleAtUs = this.now + 1 + below(this.#random, 50_000);
        return;
      case "answer":
        this.answers.get(effect.op)!.push(effect.result);
        return;
      case "wakeAt":
        this.#wakeAtUs = effect.atUs;
        return;
      default:
        this.events.push(effect.event);
    }
  }
}

export function fakeRig(token: FakeToken, options: Partial<HsmMachineOptions> = {}, seed = 1): Rig {
  return new Rig(() => new FakeModule(token), options, seed);
}

/** Several processes at one token, each on its own. */
export function runTogether(rigs: readonly Rig[], done: () => boolean, forUs: number): void {
  while (!done()) {
    const first = rigs.reduce((a, b) => (b.nextUs() < a.nextUs() ? b : a));
    if (first.nextUs() > forUs) return;
    first.next();
  }
}
