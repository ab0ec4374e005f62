/** Failures that the simulator once found, made small, in faults that are fixed: none comes back. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { scenarios } from "../../scenarios/index.js";
import { readFailureFile } from "../../src/sim/search/artifact/failure-file.js";
import { simulate } from "../../src/sim/simulate.js";

const folder = new URL("../../scenarios/regressions/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));

describe("regressions", { timeout: 60_000 }, () => {
  test("regressions: there are some", () => {
    expect(files.length).toBeGreaterThan(0);
  });

  test.each(files)("regressions: %s: holds now", (name) => {
    const { failure, verdict } = replayed(name);
    expect(failure).toBeNull();
    expect(verdict).toBe("ok");
  });
});

function replayed(name: string): ReturnType<typeof simulate> {
  const read = readFailureFile(fileURLToPath(new URL(name, folder)));
  if ("problem" in read) throw new Error(read.problem.message);
  const { scenario: named, seed, decisions, safetyOnly } = read.ok;
  const scenario = scenarios.find((each) => each.name === named)!;
  return simulate(scenario, { seed, decisions, safetyOnly });
}
