import { expect, test } from "vitest";
import { type FaultKind, faultKinds, plannedKinds, silentLossKinds } from "../../src/lab/fault.js";
import type { Scenario } from "../../src/lab/scenario.js";
import { mixedWorkload, second, smallCluster } from "../../src/lab/shapes.js";
import { sequential } from "../../src/sim/streams.js";
import { planFaults, resolveCluster, resolveOptions } from "../../src/sim/swarm.js";

const everything: Scenario = {
  name: "everything",
  about: "every kind of fault",
  cluster: { ...smallCluster, sealed: 1_000 },
  workload: mixedWorkload,
  faults: { swarm: Object.keys(faultKinds) as FaultKind[], swarmFaultsMax: 20 },
  phases: { attackUs: 30 * second },
  expect: "ok",
};

function plan(scenario: Scenario, seed: number): ReturnType<typeof planFaults> {
  const options = resolveOptions(scenario, {
    options: sequential(seed, "options"),
    sealed: sequential(seed, "sealed"),
  });
  const cluster = resolveCluster(options, scenario.phases.attackUs);
  return planFaults(scenario, cluster, {
    plan: sequential(seed, "plan"),
    swarm: sequential(seed, "swarm"),
  });
}

const seeds = Array.from({ length: 200 }, (_, n) => n + 1);

test("swarm: any seed: the same plan again, ids are unique, times ascend", () => {
  for (const seed of seeds.slice(0, 30)) {
    const faults = plan(everything, seed);
    expect(plan(everything, seed)).toEqual(faults);
    expect(new Set(faults.map(({ id }) => id)).size).toBe(faults.length);
    const times = faults.map(({ atUs }) => atUs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  }
});

test("swarm: many seeds: every kind is drawn, and each seed leaves some out", () => {
  const drawn = seeds.map((seed) => new Set(plan(everything, seed).map(({ kind }) => kind)));
  const kinds = new Set(drawn.flatMap((each) => [...each]));
  const never = [...silentLossKinds, ...plannedKinds];
  const expected = everything.faults.swarm.filter((kind) => !never.includes(kind));
  expect([...kinds].sort()).toEqual([...expected].sort());
  for (const each of drawn) expect(each.size).toBeLessThan(expected.length);
});

test("swarm: silent losses: are drawn only where a violation is expected", () => {
  const silent = (scenario: Scenario): number =>
    seeds.filter((seed) => plan(scenario, seed).some(({ kind }) => silentLossKinds.includes(kind)))
      .length;
  expect(silent(everything)).toBe(0);
  expect(silent({ ...everything, expect: "violation" })).toBeGreaterThan(10);
});
