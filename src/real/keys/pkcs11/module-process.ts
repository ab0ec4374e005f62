import { assert } from "../../../core/assert.js";
import type { TokenCall } from "../../../core/hsm/cryptoki/calls.js";
import { ChildLink, type LinkOptions } from "./child-link.js";
import { pinDescriptor } from "./child-setup.js";
import { childEnvironment } from "./environment.js";
import { pinEncoding } from "./pin.js";
import { attemptsMaxOf } from "./pin-guard.js";
import {
  type ModuleLoss,
  type TokenModule,
  type TokenModuleEvents,
  type TokenModuleLimits,
  type TokenModuleOptions,
  tokenModuleLimitsDefault,
} from "./token-module.js";

/**
 * Full jitter, so that many nodes which lost one device do not come back in step. `draw`: from 0 up to 1.
 */
export function restartDelayMs(
  youngDeaths: number,
  { backoffMs, backoffMaxMs }: Pick<TokenModuleLimits, "backoffMs" | "backoffMaxMs">,
  draw: number,
): number {
  if (youngDeaths === 0) return 0;
  return draw * Math.min(backoffMaxMs, backoffMs * 2 ** (youngDeaths - 1));
}

/** Starts, watches and replaces the processes of one library, one at a time. */
export class TokenModuleProcess implements TokenModule {
  readonly #events: TokenModuleEvents;
  readonly #limits: TokenModuleLimits;
  readonly #linkOptions: LinkOptions;
  #link: ChildLink | null = null;
  #waiting: NodeJS.Timeout | null = null;
  /** Processes in a row that died young. */
  #youngDeaths = 0;
  #closed = false;

  /** Throws when the PIN of that vendor cannot be made of what is given. */
  constructor(options: TokenModuleOptions, events: TokenModuleEvents) {
    this.#events = events;
    this.#limits = { ...tokenModuleLimitsDefault, ...options.limits };
    this.#linkOptions = this.#linkOptionsOf(options);
  }

  restart(): void {
    assert(!this.#closed, "nothing is started after the end");
    if (this.#link !== null) {
      this.#count(this.#link);
      this.#link.kill();
    }
    this.#link = null;
    if (this.#waiting !== null) clearTimeout(this.#waiting);
    const delayMs = restartDelayMs(this.#youngDeaths, this.#limits, Math.random());
    this.#waiting = setTimeout(() => this.#start(), delayMs);
  }

  call(id: number, call: TokenCall): void {
    this.#link?.call(id, call);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#waiting !== null) clearTimeout(this.#waiting);
    this.#waiting = null;
    const link = this.#link;
    this.#link = null;
    await link?.close();
  }

  #start(): void {
    this.#waiting = null;
    const link: ChildLink = new ChildLink(this.#linkOptions, {
      ready: () => this.#events.ready(),
      answered: (id, answer) => this.#events.answered(id, answer),
      notice: (text) => this.#events.notice?.(text),
      lost: (loss) => this.#lost(link, loss),
    });
    this.#link = link;
  }

  #lost(link: ChildLink, loss: ModuleLoss): void {
    this.#count(link);
    this.#link = null;
    this.#events.lost(loss);
  }

  #count(link: ChildLink): void {
    this.#youngDeaths = link.readyMs >= this.#limits.settledMs ? 0 : this.#youngDeaths + 1;
  }

  #linkOptionsOf({
    library,
    profile,
    pin,
    user,
    pinGuardFolder,
    environment,
  }: TokenModuleOptions): LinkOptions {
    const fromDescriptor = pin?.from === "descriptor";
    return {
      limits: this.#limits,
      environment: childEnvironment(process.env, profile.environment, pin, environment ?? {}),
      pinDescriptor: fromDescriptor ? pin.descriptor : null,
      setup: {
        library,
        gcmIv: profile.gcmIv,
        pin: fromDescriptor ? { from: "descriptor", descriptor: pinDescriptor } : pin,
        pinEncoding: pinEncoding(profile.pinFormat, user),
        pinGuardFolder,
        loginAttemptsMax: attemptsMaxOf(profile.lockOut),
      },
    };
  }
}
