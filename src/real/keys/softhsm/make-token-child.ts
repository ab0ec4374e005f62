/** Reads what to make from standard input, makes it, and prints where it is. */
import { readFileSync } from "node:fs";
import { type Cryptoki, loadCryptoki, osLockingOk } from "../pkcs11/cryptoki.js";

export interface TokenToMake {
  readonly library: string;
  /** At most 32 bytes. */
  readonly label: string;
  readonly soPin: string;
  readonly pin: string;
}

/** No slot number: it changes when the library is initialised anew. */
export interface MadeToken {
  readonly serial: string;
}

const labelBytes = 32;
const readWriteSerial = 6;
const securityOfficer = 0;
const tokenInitialized = 0x400;

const token = JSON.parse(readFileSync(0, "utf8")) as TokenToMake;
try {
  process.stdout.write(JSON.stringify(make(await loadCryptoki(token.library), token)));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

function make(cryptoki: Cryptoki, { label, soPin, pin }: TokenToMake): MadeToken {
  cryptoki.C_Initialize({ flags: osLockingOk });
  const slots = cryptoki.C_GetSlotList(true);
  const free = slots.find((slot) => (cryptoki.C_GetTokenInfo(slot).flags & tokenInitialized) === 0);
  if (free === undefined) throw new Error("no slot is free");
  const before = serialsOf(cryptoki, slots);
  cryptoki.C_InitToken(
    free,
    soPin,
    label.padEnd(labelBytes - Buffer.byteLength(label) + label.length),
  );
  // The new token may be in a slot of another number now.
  const slot = cryptoki.C_GetSlotList(true).find((at) => isNew(cryptoki, at, before));
  if (slot === undefined) throw new Error("the token that was made is not there");
  const session = cryptoki.C_OpenSession(slot, readWriteSerial);
  cryptoki.C_Login(session, securityOfficer, soPin);
  cryptoki.C_InitPIN(session, pin);
  const { serialNumber } = cryptoki.C_GetTokenInfo(slot);
  cryptoki.C_Finalize();
  return { serial: serialNumber.trimEnd() };
}

function serialsOf(cryptoki: Cryptoki, slots: readonly Buffer[]): ReadonlySet<string> {
  return new Set(slots.map((slot) => cryptoki.C_GetTokenInfo(slot).serialNumber));
}

function isNew(cryptoki: Cryptoki, slot: Buffer, before: ReadonlySet<string>): boolean {
  const { flags, serialNumber } = cryptoki.C_GetTokenInfo(slot);
  return (flags & tokenInitialized) !== 0 && !before.has(serialNumber);
}
