/**
 * Runs whose digests are known. A change that is meant to leave behaviour alone leaves these alone;
 * one that is meant to change it renews them, and shows in review that it did.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { scenarios } from "../../scenarios/index.js";
import { simulate } from "../../src/sim/simulate.js";

interface Pinned {
  readonly steps: number;
  readonly digest: string;
}

const path = fileURLToPath(new URL("pinned-digests.json", import.meta.url));
const updates = (process.env["QUORUMLAB_UPDATE"] ?? "") !== "";
const howToRenew =
  "the simulation behaves otherwise than it did. If that is meant: " +
  "QUORUMLAB_UPDATE=1 npx vitest run test/sim/pinned-digests.test.ts";

/** Runs to their end, phases of healing and checking included; the others are cut short. */
const wholeRuns: readonly string[] = ["calm-cluster", "torn-logs", "swarm"];
const stepsOfCutRuns = 6_000;

const pinned = updates ? {} : (JSON.parse(readFileSync(path, "utf8")) as Record<string, Pinned>);
const seen: Record<string, Pinned> = {};

function run(place: number): Pinned {
  const scenario = scenarios[place]!;
  const cut = wholeRuns.includes(scenario.name) ? {} : { stopAtStep: stepsOfCutRuns };
  const { steps, digest } = simulate(scenario, { seed: 1_000 + place, ...cut });
  return { steps, digest };
}

afterAll(() => {
  if (updates) writeFileSync(path, `${JSON.stringify(seen, null, 2)}\n`);
});

describe("pinned digests", () => {
  test.each(scenarios.map(({ name }, place) => [name, place] as const))(
    "%s: the same inputs and effects as before",
    (name, place) => {
      seen[name] = run(place);
      if (!updates) expect(seen[name], howToRenew).toEqual(pinned[name]);
    },
  );

  test("every scenario has one, and nothing else does", () => {
    if (updates) return;
    expect(Object.keys(pinned), howToRenew).toEqual(scenarios.map(({ name }) => name));
  });
});
