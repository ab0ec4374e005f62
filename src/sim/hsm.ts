/**
 * The HSM of one simulated node: the machine that real nodes have, over a simulated token. The token
 * outlives the node's processes and its disks; sessions, logins and handles go with the process.
 */
import {
  HsmMachine,
  type HsmMachineEffect,
  type HsmMachineInput,
} from "../core/hsm/hsm-machine.js";
import type { Digest, HsmTimes } from "../core/hsm/options.js";
import { vendorProfile } from "../core/hsm/profiles/index.js";
import type { Hsm, HsmRequest, HsmResult } from "../core/ports/hsm.js";
import { eventKind } from "./events.js";
import { cheapDigest } from "./hsm/cheap-mixing.js";
import { cheapCrypto } from "./hsm/cheap-crypto.js";
import type { TokenCrypto } from "./hsm/crypto.js";
import { TokenFaults } from "./hsm/faults.js";
import { FaultyToken } from "./hsm/faulty-token.js";
import { SimToken } from "./hsm/module.js";
import { DurableToken } from "./hsm/token.js";
import type { SimVault } from "./keys/sim-vault.js";
import type { Scheduler } from "./scheduler.js";
import { type KeyedStream, seedWords, within } from "./streams.js";

export interface SimHsmParts {
  readonly node: number;
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly timing: KeyedStream;
  readonly effective: (fault: number) => void;
  /** Of the token, and the digests of who talks to it. Default: the cheap ones, which fit each other. */
  readonly crypto?: { readonly token: TokenCrypto; readonly digest: Digest };
  /** Default null: nobody may delete. */
  readonly adminDigest?: Uint8Array | null;
}

/** What a process hears of its HSM. */
export interface HsmListener {
  /** False: that process is gone. */
  readonly lives: () => boolean;
  readonly hsmDone: (op: number, result: HsmResult) => void;
}

/** What can be due: an answer of the module, a new module, or the machine's own time. */
type Due =
  | { readonly kind: "input"; readonly module: number; readonly input: HsmMachineInput }
  | { readonly kind: "wake"; readonly wish: number };

const cheap = { token: cheapCrypto, digest: cheapDigest } as const;
const pin = "1234";
const callUs = { min: 20, max: 400 } as const;
const moduleStartUs = { min: 2_000, max: 20_000 } as const;
/** Short, so that a minute holds outages and what follows them. */
const times: Partial<HsmTimes> = {
  deadlineUs: 2_500_000,
  generateDeadlineUs: 1_500_000,
  callTimeoutUs: 400_000,
  generateTimeoutUs: 400_000,
  backoffUs: 10_000,
  backoffMaxUs: 500_000,
  checkEveryUs: 2_000_000,
  provisionalMaxUs: 2_000_000,
  refreshEveryUs: 200_000,
};

export class SimHsm {
  /** In the slot now. */
  token: DurableToken;
  readonly faults: TokenFaults;
  readonly parts: SimHsmParts;
  readonly rejectedPins: Set<string> = new Set();
  #replaced = 0;

  constructor(parts: SimHsmParts) {
    const { node, timing } = parts;
    this.parts = parts;
    this.token = this.#newToken(`node-${node}`);
    this.faults = new TokenFaults([], (nowUs, rule) => timing.word(nowUs, node, 53, rule));
    this.faults.onEffective = (fault) => parts.effective(fault);
  }

  heal(): void {
    this.faults.heal();
  }

  /** A new and empty one of that label and PIN is in the slot. Nothing may be talking to the old one. */
  replaceToken(): void {
    this.token = this.#newToken(`${this.token.label}-${++this.#replaced}`);
  }

  #newToken(serial: string): DurableToken {
    const { node, seed } = this.parts;
    return new DurableToken({ label: `node-${node}`, serial, pin, seed: seedWords(seed, serial) });
  }

  /** For one life of the node's process: data keys go into its vault and come out of it here alone. */
  portFor(listener: HsmListener, vault: SimVault, life: number): Hsm {
    return new HsmProcess(this, listener, vault, life);
  }
}

