/** Scenarios of mapped clusters do what they are about: who is not struck serves meanwhile. */
import { describe, expect, test } from "vitest";
import { hotKeys } from "../../scenarios/hot-keys.js";
import { mapWithoutLeader } from "../../scenarios/map-without-leader.js";
import { zoneLost } from "../../scenarios/zone-lost.js";
import type { FaultKind } from "../../src/lab/fault.js";
import type { OracleSpec } from "../../src/lab/oracle.js";
import type { Scenario } from "../../src/lab/scenario.js";
import { simulate } from "../../src/sim/simulate.js";

/** Elections take less, and clients find out meanwhile. */
const settledAfterUs = 2_000_000;

/** How many operations ended well in the second half of each of these faults. */
function servedDuring(scenario: Scenario, seed: number, kinds: readonly FaultKind[]): number[] {
  const endedUs: number[] = [];
  const watch: OracleSpec = {
    id: "watch",
    about: "notes when operations end well",
    judges: "step",
    make: () => ({
      completed(operation, nowUs) {
        if (operation.outcome === "ok") endedUs.push(nowUs);
      },
    }),
  };
  const { decisions, verdict } = simulate(scenario, { seed, oracles: [watch] });
  expect(verdict).toBe("ok");
  return decisions.faults
    .filter(({ id, kind }) => kinds.includes(kind) && !id.startsWith("swarm-"))
    .map(({ atUs, forUs }) => {
      const sinceUs = atUs + settledAfterUs;
      return endedUs.filter((at) => at >= sinceUs && at <= atUs + forUs).length;
    });
}

describe("those who are left serve", { timeout: 60_000 }, () => {
  test.each([1, 2, 3])("while a zone is lost: seed %i", (seed) => {
    const served = servedDuring(zoneLost, seed, ["kill", "cut"]);
    expect(served.length).toBeGreaterThan(0);
    expect(Math.min(...served)).toBeGreaterThan(5);
  });

  test.each([1, 2, 3])("while nobody leads the map: seed %i", (seed) => {
    const served = servedDuring(mapWithoutLeader, seed, ["kill", "cut", "pause"]);
    expect(served.length).toBeGreaterThan(0);
    expect(Math.min(...served)).toBeGreaterThan(5);
  });
});

test("hot keys are what nearly all is about", () => {
  const { decisions } = simulate(hotKeys, { seed: 1, oracles: [] });
  const asked = decisions.operations.filter(({ kind }) => kind !== "range");
  const hot = asked.filter(({ key }) => key === "p0/k0" || key === "p0/k1");
  expect(asked.length).toBeGreaterThan(100);
  expect(hot.length).toBeGreaterThan(asked.length * 0.85);
});
