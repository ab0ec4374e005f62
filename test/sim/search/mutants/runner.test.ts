import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Runner, propertyOf } from "../../../../src/sim/search/mutants/runner.js";

let dist: string;

/** Its seeds end their thread in several ways. */
const simulator = `
export function simulate(scenario, { seed }) {
  if (seed === 1) process.exit(3);
  if (seed === 2) throw new Error("broken in a run");
  if (seed === 3) setTimeout(() => { throw new Error("broken after a run"); });
  return { verdict: "ok", steps: seed };
}
`;

beforeEach(() => {
  dist = mkdtempSync(join(tmpdir(), "quorumlab-runner-"));
  mkdirSync(join(dist, "sim"));
  mkdirSync(join(dist, "scenarios"));
  writeFileSync(join(dist, "package.json"), '{ "type": "module" }');
  writeFileSync(join(dist, "sim", "simulate.js"), simulator);
  writeFileSync(join(dist, "scenarios", "index.js"), 'export const scenarios = [{ name: "any" }];');
});

afterEach(() => rmSync(dist, { recursive: true, force: true }));

async function results(seeds: readonly number[], pauseMs = 0): Promise<(string | null)[]> {
  const runner = new Runner(dist);
  const found: (string | null)[] = [];
  try {
    for (const seed of seeds) {
      found.push(propertyOf(await runner.run({ scenario: "any", seed })));
      await setTimeout(pauseMs);
    }
    return found;
  } finally {
    await runner.stop();
  }
}

describe("runner", () => {
  test("runner: a worker that ends in a run: it has crashed, with a reason, and the next goes on", async () => {
    expect(await results([1, 2, 9])).toEqual([
      "crash: the worker ended with code 3 before it had answered",
      "crash: broken in a run",
      null,
    ]);
  });

  test("runner: a worker that dies between runs: the next one has a fresh one", async () => {
    expect(await results([3, 9], 300)).toEqual([null, null]);
  });

  test("runner: a build that cannot be loaded: each run has crashed, with the reason", async () => {
    writeFileSync(join(dist, "sim", "simulate.js"), 'throw new Error("broken at load");');
    expect(await results([8, 9])).toEqual(["crash: broken at load", "crash: broken at load"]);
  });
});
