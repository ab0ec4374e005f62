/** Advice on keys, by rules that name their sources. */
import type { AdviceInput, Finding, Recommendation, Severity } from "./contract.js";
import { countFindings, dataKeyFindings, gcmFindings } from "./encryption.js";
import { endOfAlgorithmFindings, lifetimeFindings } from "./lifetimes.js";
import { ruleOf } from "./rules.js";
import { strengthFindings, suiteFindings, wrappingStrengthFindings } from "./strengths.js";
import {
  duplicateFindings,
  extractableFindings,
  purposeFindings,
  wrappingKeyFindings,
} from "./uses.js";
import { loginFindings, mechanismFindings } from "./wrapping.js";

const severities: readonly Severity[] = ["critical", "warning", "info"];

/** The worst first; of equal ones in the order of the rules. */
export function advise(input: AdviceInput): readonly Recommendation[] {
  const { keys, keeper, nowMs } = input;
  const found: Finding[] = [
    ...keys.flatMap((facts) => [
      ...lifetimeFindings(facts, nowMs),
      ...countFindings(facts, keeper),
      ...strengthFindings(facts, nowMs),
      ...wrappingStrengthFindings(facts),
      ...purposeFindings(facts),
      ...wrappingKeyFindings(facts),
      ...extractableFindings(facts, keeper),
      ...endOfAlgorithmFindings(facts, nowMs),
    ]),
    ...gcmFindings(keeper),
    ...mechanismFindings(keeper),
    ...suiteFindings(input),
    ...dataKeyFindings(keeper),
    ...loginFindings(keeper),
    ...duplicateFindings(input),
  ];
  const numberOf = ({ rule }: Finding): number => Number(rule.slice(1));
  return found
    .map((finding) => {
      const { source, recalled } = ruleOf(finding.rule);
      return { ...finding, source, recalled };
    })
    .sort(
      (a, b) =>
        severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
        numberOf(a) - numberOf(b),
    );
}
