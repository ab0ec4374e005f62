/** What a call of a simulated module has at hand, and the shapes of its answers. */
import type { TokenAnswer, TokenFunction, TokenValues } from "../../core/hsm/cryptoki/calls.js";
import type { VendorProfile } from "../../core/hsm/profile.js";
import type { TokenCrypto } from "./crypto.js";
import type { ObjectTable } from "./objects.js";
import type { DurableToken } from "./token.js";

export interface ModuleContext {
  readonly profile: VendorProfile;
  readonly crypto: TokenCrypto;
  readonly token: DurableToken;
  readonly objects: ObjectTable;
  /** Private objects may be seen, used and made. */
  readonly loggedIn: boolean;
}

export function ok<Fn extends TokenFunction>(value: TokenValues[Fn]): TokenAnswer<Fn> {
  return { rv: 0, value };
}

export function refused(rv: number): TokenAnswer<never> {
  return { rv, value: null };
}
