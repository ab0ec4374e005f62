import { describe, expect, test } from "vitest";
import { ckr } from "../../../src/core/hsm/cryptoki/constants.js";
import { isKeyName, nameText, parseName } from "../../../src/core/hsm/key-names.js";
import { vendorProfile, vendorProfiles } from "../../../src/core/hsm/profiles/index.js";
import { classOfReturn, classify } from "../../../src/core/hsm/returns.js";

describe("vendor profiles", () => {
  test.each(Object.entries(vendorProfiles))("%s says where it is known from", (name, profile) => {
    expect(profile.vendor).toBe(name);
    expect(profile.wasRun).toBe(name === "softhsm");
    expect(profile.quirks.length).toBeGreaterThan(0);
    for (const { what, source, mark } of profile.quirks) {
      expect(what.length).toBeGreaterThan(10);
      expect(source.length).toBeGreaterThan(5);
      if (mark === "run") expect(name).toBe("softhsm");
    }
    expect(profile.wraps.length).toBeGreaterThan(0);
  });

  test("any field can be known better", () => {
    const profile = vendorProfile("thales-luna", { valueLenOnUnwrap: "either", sessionsMax: 3 });
    expect(profile).toMatchObject({ vendor: "thales-luna", sessionsMax: 3 });
    expect(profile.valueLenOnUnwrap).toBe("either");
    expect(vendorProfiles["thales-luna"].valueLenOnUnwrap).toBe("required");
  });
});

describe("return values", () => {
  test("are judged by their number, and by the vendor's meaning of it", () => {
    expect(classOfReturn(ckr.functionFailed)).toBe("newSession");
    expect(classify(vendorProfiles["aws-cloudhsm"], ckr.functionFailed)).toBe("throttled");
    expect(classify(vendorProfiles.softhsm, ckr.functionFailed)).toBe("newSession");
    expect(classOfReturn(ckr.pinIncorrect)).toBe("never");
    expect(classOfReturn(ckr.mechanismInvalid)).toBe("fatal");
    expect(classOfReturn(0x8000_1234)).toBe("newSession");
  });
});

describe("names", () => {
  test.each([
    { label: "kek", version: 1 },
    { label: "a-v2", version: 3 },
    { label: "-", version: 999_999_999 },
    { label: "x".repeat(48), version: 7 },
  ])("%j is written and read", (name) => {
    expect(isKeyName(name)).toBe(true);
    const text = nameText(name);
    // What the narrowest vendor takes.
    expect(text).toMatch(/^[a-zA-Z0-9_-]{1,63}$/);
    expect(`${text}-gone`.length).toBeLessThanOrEqual(63);
    expect(parseName(text)).toEqual(name);
  });

  test.each([
    "kek",
    "kek-v0",
    "kek-v01",
    "kek-v1-new",
    "kek-v1-gone",
    "kek-v1-mac",
    "-v1",
    "a.b-v1",
  ])("%s is nobody's name", (text) => expect(parseName(text)).toBeNull());
});
