/** AES-GCM whose IV the device makes (`iv` null): the ciphertext begins with it, whoever puts it there. */
import type { Mechanism } from "../../../core/hsm/cryptoki/calls.js";
import { ckr } from "../../../core/hsm/cryptoki/constants.js";
import type { VendorProfile } from "../../../core/hsm/profile.js";
import type { NativeMechanism } from "./cryptoki.js";
import { MalformedCallError } from "./malformed.js";
import { nativeMechanism } from "./native.js";

export type GcmIvMaker = VendorProfile["gcmIv"];

const ivBytes = 12;

/** Answered as the device should have answered. */
class NoIvError extends Error {
  readonly code: number = ckr.mechanismParamInvalid;
}

export interface Encryption {
  readonly mechanism: NativeMechanism;
  /** What is given to the caller, of what the device gave. */
  readonly finish: (output: Buffer) => Uint8Array;
}

const asIs = (output: Buffer): Uint8Array => output;

export function encryptMechanism(mechanism: Mechanism, maker: GcmIvMaker): Encryption {
  if (!deviceMakesIv(mechanism, maker) || maker === "prepended") {
    return { mechanism: nativeMechanism(mechanism), finish: asIs };
  }
  // The device writes into these bytes; they must live, and stay where they are, until it is done.
  const iv = Buffer.alloc(ivBytes);
  const finish = (output: Buffer): Uint8Array => {
    // A ciphertext under an IV that nobody made must never leave: the next would have the same.
    if (iv.every((byte) => byte === 0)) throw new NoIvError("the device wrote no IV");
    return Buffer.concat([iv, output]);
  };
  return { mechanism: nativeMechanism(withIv(mechanism, iv)), finish };
}

export function decryptMechanism(
  mechanism: Mechanism,
  data: Buffer,
  maker: GcmIvMaker,
): { readonly mechanism: NativeMechanism; readonly data: Buffer } {
  if (!deviceMakesIv(mechanism, maker) || maker === "prepended") {
    return { mechanism: nativeMechanism(mechanism), data };
  }
  if (data.length < ivBytes) throw new MalformedCallError("a ciphertext begins with its IV");
  const iv = data.subarray(0, ivBytes);
  // The empty rest of a buffer is a NULL pointer unless a byte lies behind it, which a tag does.
  return { mechanism: nativeMechanism(withIv(mechanism, iv)), data: data.subarray(ivBytes) };
}

function deviceMakesIv({ parameter }: Mechanism, maker: GcmIvMaker): boolean {
  if (parameter?.kind !== "gcm" || parameter.iv !== null) return false;
  // Some libraries encrypt without any IV when none is given, always the same way.
  if (maker === "caller") throw new MalformedCallError("this device makes no IV");
  return true;
}

function withIv(mechanism: Mechanism, iv: Uint8Array): Mechanism {
  const { type, parameter } = mechanism;
  return parameter?.kind === "gcm" ? { type, parameter: { ...parameter, iv } } : mechanism;
}