class HsmProcess implements Hsm {
  readonly #hsm: SimHsm;
  readonly #listener: HsmListener;
  readonly #vault: SimVault;
  readonly #machine: HsmMachine;
  #module: FaultyToken | null = null;
  /** Counts modules: what an earlier one answers is lost. */
  #modules = 0;
  #busyUntilUs = 0;
  #wish = 0;
  /** Where unwrapped data keys go. */
  readonly #targets = new Map<number, HsmRequest & { kind: "unwrap" }>();

  constructor(hsm: SimHsm, listener: HsmListener, vault: SimVault, life: number) {
    this.#hsm = hsm;
    this.#listener = listener;
    this.#vault = vault;
    const { label } = hsm.token;
    const { seed, crypto = cheap, adminDigest = null } = hsm.parts;
    this.#machine = new HsmMachine({
      profile: vendorProfile("softhsm"),
      slot: { by: "label", label },
      seed: seedWords(seed, `${label}-${life}`),
      digest: crypto.digest,
      adminDigest,
      times,
    });
  }

  submit(op: number, request: HsmRequest): void {
    if (request.kind === "unwrap" && request.into.kind === "dataKey") {
      this.#targets.set(op, request);
      const into = { kind: "bytes" } as const;
      this.#step({ kind: "request", op, request: { ...request, into } });
    } else this.#step({ kind: "request", op, request });
  }

  #step(input: HsmMachineInput): void {
    const out: HsmMachineEffect[] = [];
    this.#machine.step(this.#nowUs, input, out);
    for (const effect of out) this.#effect(effect);
  }

  #effect(effect: HsmMachineEffect): void {
    switch (effect.kind) {
      case "call": {
        const reply = this.#module?.call(this.#nowUs, effect.call) ?? null;
        if (reply === null || reply.answer === null) return;
        const word = this.#word(1);
        const takesUs = within(word, callUs.min, callUs.max) + reply.delayUs;
        this.#busyUntilUs = Math.max(this.#busyUntilUs, this.#nowUs) + takesUs;
        const input = { kind: "answered", call: effect.id, answer: reply.answer } as const;
        this.#due(this.#busyUntilUs, { kind: "input", module: this.#modules, input });
        return;
      }
      case "restartModule":
        return this.#restart();
      case "answer":
        return this.#answer(effect.op, effect.result);
      case "wakeAt":
        this.#wish++;
        if (effect.atUs < Infinity) {
          const atUs = Math.max(effect.atUs, this.#nowUs + 1);
          this.#due(atUs, { kind: "wake", wish: this.#wish });
        }
        return;
      case "event":
        return;
    }
  }

  #restart(): void {
    const { token, faults, rejectedPins, parts } = this.#hsm;
    const profile = vendorProfile("softhsm");
    this.#modules++;
    const module = new SimToken({
      token,
      profile,
      crypto: (parts.crypto ?? cheap).token,
      pin: () => pin,
      rejectedPins,
    });
    this.#module = new FaultyToken(module, faults);
    const atUs = this.#nowUs + within(this.#word(2), moduleStartUs.min, moduleStartUs.max);
    this.#busyUntilUs = atUs;
    const input = { kind: "moduleReady" } as const;
    this.#due(atUs, { kind: "input", module: this.#modules, input });
  }

  #answer(op: number, result: HsmResult): void {
    const target = this.#targets.get(op);
    this.#targets.delete(op);
    if (target === undefined || !result.ok || result.value.kind !== "bytes") {
      this.#listener.hsmDone(op, result);
      return;
    }
    if (target.into.kind === "dataKey") this.#vault.hold(target.into.id, result.value.bytes);
    this.#listener.hsmDone(op, { ok: true, value: { kind: "done" } });
  }

  #due(atUs: number, due: Due): void {
    this.#hsm.parts.scheduler.add(atUs, eventKind.hsm, this.#hsm.parts.node - 1, 0, 0, () =>
      this.#happen(due),
    );
  }

  #happen(due: Due): void {
    if (!this.#listener.lives()) return;
    if (due.kind === "wake") {
      if (due.wish === this.#wish) this.#step({ kind: "timer" });
    } else if (due.module === this.#modules) this.#step(due.input);
  }

  #word(n: number): number {
    const { timing, node } = this.#hsm.parts;
    return timing.word(this.#nowUs, node, 50 + n);
  }

  get #nowUs(): number {
    return this.#hsm.parts.scheduler.nowUs;
  }
}
