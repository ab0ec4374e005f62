/** A machine that drives a simulated token. */
import type { TokenAnswer, TokenCall } from "../../../src/core/hsm/cryptoki/calls.js";
import type { KeySpec } from "../../../src/core/hsm/keys.js";
import type { HsmMachineOptions } from "../../../src/core/hsm/options.js";
import { vendorProfile } from "../../../src/core/hsm/profiles/index.js";
import type { VendorProfile } from "../../../src/core/hsm/profile.js";
import { nextWord, seededRandom } from "../../../src/core/random.js";
import { cheapCrypto } from "../../../src/sim/hsm/cheap-crypto.js";
import type { TokenCrypto } from "../../../src/sim/hsm/crypto.js";
import { TokenFaults, type TokenFaultRule } from "../../../src/sim/hsm/faults.js";
import { FaultyToken, type TokenReply } from "../../../src/sim/hsm/faulty-token.js";
import { SimToken } from "../../../src/sim/hsm/module.js";
import { DurableToken } from "../../../src/sim/hsm/token.js";
import { Rig } from "../../core/hsm/rig.js";

export interface RigSetup {
  readonly profile?: VendorProfile;
  readonly crypto?: TokenCrypto;
  readonly options?: Partial<HsmMachineOptions>;
  readonly token?: DurableToken;
  readonly seed?: number;
  readonly faults?: readonly TokenFaultRule[];
}

export interface TokenRig {
  readonly rig: Rig<RigModule>;
  readonly token: DurableToken;
  readonly faults: TokenFaults;
}

/** A module whose clock is the rig's. */
export interface RigModule {
  call(call: TokenCall): TokenAnswer;
  readonly sim: SimToken;
  readonly faulty: FaultyToken;
}

export function newToken(seed = 1, objectsMax = Infinity): DurableToken {
  return new DurableToken({
    label: "t1",
    serial: "s1",
    pin: "1234",
    seed: [seed, 5, 5, 5],
    objectsMax,
  });
}

export function tokenRig(setup: RigSetup = {}): TokenRig {
  const { profile = vendorProfile("softhsm"), crypto = cheapCrypto, seed = 1 } = setup;
  const token = setup.token ?? newToken(seed);
  const rejectedPins = new Set<string>();
  const words = seededRandom([seed, 9, 9, 9]);
  const faults = new TokenFaults(setup.faults ?? [], () => nextWord(words));
  let reply: TokenReply | null = null;
  const module = (): RigModule => {
    const sim = new SimToken({ token, profile, crypto, pin: () => "1234", rejectedPins });
    return { sim, faulty: new FaultyToken(sim, faults), call: () => reply!.answer! };
  };
  const rig: Rig<RigModule> = new Rig(module, { profile, ...setup.options }, seed);
  rig.fault = (call) => {
    reply = rig.module!.faulty.call(rig.now, call);
    rig.now += reply.delayUs;
    return reply.answer === null ? { kind: "hang" } : null;
  };
  return { rig, token, faults };
}

/** Of a key that never leaves the token. */
export const spec = (
  algorithm: KeySpec["algorithm"],
  bits: number,
  purpose: KeySpec["purpose"],
): KeySpec => ({
  algorithm,
  bits,
  purpose,
  exportable: false,
});
