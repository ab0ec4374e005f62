import { describe, expect, test } from "vitest";
import type { Hunt } from "../../../../src/sim/search/mutants/hunt.js";
import { matrixPage } from "../../../../src/sim/search/mutants/matrix.js";
import type { Mutant } from "../../../../src/sim/search/mutants/mutant.js";

const mutant: Mutant = {
  id: "01-some-bug",
  about: "a | b are swapped",
  world: "sim",
  edits: [{ file: "core/x.ts", find: "a", replace: "b" }],
  breaks: ["liveness", "monotonic"],
  source: "somebody #1",
  scenarios: ["swarm"],
};

function hunt(from: number, property: string | null, seeds: number): Hunt {
  const killed = property !== null;
  const rest = { steps: 0, failure: null, wallMs: 0, others: {} };
  return { id: mutant.id, from, killed, seeds, property, ...rest };
}

function page(hunts: readonly Hunt[]): string {
  const excluded = [{ row: "02", was: "was wrong", because: "cannot be" }];
  const starts = hunts.map(({ from }) => from);
  return matrixPage({ mutants: [mutant], excluded, hunts, starts, seedsMax: 50, commit: "c0ffee" });
}

describe("kill matrix", () => {
  test("kill matrix: caught from several starts: medians by property and over all", () => {
    const text = page([hunt(1, "liveness", 9), hunt(2, "monotonic", 4), hunt(3, "liveness", 30)]);
    const row = text.split("\n").find((line) => line.startsWith("| `01-some-bug`"));
    expect(row).toBe("| `01-some-bug` | a \\| b are swapped | 30 (2) | 4 (1) | 9 | somebody #1 |");
    expect(text).toContain("Commit c0ffee. Starts: 1, 2, 3. At most 50 seeds from each.");
    expect(text).toContain("Killed: 1 of 1.");
    expect(text).toContain("| 02 | was wrong | cannot be |");
  });

  test("kill matrix: survived from most starts: the median says so", () => {
    const text = page([hunt(1, null, 50), hunt(2, "monotonic", 4), hunt(3, null, 50)]);
    expect(text).toContain("| 4 (1) | survives | somebody #1 |");
  });

  test("kill matrix: never caught: no property has a column", () => {
    const text = page([hunt(1, null, 50)]);
    expect(text).toContain("| mutant | what is wrong in it | median of all | learnt from |");
    expect(text).toContain("Killed: 0 of 1.");
  });
});
