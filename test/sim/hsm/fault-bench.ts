/** A simulated module with one fault, and the calls that meet it. */
import type {
  Template,
  TokenAnswer,
  TokenCall,
  TokenValues,
} from "../../../src/core/hsm/cryptoki/calls.js";
import { cka, ckk, ckm, cko } from "../../../src/core/hsm/cryptoki/constants.js";
import { curveOfBits } from "../../../src/core/hsm/der.js";
import { vendorProfile } from "../../../src/core/hsm/profiles/index.js";
import { cheapCrypto } from "../../../src/sim/hsm/cheap-crypto.js";
import {
  type TokenFaultEffect,
  type TokenFaultRule,
  TokenFaults,
} from "../../../src/sim/hsm/faults.js";
import { FaultyToken } from "../../../src/sim/hsm/faulty-token.js";
import { SimToken, tokenSlot } from "../../../src/sim/hsm/module.js";
import type { DurableToken } from "../../../src/sim/hsm/token.js";
import { newToken } from "./token-rig.js";

export const keyTemplate = (label: number, token = true): Template => [
  { type: cka.class, value: cko.secretKey },
  { type: cka.keyType, value: ckk.aes },
  { type: cka.token, value: token },
  { type: cka.id, value: Uint8Array.of(label) },
  { type: cka.sensitive, value: true },
  { type: cka.valueLen, value: 32 },
];
const gcm = {
  type: ckm.aesGcm,
  parameter: {
    kind: "gcm",
    iv: new Uint8Array(12),
    associatedData: new Uint8Array(0),
    tagBits: 128,
  },
} as const;

/** A rule that strikes more than once. */
export const always: { readonly every: true } = { every: true };

/** One session, logged in, with two keys, and a fault that strikes from `armed` on. */
export class Bench {
  nowUs = 0;
  readonly token: DurableToken = newToken();
  readonly rejectedPins: Set<string> = new Set();
  readonly faults: TokenFaults;
  faulty: FaultyToken;
  session = "";
  keys: string[] = [];

  constructor(effect: TokenFaultEffect, given: Partial<TokenFaultRule> & { every?: true } = {}) {
    const { every, ...rule } = given;
    const nth = every === undefined ? { nth: 1 } : {};
    const whole = { id: 1, chance: 1000, fromUs: 1000, toUs: 2000, ...nth, effect, ...rule };
    this.faults = new TokenFaults([whole], () => 0);
    this.faulty = this.restart();
    this.open();
    this.keys = [1, 2].map((label) =>
      this.value({
        fn: "generateKey",
        session: this.session,
        mechanism: { type: ckm.aesKeyGen },
        template: keyTemplate(label),
      }),
    );
    this.nowUs = 1000;
  }

  restart(): FaultyToken {
    const { token, rejectedPins } = this;
    const profile = vendorProfile("softhsm");
    const pin = (): string => "1234";
    const options = { token, profile, crypto: cheapCrypto, pin, rejectedPins };
    this.faulty = new FaultyToken(new SimToken(options), this.faults);
    return this.faulty;
  }

  open(): void {
    this.value({ fn: "initialize" });
    this.session = this.value({ fn: "openSession", slot: tokenSlot });
    this.value({ fn: "login", session: this.session });
  }

  call(call: TokenCall): TokenAnswer | null {
    return this.faulty.call(this.nowUs, call).answer;
  }

  rv(call: TokenCall): number {
    return this.call(call)!.rv;
  }

  value<C extends TokenCall>(call: C): TokenValues[C["fn"]] {
    const answer = this.call(call)!;
    if (answer.rv !== 0) throw new Error(`${call.fn} gave ${answer.rv}`);
    return answer.value as TokenValues[C["fn"]];
  }

  get random(): TokenCall {
    return { fn: "generateRandom", session: this.session, lengthBytes: 8 };
  }

  get info(): TokenCall & { fn: "sessionInfo" } {
    return { fn: "sessionInfo", session: this.session };
  }

  get encrypt(): TokenCall & { fn: "encrypt" } {
    const data = Uint8Array.of(1, 2, 3);
    return { fn: "encrypt", session: this.session, mechanism: gcm, key: this.keys[0]!, data };
  }

  get find(): TokenCall & { fn: "find" } {
    const template = keyTemplate(0).slice(0, 2);
    return { fn: "find", session: this.session, template, max: 9 };
  }

  get pair(): TokenCall & { fn: "generateKeyPair" } {
    const lasts = { type: cka.token, value: true };
    const parameters = { type: cka.ecParams, value: curveOfBits(256)!.parameters };
    return {
      fn: "generateKeyPair",
      session: this.session,
      mechanism: { type: ckm.ecKeyPairGen },
      publicTemplate: [lasts, parameters],
      privateTemplate: [lasts],
    };
  }

  get generate(): TokenCall & { fn: "generateKey" } {
    const mechanism = { type: ckm.aesKeyGen };
    return { fn: "generateKey", session: this.session, mechanism, template: keyTemplate(3) };
  }

  effective(): number {
    return this.faults.counts.get(1)!.effective;
  }
}
