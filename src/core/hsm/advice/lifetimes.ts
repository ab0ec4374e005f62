/** P1, P2, P3 and P15: how long a key may be used. */
import type { KeyFacts, Finding, RuleId } from "./contract.js";

const dayMs = 86_400_000;
/** The table counts in years; a leap day more or less decides nothing. */
export const yearMs: number = 365 * dayMs;

/** The first moment of 2031 and of 2036, UTC. */
export const deprecatedFromMs: number = 22_280 * dayMs;
export const disallowedFromMs: number = 24_106 * dayMs;
/** A key that is made now serves for about so long. */
const planningYears = 3;

interface Lifetime {
  readonly rule: RuleId;
  readonly years: number;
  /** Thereafter it may still open what it sealed. */
  readonly openingYears: number;
}

export function lifetimeFindings(facts: KeyFacts, nowMs: number): readonly Finding[] {
  const { createdMs, description } = facts;
  if (createdMs === null) return [];
  const key = description.reference;
  const { rule, years, openingYears } = lifetimeOf(facts);
  const ageMs = nowMs - createdMs;
  if (ageMs <= years * yearMs) return [];
  const over = ageMs > (years + openingYears) * yearMs;
  const reason = `it is ${yearsOf(ageMs)} years old, and its time is ${years}`;
  if (!over) {
    return [{ rule, severity: "warning", key, reason, action: "make the next version" }];
  }
  const action =
    openingYears === 0
      ? "make the next version, and sign with this one no more"
      : "seal anew under the next version what it still opens, then delete it";
  return [{ rule, severity: "critical", key, reason, action }];
}

export function endOfAlgorithmFindings(
  { description }: KeyFacts,
  nowMs: number,
): readonly Finding[] {
  const key = description.reference;
  if (key.spec.algorithm === "aes") return [];
  const kind = key.spec.algorithm === "rsa" ? "RSA" : "ECC";
  const action = "plan for ML-KEM and ML-DSA, and a token that has them";
  const found = (severity: Finding["severity"], reason: string): readonly Finding[] => [
    { rule: "P15", severity, key, reason, action },
  ];
  if (nowMs >= disallowedFromMs) return found("critical", `${kind} is disallowed after 2035`);
  if (nowMs >= deprecatedFromMs) return found("warning", `${kind} is deprecated after 2030`);
  return nowMs + planningYears * yearMs < deprecatedFromMs
    ? []
    : found("info", `${kind} is deprecated after 2030, within the life of a key that is made now`);
}

function lifetimeOf({ description }: KeyFacts): Lifetime {
  const { algorithm, purpose } = description.reference.spec;
  if (purpose === "sign") return { rule: "P3", years: 3, openingYears: 0 };
  if (algorithm === "rsa") return { rule: "P3", years: 2, openingYears: 3 };
  return { rule: purpose === "wrap" ? "P2" : "P1", years: 2, openingYears: 3 };
}

function yearsOf(ms: number): string {
  return String(Math.floor((ms / yearMs) * 10) / 10);
}
