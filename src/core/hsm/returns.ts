/** What a return value means for the machine, by its number alone. */
import type { HsmErrorCode } from "../ports/hsm.js";
import type { VendorProfile } from "./profile.js";
import { noCall } from "./cryptoki/calls.js";
import { ckr } from "./cryptoki/constants.js";

export type ReturnClass =
  /** The same again, after a wait. */
  | "retrySame"
  /** A handle names nothing any more: find the object anew. */
  | "staleHandle"
  | "newSession"
  | "relogin"
  | "reinitialize"
  /** Too fast: later. */
  | "throttled"
  /** This request will never work; others may. */
  | "fatal"
  /** Not again before a person has done something. */
  | "never";

/** The level of reconnection with which the machine begins. */
export const levelOf: Readonly<Record<ReturnClass, number>> = {
  retrySame: 0,
  throttled: 0,
  staleHandle: 0,
  newSession: 1,
  relogin: 2,
  reinitialize: 3,
  fatal: 0,
  never: 0,
};

export function classify(profile: VendorProfile, rv: number): ReturnClass {
  if (profile.throttleCodes.includes(rv)) return "throttled";
  return classOfReturn(rv);
}

/** Without what a vendor makes of it. */
export function classOfReturn(rv: number): ReturnClass {
  const known = classes.get(rv);
  if (known !== undefined) return known;
  // A number of the vendor's own says nothing to us: as good as a general error.
  return rv >= ckr.vendorDefined ? "newSession" : "fatal";
}

const classes: ReadonlyMap<number, ReturnClass> = new Map<number, ReturnClass>([
  [ckr.hostMemory, "retrySame"],
  [ckr.functionCanceled, "retrySame"],
  [ckr.keyHandleInvalid, "staleHandle"],
  [ckr.objectHandleInvalid, "staleHandle"],
  [ckr.unwrappingKeyHandleInvalid, "staleHandle"],
  [ckr.wrappingKeyHandleInvalid, "staleHandle"],
  [ckr.generalError, "newSession"],
  [ckr.functionFailed, "newSession"],
  [ckr.operationActive, "newSession"],
  [ckr.operationNotInitialized, "newSession"],
  [ckr.sessionClosed, "newSession"],
  [ckr.sessionCount, "newSession"],
  [ckr.sessionHandleInvalid, "newSession"],
  [ckr.sessionReadOnly, "newSession"],
  [ckr.bufferTooSmall, "newSession"],
  [ckr.userNotLoggedIn, "relogin"],
  [ckr.userAnotherAlreadyLoggedIn, "relogin"],
  [ckr.deviceError, "reinitialize"],
  [ckr.deviceRemoved, "reinitialize"],
  [ckr.slotIdInvalid, "reinitialize"],
  [ckr.tokenNotPresent, "reinitialize"],
  [ckr.tokenNotRecognized, "reinitialize"],
  [ckr.cryptokiNotInitialized, "reinitialize"],
  [ckr.pinIncorrect, "never"],
  [ckr.pinInvalid, "never"],
  [ckr.pinLenRange, "never"],
  [ckr.pinExpired, "never"],
  [ckr.pinLocked, "never"],
  [ckr.userPinNotInitialized, "never"],
  [noCall.pinGuarded, "never"],
]);

/** What a request is told that cannot work. */
export function errorCodeOf(rv: number): HsmErrorCode {
  switch (rv) {
    case ckr.deviceMemory:
      return "full";
    case ckr.functionNotSupported:
    case ckr.mechanismInvalid:
    case ckr.mechanismParamInvalid:
    case ckr.keySizeRange:
      return "unsupported";
    case ckr.dataInvalid:
    case ckr.dataLenRange:
      return "badInput";
    default:
      return "failed";
  }
}
