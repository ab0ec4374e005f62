/**
 * Failures that the simulator once found, made small, in faults that are fixed: none comes back. Each
 * still fails with its fix undone: one that holds either way would watch over nothing.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { scenarios } from "../../scenarios/index.js";
import { readFailureFile } from "../../src/sim/search/artifact/failure-file.js";
import { makeOverlay } from "../../src/sim/search/mutants/overlay.js";
import { simulate } from "../../src/sim/simulate.js";
import { undone } from "../mutants/undone.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = new URL("../../scenarios/regressions/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));

/** With its fix undone a run may go on for ever. */
const stepsMax = 2_000_000;

describe("regressions", { timeout: 60_000 }, () => {
  test("regressions: there are some, each with the fix that it watches over", () => {
    expect(files.length).toBeGreaterThan(0);
    expect(undone.map(({ regression }) => regression).sort()).toEqual(files.sort());
  });

  test.each(files)("regressions: %s: holds now", (name) => {
    const { failure, verdict } = replayed(name, simulate);
    expect(failure).toBeNull();
    expect(verdict).toBe("ok");
  });

  test.each(undone)("regressions: $regression: fails with its fix undone", async (fix) => {
    const { regression, edits } = fix;
    const overlay = makeOverlay(root, { id: `undone-${regression}`, edits });
    if ("error" in overlay) throw new Error(overlay.error);
    try {
      const url = pathToFileURL(join(overlay.dist, "sim", "simulate.js")).href;
      const without = (await import(url)) as { readonly simulate: typeof simulate };
      expect(replayed(regression, without.simulate).failure?.fingerprint).toBe(
        read(regression).fingerprint,
      );
    } finally {
      overlay.remove();
    }
  });
});

function read(name: string): Extract<ReturnType<typeof readFailureFile>, { ok: unknown }>["ok"] {
  const file = readFailureFile(fileURLToPath(new URL(name, folder)));
  if ("problem" in file) throw new Error(file.problem.message);
  return file.ok;
}

function replayed(name: string, run: typeof simulate): ReturnType<typeof simulate> {
  const { scenario: named, seed, decisions, safetyOnly } = read(name);
  const scenario = scenarios.find((each) => each.name === named)!;
  return run(scenario, { seed, decisions, safetyOnly, stopAtStep: stepsMax });
}
