/** P11, P12, P13 and P19: what keys may do, where they may go, and what they are called. */
import type { KeyAttributes, KeyUse } from "../keys.js";
import type { AdviceInput, Finding, KeeperFacts, KeyFacts } from "./contract.js";

/** Of each, one key should have no more than one. */
const purposes: readonly (readonly KeyUse[])[] = [
  ["encrypt", "decrypt"],
  ["wrap", "unwrap"],
  ["sign", "verify"],
];

/** With both of a pair a key shows other keys to whoever may use it. */
const extractions: readonly (readonly [KeyUse, KeyUse])[] = [
  ["wrap", "decrypt"],
  ["unwrap", "encrypt"],
];

export function purposeFindings({ description }: KeyFacts): readonly Finding[] {
  const key = description.reference;
  const { uses } = description.attributes;
  const pair = extractions.find((both) => both.every((use) => uses.includes(use)));
  if (pair !== undefined) {
    const reason = `it may ${pair[0]} and ${pair[1]}, and so show the keys that it wraps`;
    const action = "replace it by two keys, one for each";
    return [{ rule: "P11", severity: "critical", key, reason, action }];
  }
  const had = purposes.filter((purpose) => purpose.some((use) => uses.includes(use)));
  if (had.length < 2) return [];
  const reason = `it has more than one purpose: ${uses.join(", ")}`;
  const action = "make a key for each purpose";
  return [{ rule: "P11", severity: "warning", key, reason, action }];
}

type Flag = Exclude<keyof KeyAttributes, "uses">;

/** As they must read back from the token. */
const ofWrappingKeys: readonly (readonly [Flag, boolean])[] = [
  ["token", true],
  ["private", true],
  ["sensitive", true],
  ["extractable", false],
  ["alwaysSensitive", true],
  ["neverExtractable", true],
  ["local", true],
];

export function wrappingKeyFindings({ description }: KeyFacts): readonly Finding[] {
  const key = description.reference;
  if (key.spec.purpose !== "wrap") return [];
  const { attributes } = description;
  const wrong = ofWrappingKeys.filter(([flag, wanted]) => attributes[flag] === !wanted);
  if (wrong.length > 0) {
    const shown = wrong.map(([flag, wanted]) => `${flag} is ${String(!wanted)}`).join(", ");
    const action = "make a new one inside the token, and wrap anew under it";
    return [{ rule: "P12", severity: "critical", key, reason: shown, action }];
  }
  const untold = ofWrappingKeys.filter(([flag]) => attributes[flag] === null);
  if (untold.length === 0) return [];
  const reason = `the token does not tell ${untold.map(([flag]) => flag).join(", ")}`;
  const action = "look it up in the token's own tools";
  return [{ rule: "P12", severity: "info", key, reason, action }];
}

export function extractableFindings(
  { description }: KeyFacts,
  { envelopes }: KeeperFacts,
): readonly Finding[] {
  const key = description.reference;
  const { extractable, token } = description.attributes;
  if (extractable !== true) return [];
  if (token === true) {
    const reason = "it may leave the token and is kept there for good";
    const action = "keep it wrapped, and unwrap it for a session";
    return [{ rule: "P13", severity: "warning", key, reason, action }];
  }
  if (envelopes) return [];
  const reason = "it may leave the token, and nothing says that it is meant to";
  const action = "make it not extractable, or set CKA_WRAP_WITH_TRUSTED";
  return [{ rule: "P13", severity: "warning", key, reason, action }];
}

export function duplicateFindings({ keys }: AdviceInput): readonly Finding[] {
  const seen = new Set<string>();
  const found: Finding[] = [];
  for (const { description } of keys) {
    const { reference: key } = description;
    const action = "find out which one is meant, and delete the other";
    const names = [`${key.label} version ${key.version}`, `the id ${key.id}`];
    for (const name of names) {
      if (seen.has(name)) {
        const reason = `more than one key has ${name}`;
        found.push({ rule: "P19", severity: "critical", key, reason, action });
      }
      seen.add(name);
    }
  }
  return found;
}
