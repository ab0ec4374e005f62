/** Each rule speaks up on its case, and keeps silent on the case beside it. */
import { describe, expect, test } from "vitest";
import { advise } from "../../../src/core/hsm/advice/advise.js";
import type { AdviceInput, Recommendation } from "../../../src/core/hsm/advice/contract.js";
import { rules } from "../../../src/core/hsm/advice/rules.js";
import { key, aged, keptBy, of, cases } from "./advice-cases.js";

const given = (input: AdviceInput): string[] =>
  advise(input).map(({ rule, severity }) => `${rule} ${severity}`);

describe("advice", () => {
  test.each(cases)("%s", (expected, one, beside) => {
    expect(given(one)).toContain(expected);
    expect(given(beside)).not.toContain(expected);
  });

  test("every rule has a case, and the table has every rule", () => {
    const inCases = new Set(cases.map(([expected]) => expected.split(" ")[0]));
    const all = Array.from({ length: 19 }, (_, at) => `P${at + 1}`);
    expect(inCases).toEqual(new Set(all));
    expect(rules.map(({ id }) => id)).toEqual(all);
  });

  test("a sound keeper with sound keys hears nothing", () => {
    const keysOfAll = [key("aes", 256, "encrypt"), key("aes", 256, "wrap"), key("ec", 384, "sign")];
    expect(advise(of(...keysOfAll))).toEqual([]);
  });

  test("the worst first, with the key, the reason, the source, and whether that was recalled", () => {
    const old = key("aes", 256, "encrypt", { ...aged(2, 1), label: "orders" });
    const found = advise(keptBy({ fips: true, wraps: ["rsa-oaep-sha1"] }, old));
    expect(found.map(({ rule }) => rule)).toEqual(["P6", "P1", "P16"]);
    const about: Recommendation = {
      rule: "P1",
      severity: "warning",
      key: old.description.reference,
      reason: "it is 2 years old, and its time is 2",
      action: "make the next version",
      source: "NIST SP 800-57 part 1, 5.3.6, table 1",
      recalled: true,
    };
    expect(found[1]).toEqual(about);
    expect(found[0]!.key).toBeNull();
  });

  test("what is not known is not judged", () => {
    const unknown = key("aes", 256, "encrypt", { createdMs: null, encryptions: null });
    expect(advise(of(unknown))).toEqual([]);
  });
});
