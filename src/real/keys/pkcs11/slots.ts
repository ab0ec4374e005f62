import type { SlotDescription, TokenAnswer, TokenCall } from "../../../core/hsm/cryptoki/calls.js";
import { TokenModuleProcess } from "./module-process.js";
import type { ModuleLoss, TokenModuleOptions } from "./token-module.js";

/** The process of a library is gone. `code` says why, `message` what to do. */
export class TokenModuleError extends Error {
  readonly code: ModuleLoss["code"] | "refused";
  /** Of the library, with `refused`; else 0. */
  readonly rv: number;

  constructor(code: ModuleLoss["code"] | "refused", message: string, rv = 0) {
    super(message);
    this.name = "TokenModuleError";
    this.code = code;
    this.rv = rv;
  }
}

/**
 * Every slot with a token: starts the library once, asks, and ends it. Needs no PIN. Rejected with
 * `TokenModuleError`, also when pkcs11js or the library is missing, which a store would wait for.
 */
export async function readSlots(
  options: Omit<TokenModuleOptions, "pin" | "user">,
): Promise<readonly SlotDescription[]> {
  const module = new OneCallAtATime(options);
  try {
    await module.start();
    await module.ask({ fn: "initialize" });
    const { value } = await module.ask({ fn: "slots" });
    return value as readonly SlotDescription[];
  } finally {
    await module.close();
  }
}

class OneCallAtATime {
  readonly #module: TokenModuleProcess;
  #resolve: (answer: TokenAnswer | null) => void = () => undefined;
  #reject: (error: TokenModuleError) => void = () => undefined;

  constructor(options: Omit<TokenModuleOptions, "pin" | "user">) {
    // Nobody logs in, so that it is all the same how a PIN would be made.
    const profile = { ...options.profile, pinFormat: "pin" } as const;
    this.#module = new TokenModuleProcess(
      { ...options, profile, pin: null },
      {
        ready: () => this.#resolve(null),
        answered: (_id, answer) => this.#resolve(answer),
        lost: ({ code, message }) => this.#reject(new TokenModuleError(code, message)),
      },
    );
  }

  async start(): Promise<void> {
    await this.#next(() => this.#module.restart());
  }

  async ask(call: TokenCall): Promise<TokenAnswer & { readonly rv: 0 }> {
    const answer = await this.#next(() => this.#module.call(1, call));
    if (answer?.rv === 0) return answer as TokenAnswer & { readonly rv: 0 };
    const rv = answer?.rv ?? 0;
    throw new TokenModuleError("refused", `${call.fn} answered 0x${rv.toString(16)}`, rv);
  }

  close(): Promise<void> {
    return this.#module.close();
  }

  #next(begin: () => void): Promise<TokenAnswer | null> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      begin();
    });
  }
}
