/** Calls to a simulated module, as an application makes them. */
import type {
  Handle,
  Mechanism,
  Template,
  TokenCall,
  TokenValues,
} from "../../../src/core/hsm/cryptoki/calls.js";
import { cka, ckk, ckm, cko } from "../../../src/core/hsm/cryptoki/constants.js";
import { vendorProfile } from "../../../src/core/hsm/profiles/index.js";
import type { VendorProfile } from "../../../src/core/hsm/profile.js";
import { cheapCrypto } from "../../../src/sim/hsm/cheap-crypto.js";
import { SimToken, tokenSlot } from "../../../src/sim/hsm/module.js";
import type { DurableToken } from "../../../src/sim/hsm/token.js";
import { newToken } from "./token-rig.js";

export const gcm = (iv = new Uint8Array(12), tagBits = 128): Mechanism => ({
  type: ckm.aesGcm,
  parameter: { kind: "gcm", iv, associatedData: new Uint8Array(0), tagBits },
});
export const aesGen: Mechanism = { type: ckm.aesKeyGen };
export const set = (type: number, value: boolean): Template => [{ type, value }];
export const lasting: Template = set(cka.token, true);

export class Client {
  readonly token: DurableToken;
  readonly module: SimToken;
  nowUs = 0;
  /** What the process believes to be the PIN. */
  pin: string | null = "1234";
  readonly rejectedPins: Set<string> = new Set();
  session: Handle;

  /** Initialised, with a session, and logged in unless told otherwise. */
  constructor(
    profile: VendorProfile = vendorProfile("softhsm"),
    login = true,
    token: DurableToken = newToken(),
  ) {
    this.token = token;
    this.module = new SimToken({
      token,
      profile,
      crypto: cheapCrypto,
      pin: () => this.pin,
      rejectedPins: this.rejectedPins,
    });
    this.value({ fn: "initialize" });
    this.session = this.open();
    if (login) this.value({ fn: "login", session: this.session });
  }

  open(): Handle {
    return this.value({ fn: "openSession", slot: tokenSlot });
  }

  rv(call: TokenCall): number {
    return this.module.call(this.nowUs, call).rv;
  }

  value<C extends TokenCall>(call: C): TokenValues[C["fn"]] {
    const { rv, value } = this.module.call(this.nowUs, call);
    if (rv !== 0) throw new Error(`${call.fn} gave ${rv}`);
    return value as TokenValues[C["fn"]];
  }

  readonly aesTemplate: Template = [
    { type: cka.class, value: cko.secretKey },
    { type: cka.keyType, value: ckk.aes },
    { type: cka.valueLen, value: 32 },
  ];

  generate(template: Template = this.aesTemplate, session: Handle = this.session): Handle {
    return this.value({
      fn: "generateKey",
      session,
      mechanism: { type: ckm.aesKeyGen },
      template,
    });
  }

  read(object: Handle, ...types: readonly number[]): readonly Uint8Array[] {
    return this.value({ fn: "attributes", session: this.session, object, types });
  }

  readRv(object: Handle, ...types: readonly number[]): number {
    return this.rv({ fn: "attributes", session: this.session, object, types });
  }
}
