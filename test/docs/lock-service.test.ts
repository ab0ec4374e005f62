import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import type { Scenario } from "../../src/lab/scenario.js";
import type { RunResult } from "../../src/lab/run-result.js";
import { simulate } from "../../src/sim/simulate.js";
import { brokenLockService } from "../../docs/guide/lock-service.js";

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const source = readFileSync(path("docs/guide/lock-service.ts"), "utf8");
const seeds = Array.from({ length: 40 }, (_, n) => n + 1);
/** Below the repository, so that the package's own name is found from there. */
const folder = path("out/guide-test");

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function firstViolation(scenario: Scenario): RunResult | null {
  for (const seed of seeds) {
    const result = simulate(scenario, { seed });
    if (result.verdict === "violation") return result;
  }
  return null;
}

it("guide: a lock service that answers before its disk knows: caught", () => {
  const caught = firstViolation(brokenLockService);
  expect(caught?.failure?.property).toBe("fencing");
  const again = simulate(brokenLockService, { seed: caught!.seed });
  expect(again.digest).toBe(caught!.digest);
});

it("guide: the same service with the answer held back: nothing to find", async () => {
  const broken = "bytes: record, after: noToken";
  expect(source.split(broken)).toHaveLength(2);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/fixed.ts`, source.replace(broken, "bytes: record, after: token"));
  const fixed = (await import(`${folder}/fixed.ts`)) as { brokenLockService: Scenario };
  expect(firstViolation(fixed.brokenLockService)).toBeNull();
});

it("guide: the chapter shows the code that is tested, in 60 lines or so", () => {
  const chapter = readFileSync(path("docs/guide/03-your-own-protocol.md"), "utf8");
  expect(chapter).toContain(source.trim());
  expect(source.split("\n").length).toBeLessThan(80);
});
