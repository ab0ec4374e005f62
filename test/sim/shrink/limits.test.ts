import { describe, expect, test } from "vitest";
import type { Decisions } from "../../../src/lab/run-result.js";
import { shrink } from "../../../src/sim/shrink/shrink.js";
import { has, ids, large, plantedRun } from "./planted.js";

const lost = "no-lost-write: acknowledged value gone";

describe("limits and runs that break down", () => {
  const tight = { "raft.cacheBytesMax": 256, "raft.logEntriesMax": 24, "node.heldMax": 4 };
  const withTight = (): Decisions => {
    const decisions = large();
    return { ...decisions, options: { ...decisions.options, limits: tight } };
  };

  test("shrink: tight limits without a part in it: all become usual", () => {
    const { run } = plantedRun({ cause: (d) => (has(d, "kill-4") ? lost : null) });
    const found = shrink(run, run(withTight()));
    expect(found.decisions.options["limits"]).toEqual({});
  });

  test("shrink: one tight limit is needed: it alone is left, and soon", () => {
    const { run, asked } = plantedRun({
      cause: (d) =>
        has(d, "kill-4") && "node.heldMax" in Object(d.options["limits"]) ? lost : null,
    });
    const found = shrink(run, run(withTight()));
    expect(found.decisions.options["limits"]).toEqual({ "node.heldMax": 4 });
    const sets = new Set(asked.map(({ options }) => JSON.stringify(options["limits"])));
    // All, none, and two that leave one out each: without the last, none are left again.
    expect(sets.size).toBe(4);
  });

  test("shrink: some candidates break down: they do not count, and the shrink goes on", () => {
    let broken = 0;
    const { run } = plantedRun({
      cause: (d) => {
        if (has(d, "kill-4") && !has(d, "cut-17")) {
          broken++;
          throw new Error("planted");
        }
        return has(d, "kill-4") ? lost : null;
      },
    });
    const found = shrink(run, run(large()));
    expect(ids(found.decisions)).toEqual(["cut-17", "kill-4"]);
    expect(broken).toBeGreaterThan(0);
  });
});
