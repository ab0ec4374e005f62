/** The rules by which keys are judged, and where each is from. */
import type { RuleId } from "./contract.js";

export interface Rule {
  readonly id: RuleId;
  readonly title: string;
  readonly source: string;
  /** Its source was recalled, not looked up. */
  readonly recalled: boolean;
}

const table: Readonly<Record<RuleId, readonly [title: string, source: string, recalled: boolean]>> =
  {
    P1: ["lifetime of data keys", "NIST SP 800-57 part 1, 5.3.6, table 1", true],
    P2: ["lifetime of wrapping keys", "NIST SP 800-57 part 1, 5.3.6, table 1", true],
    P3: ["lifetime of private keys", "NIST SP 800-57 part 1, 5.3.6, table 1", true],
    P4: ["encryptions under random IVs", "NIST SP 800-38D, 8.3", true],
    P5: ["parameters of AES-GCM", "NIST SP 800-38D", true],
    P6: ["IVs in FIPS mode", "FIPS 140-3 implementation guidance C.H", true],
    P7: ["authenticated wrapping", "NIST SP 800-38F", false],
    P8: ["no PKCS #1 v1.5 for key transport", "NIST SP 800-131A", true],
    P9: [
      "strength of keys, and hashes that go with them",
      "NIST SP 800-57 part 1, tables 2 to 4",
      true,
    ],
    P10: ["a wrapping key as strong as what it wraps", "NIST SP 800-57 part 1", true],
    P11: ["one purpose for each key", "NIST SP 800-57 part 1, 5.2", true],
    P12: [
      "wrapping keys made inside, to stay there",
      "PKCS #11 attributes, read back from tokens",
      false,
    ],
    P13: [
      "extractable keys in envelopes only",
      "PKCS #11 CKA_WRAP_WITH_TRUSTED, seen on tokens",
      false,
    ],
    P14: ["the suites of the NSA", "summaries of CNSA 1.0 and 2.0", false],
    P15: ["the end of RSA and elliptic curves", "NIST IR 8547 (draft)", true],
    P16: ["OAEP with SHA-1", "NIST SP 800-131A", true],
    P17: ["limits of a data key", "AWS Encryption SDK, thresholds of its cache", false],
    P18: ["one login for each PIN", "lock-out rules of Luna and CloudHSM", false],
    P19: ["one key for each name", "tokens that were seen to accept the same name twice", false],
  };

export const rules: readonly Rule[] = (Object.keys(table) as RuleId[]).map(ruleOf);

export function ruleOf(id: RuleId): Rule {
  const [title, source, recalled] = table[id];
  return { id, title, source, recalled };
}
