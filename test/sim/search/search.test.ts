import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { mix32 } from "../../../src/core/hash.js";
import { localPool, type Pool } from "../../../src/sim/search/pool.js";
import { byName, runPlanned, type RunReport } from "../../../src/sim/search/run-planned.js";
import { search, type SearchOutcome } from "../../../src/sim/search/search.js";
import type { SearchPlan } from "../../../src/sim/search/seeds.js";
import { summaryOf, type Summary } from "../../../src/sim/search/summary.js";
import { fakeSimulate } from "../../cli/fake.js";
import { scenarios } from "../../cli/scenarios.fixture.js";

const plan: SearchPlan = {
  scenarios: scenarios.map(({ name }) => name),
  from: 1,
  runs: 400,
  safetyOnly: false,
  shard: { index: 1, of: 1 },
};

/** Does runs at once, but gives them back in an order of its own. */
function shuffledPool(jobs: number): Pool {
  const known = byName(scenarios);
  let calls = 0;
  return {
    jobs,
    async run(planned) {
      for (let turns = mix32(++calls) % 10; turns > 0; turns--) await setImmediate();
      return runPlanned(fakeSimulate, known, planned);
    },
    close: async () => {},
  };
}

async function searched(
  pool: Pool,
  options: { readonly bail?: number; readonly plan?: SearchPlan } = {},
): Promise<{ outcome: SearchOutcome; failed: number[]; summary: Partial<Summary> }> {
  const failed: number[] = [];
  const outcome = await search(options.plan ?? plan, {
    pool,
    bail: options.bail ?? null,
    budgetMs: null,
    signal: new AbortController().signal,
    onFailure: ({ run }) => failed.push(run),
    onProgress: () => {},
  });
  return { outcome, failed, summary: summaryOf(outcome.tally, 0) };
}

describe("search: order", () => {
  test.each([2, 3, 8])("%i jobs find what one finds, in the same order", async (jobs) => {
    const one = await searched(localPool(fakeSimulate, scenarios));
    const many = await searched(shuffledPool(jobs));
    expect(one.failed).toHaveLength(27);
    expect(many.failed).toEqual(one.failed);
    expect(many.summary).toEqual(one.summary);
  });

  test("with bail, many jobs stop at the same failure as one", async () => {
    const one = await searched(localPool(fakeSimulate, scenarios), { bail: 3 });
    const many = await searched(shuffledPool(4), { bail: 3 });
    expect([one.outcome.end, one.failed.length]).toEqual(["bail", 3]);
    expect([many.outcome.end, many.failed, many.summary]).toEqual([
      "bail",
      one.failed,
      one.summary,
    ]);
  });

  test("what waits for a slow run is bounded", async () => {
    let out = 0;
    let outWhileSlow = 0;
    const inner = shuffledPool(2);
    const pool: Pool = {
      ...inner,
      async run(planned) {
        out++;
        if (planned.run === 0) {
          for (let turns = 0; turns < 1_000; turns++) await setImmediate();
          outWhileSlow = out;
        }
        return inner.run(planned);
      },
    };
    const { outcome } = await searched(pool);
    expect([outcome.end, outcome.tally.seeds]).toEqual(["done", 400]);
    // 32 runs for each thread; there are 400 in all.
    expect([outWhileSlow, out]).toEqual([64, 400]);
  });
});

describe("search: trouble", () => {
  test("a thread that dies ends the search as a fault of ours, with what came before", async () => {
    const inner = shuffledPool(2);
    const pool: Pool = {
      ...inner,
      run: (planned) =>
        planned.run === 200 ? Promise.reject(new Error("out of memory")) : inner.run(planned),
    };
    const { outcome, failed } = await searched(pool);
    expect([outcome.end, outcome.crash?.message, outcome.crash?.run]).toEqual([
      "crash",
      "out of memory",
      200,
    ]);
    expect(failed.every((run) => run < 200)).toBe(true);
    expect(failed.length).toBeGreaterThan(5);
  });

  test("an interrupt keeps what had come back", async () => {
    const stop = new AbortController();
    const never = new Promise<RunReport>(() => {});
    const inner = shuffledPool(2);
    const pool: Pool = {
      ...inner,
      run: (planned) => (planned.run === 0 ? never : inner.run(planned)),
    };
    const running = search(plan, {
      pool,
      bail: null,
      budgetMs: null,
      signal: stop.signal,
      onFailure: () => {},
      onProgress: ({ done }) => {
        if (done >= 40) stop.abort();
      },
    });
    const outcome = await running;
    expect([outcome.end, outcome.tally.seeds >= 40]).toEqual(["interrupted", true]);
  });

  test("an interrupt while a run is under way keeps that run, and every one before it", async () => {
    const stop = new AbortController();
    const failed: number[] = [];
    const simulate: typeof fakeSimulate = (scenario, options) => {
      if (options.seed === 7) stop.abort();
      return fakeSimulate(scenario, options);
    };
    const outcome = await search(plan, {
      pool: localPool(simulate, scenarios),
      bail: null,
      budgetMs: null,
      signal: stop.signal,
      onFailure: ({ result }) => failed.push(result.seed),
      onProgress: () => {},
    });
    // Seeds count from 1, and 7 is the first to fail.
    expect([outcome.end, outcome.tally.seeds, failed]).toEqual(["interrupted", 7, [7]]);
  });

  test("a budget that is gone at once is enough for one run", async () => {
    const outcome = await search(plan, {
      pool: localPool(fakeSimulate, scenarios),
      bail: null,
      budgetMs: 0,
      signal: new AbortController().signal,
      onFailure: () => {},
      onProgress: () => {},
    });
    expect([outcome.end, outcome.tally.seeds]).toEqual(["budget", 1]);
  });
});
