/** The `Hsm` port on a PKCS#11 token: the machine that decides, and the process of the library that does. */
import { createHash, randomBytes } from "node:crypto";
import type { TokenAnswer } from "../../../core/hsm/cryptoki/calls.js";
import type { HsmEvent } from "../../../core/hsm/events.js";
import {
  HsmMachine,
  type HsmMachineEffect,
  type HsmMachineInput,
} from "../../../core/hsm/hsm-machine.js";
import type { HsmMachineOptions } from "../../../core/hsm/options.js";
import type { HsmEvents, HsmRequest, HsmResult } from "../../../core/ports/hsm.js";
import { adminDigestOf } from "../admin.js";
import type { ClosableHsm } from "../key-store-of.js";
import type { AdminCapability } from "../key-store.js";
import type { Vault } from "../vault.js";
import { DataKeyPort } from "./data-key-port.js";
import { TokenModuleProcess } from "./module-process.js";
import type { ModuleLoss, TokenModule, TokenModuleOptions } from "./token-module.js";

export interface Pkcs11HsmOptions
  extends
    TokenModuleProcessOptions,
    Pick<HsmMachineOptions, "slot" | "canary" | "verifyEachUse" | "times"> {
  /** Of the machine: requests that wait, sessions, sizes. */
  readonly limits?: HsmMachineOptions["limits"];
  /** Of the process: deadlines, waits. */
  readonly processLimits?: TokenModuleOptions["limits"];
  /** Holds the data keys that are wrapped and unwrapped; without one there are none. */
  readonly vault?: Vault;
  /** Who may delete; without one nobody may. */
  readonly admin?: AdminCapability;
  readonly watch?: Pkcs11HsmWatch;
}

type TokenModuleProcessOptions = Omit<TokenModuleOptions, "limits">;

/** For logs; nothing here is ever secret. */
export interface Pkcs11HsmWatch {
  event?(event: HsmEvent): void;
  /** The process of the library is gone; another one is on its way. */
  lost?(loss: ModuleLoss): void;
  /** Of the process, for people. */
  notice?(text: string): void;
}

/** setTimeout takes no longer ones. */
const timerMsMax = 2 ** 31 - 1;

export class Pkcs11Hsm implements ClosableHsm {
  readonly #machine: HsmMachine;
  readonly #module: TokenModule;
  readonly #events: HsmEvents;
  readonly #watch: Pkcs11HsmWatch;
  readonly #dataKeys: DataKeyPort;
  readonly #inputs: HsmMachineInput[] = [];
  #draining = false;
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | null = null;

  /** Throws when the PIN of that vendor cannot be made of what is given. Starts nothing yet. */
  constructor(options: Pkcs11HsmOptions, events: HsmEvents) {
    this.#events = events;
    this.#watch = options.watch ?? {};
    this.#dataKeys = new DataKeyPort(options.vault ?? null);
    this.#machine = new HsmMachine(machineOptionsOf(options));
    const { limits: _, processLimits, ...module } = options;
    const limits = processLimits ?? {};
    this.#module = new TokenModuleProcess(
      { ...module, limits },
      {
        ready: () => this.#take({ kind: "moduleReady" }),
        answered: (call: number, answer: TokenAnswer) =>
          this.#take({ kind: "answered", call, answer }),
        lost: (loss) => {
          this.#watch.lost?.(loss);
          this.#take({ kind: "moduleLost", reason: loss.message });
        },
        notice: (text) => this.#watch.notice?.(text),
      },
    );
  }

  /** Never answered from within. */
  submit(op: number, request: HsmRequest): void {
    queueMicrotask(() => {
      if (this.#closing !== null) {
        const error = { code: "unavailable", rv: 0, policy: null, during: request.kind } as const;
        return this.#events.hsmDone(op, { ok: false, error });
      }
      const asked = this.#dataKeys.asked(op, request);
      if ("refused" in asked) return this.#answer(op, asked.refused);
      this.#take({ kind: "request", op, request: asked.request });
    });
  }

  /** Ends sessions and process. What was submitted and not answered never is. */
  close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closing ??= this.#module.close();
    this.#dataKeys.wipe();
    return this.#closing;
  }

  /** An answer may lead to a new request at once: inputs wait for each other. */
  #take(input: HsmMachineInput): void {
    this.#inputs.push(input);
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        if (this.#closing !== null) return;
        const effects: HsmMachineEffect[] = [];
        this.#machine.step(nowUs(), next, effects);
        for (const effect of effects) this.#do(effect);
      }
    } finally {
      this.#draining = false;
    }
  }

  #do(effect: HsmMachineEffect): void {
    if (this.#closing !== null) return;
    switch (effect.kind) {
      case "call":
        return this.#module.call(effect.id, effect.call);
      case "restartModule":
        return this.#module.restart();
      case "wakeAt":
        return this.#wakeAt(effect.atUs);
      case "event":
        return this.#watch.event?.(effect.event);
      case "answer":
        return this.#answer(effect.op, this.#dataKeys.answered(effect.op, effect.result));
    }
  }

  #answer(op: number, result: HsmResult): void {
    this.#events.hsmDone(op, result);
  }

  #wakeAt(atUs: number): void {
    clearTimeout(this.#timer);
    if (atUs === Infinity) return;
    const inMs = Math.ceil((atUs - nowUs()) / 1_000);
    const waitMs = Math.min(Math.max(0, inMs), timerMsMax);
    this.#timer = setTimeout(() => this.#take({ kind: "timer" }), waitMs);
  }
}

function machineOptionsOf(options: Pkcs11HsmOptions): HsmMachineOptions {
  const { profile, slot, canary, verifyEachUse, limits, times, admin } = options;
  const words = new Uint32Array(new Uint8Array(randomBytes(16)).buffer);
  return {
    profile,
    slot,
    seed: [words[0]!, words[1]!, words[2]!, words[3]!],
    digest: (hash, bytes) => new Uint8Array(createHash(hash).update(bytes).digest()),
    adminDigest: admin === undefined ? null : adminDigestOf(admin),
    ...(canary === undefined ? {} : { canary }),
    ...(verifyEachUse === undefined ? {} : { verifyEachUse }),
    ...(limits === undefined ? {} : { limits }),
    ...(times === undefined ? {} : { times }),
  };
}

function nowUs(): number {
  return Math.floor(performance.now() * 1_000);
}
