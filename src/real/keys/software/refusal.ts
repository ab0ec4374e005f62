/** How the parts of `SoftwareHsm` say no: thrown inside, an `HsmError` outside. */
import type { HsmError, HsmErrorCode } from "../../../core/ports/hsm.js";
import { KeyFileError, type KeyFileProblem } from "./key-file-error.js";

export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: HsmErrorCode;
  readonly policy: string | null;

  constructor(code: HsmErrorCode, policy: string | null = null) {
    super(policy === null ? code : `${code} (${policy})`);
    this.code = code;
    this.policy = policy;
  }
}

/** Refused by a rule of the policies P1 to P19. */
export function refusedBy(policy: string): Refusal {
  return new Refusal("refusedByPolicy", policy);
}

/** What is wrong with a file, as its user sees it. Others need a person: they are `failed`. */
const codesOfFile: Partial<Record<KeyFileProblem, HsmErrorCode>> = {
  missing: "unavailable",
  unreadable: "unavailable",
  unwritable: "unavailable",
  busy: "unavailable",
  closed: "unavailable",
  unsynced: "unknownOutcome",
  full: "full",
};

export function hsmErrorOf(error: unknown, during: string): HsmError {
  if (error instanceof Refusal) {
    return { code: error.code, rv: 0, policy: error.policy, during };
  }
  if (error instanceof KeyFileError) {
    const code = codesOfFile[error.code] ?? "failed";
    return { code, rv: 0, policy: null, during: `${during}, key file ${error.code}` };
  }
  return { code: "failed", rv: 0, policy: null, during };
}
