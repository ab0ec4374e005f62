/** P9, P10 and P14: whether keys are strong enough, alone and for what they protect. */
import type { AdviceInput, Finding, KeyFacts } from "./contract.js";
import { deprecatedFromMs } from "./lifetimes.js";

const weakModulusBits = 2_048;
/** That an RSA modulus must have to be as strong as AES-256. */
const modulusBitsOfAes256 = 15_360;

export function strengthFindings(
  { description, signsWith }: KeyFacts,
  nowMs: number,
): readonly Finding[] {
  const key = description.reference;
  const { algorithm, bits } = key.spec;
  const found: Finding[] = [];
  if (algorithm === "rsa" && bits < weakModulusBits) {
    const reason = `RSA with ${bits} bits has less than 112 bits of strength`;
    found.push({ rule: "P9", severity: "critical", key, reason, action: "use 3,072 bits, now" });
  } else if (algorithm === "rsa" && bits < 3_072) {
    const severity = nowMs < deprecatedFromMs ? "info" : "critical";
    const reason = `RSA with ${bits} bits has 112 bits of strength, which serve until 2030`;
    found.push({
      rule: "P9",
      severity,
      key,
      reason,
      action: "use 3,072 bits for the next version",
    });
  }
  for (const used of signsWith) {
    const curveBits = { "ecdsa-p256-sha256": 256, "ecdsa-p384-sha384": 384 }[used as string];
    if (algorithm !== "ec" || curveBits === undefined || curveBits === bits) continue;
    const reason = `a key on P-${bits} signs with ${used}`;
    const action = "use SHA-256 with P-256, and SHA-384 with P-384";
    found.push({ rule: "P9", severity: "warning", key, reason, action });
  }
  return found;
}

/** Data keys have 256 bits here. */
export function wrappingStrengthFindings({ description }: KeyFacts): readonly Finding[] {
  const key = description.reference;
  const { algorithm, bits, purpose } = key.spec;
  if (purpose !== "wrap" || algorithm !== "rsa" || bits >= modulusBitsOfAes256) return [];
  const reason = `RSA with ${bits} bits wraps keys of AES-256, which are stronger`;
  const action = "wrap under an AES key where both sides can have one";
  return [{ rule: "P10", severity: "warning", key, reason, action }];
}

export function suiteFindings({ keys, keeper: { suite } }: AdviceInput): readonly Finding[] {
  if (suite === null) return [];
  return keys.flatMap(({ description: { reference: key } }) => {
    const { algorithm, bits } = key.spec;
    const inFirst =
      (algorithm === "aes" && bits === 256) ||
      (algorithm === "rsa" && bits >= 3_072) ||
      (algorithm === "ec" && bits === 384);
    const isIn = suite === "cnsa-1" ? inFirst : algorithm === "aes" && bits === 256;
    if (isIn) return [];
    const name = suite === "cnsa-1" ? "CNSA 1.0" : "CNSA 2.0";
    const reason = `${algorithm.toUpperCase()} with ${bits} bits is not in ${name}`;
    const action =
      suite === "cnsa-1"
        ? "use AES-256, RSA of 3,072 bits or more, or P-384"
        : "use AES-256; for key transport and signatures ML-KEM-1024 and ML-DSA-87";
    return [{ rule: "P14", severity: "warning", key, reason, action } as const];
  });
}
