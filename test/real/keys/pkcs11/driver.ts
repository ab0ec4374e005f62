/** A module with promises, for tests. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  TokenAnswer,
  TokenCall,
  TokenFunction,
  TokenValues,
} from "../../../../src/core/hsm/cryptoki/calls.js";
import { cka, ckk, cko } from "../../../../src/core/hsm/cryptoki/constants.js";
import type { Handle, Template } from "../../../../src/core/hsm/cryptoki/calls.js";
import { softhsm } from "../../../../src/core/hsm/profiles/softhsm.js";
import { TokenModuleProcess } from "../../../../src/real/keys/pkcs11/module-process.js";
import type {
  ModuleLoss,
  TokenModuleOptions,
} from "../../../../src/real/keys/pkcs11/token-module.js";
import { type SoftHsmToken, makeSoftHsmToken } from "../../../../src/real/keys/softhsm/token.js";

export const pin = "1234";
export const soPin = "12345678";

export interface Place {
  readonly folder: string;
  readonly token: SoftHsmToken;
  readonly options: TokenModuleOptions;
  remove(): void;
}

/** A fresh token, its PIN in a file, and what a module needs for it. */
export async function makePlace(library: string, label = "quorumlab"): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "quorumlab-token-"));
  const token = await makeSoftHsmToken(join(folder, "hsm"), { library, label, soPin, pin });
  const path = join(folder, "pin");
  writeFileSync(path, `${pin}\n`, { mode: 0o600 });
  const options: TokenModuleOptions = {
    library,
    profile: softhsm,
    pin: { from: "file", path },
    pinGuardFolder: join(folder, "guard"),
    environment: { ...token.environment },
    limits: { backoffMs: 1, backoffMaxMs: 2 },
  };
  return { folder, token, options, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export class Driver {
  readonly module: TokenModuleProcess;
  readonly losses: ModuleLoss[] = [];
  readonly notices: string[] = [];
  /** Ids in the order of their answers. */
  readonly answered: number[] = [];
  readonly #waiting = new Map<number, (answer: TokenAnswer | "lost") => void>();
  #id = 0;
  #started: (() => void)[] = [];
  #lost: ((loss: ModuleLoss) => void)[] = [];

  constructor(options: TokenModuleOptions) {
    this.module = new TokenModuleProcess(options, {
      ready: () => this.#started.splice(0).forEach((resolve) => resolve()),
      answered: (id, answer) => {
        this.answered.push(id);
        this.#waiting.get(id)?.(answer);
        this.#waiting.delete(id);
      },
      lost: (loss) => {
        this.losses.push(loss);
        for (const resolve of this.#waiting.values()) resolve("lost");
        this.#waiting.clear();
        this.#lost.splice(0).forEach((resolve) => resolve(loss));
      },
      notice: (text) => void this.notices.push(text),
    });
  }

  /** Resolves when a process is ready. */
  async start(): Promise<void> {
    const ready = new Promise<void>((resolve) => this.#started.push(resolve));
    this.module.restart();
    await ready;
  }

  nextLoss(): Promise<ModuleLoss> {
    return new Promise((resolve) => this.#lost.push(resolve));
  }

  send(call: TokenCall): Promise<TokenAnswer | "lost"> {
    const id = ++this.#id;
    const answer = new Promise<TokenAnswer | "lost">((resolve) => this.#waiting.set(id, resolve));
    this.module.call(id, call);
    return answer;
  }

  /** The return value; `lost` where there is none. */
  async rv(call: TokenCall): Promise<number | "lost"> {
    const answer = await this.send(call);
    return answer === "lost" ? answer : answer.rv;
  }

  /** What a call that must succeed gives. */
  async ask<Fn extends TokenFunction>(
    call: TokenCall & { readonly fn: Fn },
  ): Promise<TokenValues[Fn]> {
    const answer = await this.send(call);
    if (answer === "lost" || answer.rv !== 0) {
      throw new Error(`${call.fn}: ${answer === "lost" ? answer : answer.rv.toString(16)}`);
    }
    return answer.value as TokenValues[Fn];
  }

  /** From a fresh process to a session that is logged in. */
  async login(label: string): Promise<Handle> {
    await this.start();
    await this.ask({ fn: "initialize" });
    const session = await this.session(label);
    await this.ask({ fn: "login", session });
    return session;
  }

  async session(label: string): Promise<Handle> {
    const slots = await this.ask({ fn: "slots" });
    const { slot } = slots.find((one) => one.label === label)!;
    return await this.ask({ fn: "openSession", slot });
  }
}

/** What makes an AES key that may encrypt. */
export function aesTemplate(more: Template = []): Template {
  return [
    { type: cka.class, value: cko.secretKey },
    { type: cka.keyType, value: ckk.aes },
    { type: cka.valueLen, value: 32 },
    { type: cka.token, value: false },
    { type: cka.encrypt, value: true },
    { type: cka.decrypt, value: true },
    ...more,
  ];
}
