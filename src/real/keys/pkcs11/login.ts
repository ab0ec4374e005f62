import { noCall } from "../../../core/hsm/cryptoki/calls.js";
import { ckr } from "../../../core/hsm/cryptoki/constants.js";
import type { Cryptoki } from "./cryptoki.js";
import { type PinEncoding, type PinSource, fetchPin } from "./pin.js";
import type { PinGuard } from "./pin-guard.js";
import { returnValueOf } from "./return-value.js";

const user = 1;

export interface LoginSetup {
  readonly source: PinSource | null;
  readonly encoding: PinEncoding;
  readonly guard: PinGuard;
  /** For people; never told a secret. */
  readonly notice: (text: string) => void;
}

/** C_Login as CKU_USER with a PIN that is fetched now, unless the guard knows better. */
export function loginWith(cryptoki: Cryptoki, setup: LoginSetup): (session: Buffer) => number {
  return (session) => {
    // Throws as the token does: without its serial nobody knows what it has rejected.
    const { slotID } = cryptoki.C_GetSessionInfo(session);
    const serial = cryptoki.C_GetTokenInfo(slotID).serialNumber.trimEnd();
    const { pin, why } = fetchPin(setup.source, setup.encoding, setup.notice);
    if (pin === null) {
      setup.notice(`no login: ${why}`);
      return noCall.pinMissing;
    }
    try {
      return guardedLogin(cryptoki, session, { setup, serial, pin });
    } finally {
      pin.fill(0);
    }
  };
}

function guardedLogin(
  cryptoki: Cryptoki,
  session: Buffer,
  {
    setup,
    serial,
    pin,
  }: { readonly setup: LoginSetup; readonly serial: string; readonly pin: Buffer },
): number {
  const { guard, notice, encoding } = setup;
  // Nothing is rejected where nothing is looked at.
  const guards = encoding.format !== "ignored";
  const refused = guards ? guard.begin(serial, pin) : null;
  if (refused !== null) {
    notice(`no login to token ${serial}: ${refused}`);
    return noCall.pinGuarded;
  }
  const rv = login(cryptoki, session, pin);
  if (guards && !guard.end(serial, pin, rv)) notice("the guard of the PIN could not be written");
  return rv;
}

function login(cryptoki: Cryptoki, session: Buffer, pin: Buffer): number {
  try {
    cryptoki.C_Login(session, user, pin.toString("utf8"));
    return ckr.ok;
  } catch (error) {
    return returnValueOf(error) ?? noCall.malformed;
  }
}
