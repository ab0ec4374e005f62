/** Whatever is wrong with a ciphertext has one answer, and costs the same calls before it. */
import { check } from "./prove.js";
import { ckr } from "./cryptoki/constants.js";
import { type Flow, fail } from "./flow.js";
import { errorCodeOf } from "./returns.js";
import type { Work } from "./state.js";

/** Modules answer so to a wrong tag; any of these may also be real trouble. */
export const doubtfulRefusals: readonly number[] = [ckr.generalError, ckr.functionFailed];

/** Not about the ciphertext: the key or the token will not do it at all. */
const plainRefusals: readonly number[] = [
  ckr.functionNotSupported,
  ckr.keyFunctionNotPermitted,
  ckr.mechanismInvalid,
  ckr.templateIncomplete,
  ckr.templateInconsistent,
  ckr.attributeReadOnly,
  ckr.attributeTypeInvalid,
];

/** `rv` is what decrypting or unwrapping was refused with; never told unless it is a plain refusal. */
export function* notAuthentic(work: Work, during: string, rv: number): Flow<never> {
  if (plainRefusals.includes(rv)) return yield* fail(errorCodeOf(rv), during, rv);
  // A token that cannot open what it sealed itself says nothing about this ciphertext.
  yield* check(work);
  return yield* fail("authenticationFailed", during);
}
