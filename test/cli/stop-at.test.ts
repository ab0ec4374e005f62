/** The line that is printed for a seed must show its failure, wherever that was judged. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { brokenLockService } from "../../docs/guide/lock-service.js";
import { calmCluster } from "../../scenarios/calm-cluster.js";
import type { Violation } from "../../src/lab/oracle.js";
import type { RunResult } from "../../src/lab/run-result.js";
import type { Scenario } from "../../src/lab/scenario.js";
import { shrink } from "../../src/sim/shrink/shrink.js";
import { type SimulateOptions, simulate } from "../../src/sim/simulate.js";
import { quorumlab } from "./fake.js";

const violation: Violation = { message: "seen", shape: "seen", node: 1, group: 1 };
/** Judges answers as they reach their clients. */
const onAnswer = {
  id: "no-answer-forty",
  about: "",
  judges: "step" as const,
  make: (report: (violation: Violation) => void) => {
    let answers = 0;
    return { completed: () => void (++answers === 40 && report(violation)) };
  },
};
/** Judges the run as a whole, as linearizability does. */
const atTheEnd = {
  id: "no-end",
  about: "",
  judges: "step" as const,
  make: (report: (violation: Violation) => void) => ({ finished: () => report(violation) }),
};

/** The simulator with one more thing to judge. */
const judging =
  (oracle: typeof onAnswer | typeof atTheEnd) =>
  (scenario: Scenario, options: SimulateOptions): ReturnType<typeof simulate> =>
    simulate(scenario, { ...options, oracles: [oracle] });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quorumlab-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("--stop-at", () => {
  test.each([
    ["that an answer shows", onAnswer],
    ["judged when the run is over", atTheEnd],
  ])("the line printed for a failure %s brings it back", async (_what, oracle) => {
    const shipped = fileURLToPath(new URL("../../scenarios/index.ts", import.meta.url));
    const typed = ["run", "calm-cluster", "--seed", "3", "--out", folder, "--scenarios", shipped];
    const ran = await quorumlab(typed, { simulate: judging(oracle) });
    const line = ran.stderr.trimEnd().split("\n").at(-1)!;
    expect(line).toMatch(/^npx quorumlab replay 3 --scenario calm-cluster --stop-at \d+ /);
    const again = await quorumlab(line.split(" ").slice(2), { simulate: judging(oracle) });
    expect([again.code, again.records().at(-1)]).toEqual([
      1,
      expect.objectContaining({ property: oracle.id, step: ran.records().at(-1)!["step"] }),
    ]);
  });

  test("a failure of a user's protocol: there at its step, not yet one step before", () => {
    const found = failing(brokenLockService);
    const { seed, failure } = found;
    const at = (stopAtStep: number): RunResult => simulate(brokenLockService, { seed, stopAtStep });
    expect(at(failure!.step).failure).toEqual(failure);
    expect(at(failure!.step - 1)).toMatchObject({
      verdict: "undecided",
      failure: null,
      steps: failure!.step - 1,
    });
  });

  test("shrinking follows a failure that only an answer shows, to the step", () => {
    const run = judging(onAnswer);
    const start = run(calmCluster, { seed: 3 });
    const { step } = start.failure!;
    // As much as a candidate may take is as much as this failure needs.
    const tight = shrink(
      (decisions) => run(calmCluster, { seed: 3, decisions, stopAtStep: step }),
      start,
      { rerunsMax: 4 },
    );
    expect(tight.outcome).not.toBe("notReproduced");
  });
});

function failing(scenario: Scenario): RunResult {
  for (let seed = 1; seed <= 40; seed++) {
    const result = simulate(scenario, { seed });
    if (result.failure !== null) return result;
  }
  throw new Error("none of 40 seeds fails");
}
