import { describe, expect, test } from "vitest";
import { mix32 } from "../../../src/core/hash.js";
import { byName, runChunk, type ChunkResult } from "../../../src/sim/search/chunk.js";
import { localPool, type Pool } from "../../../src/sim/search/pool.js";
import { search, type SearchOutcome } from "../../../src/sim/search/search.js";
import type { PlannedRun, SearchPlan } from "../../../src/sim/search/seeds.js";
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

/** Does chunks at once, but gives them back in an order of its own. */
function shuffledPool(jobs: number): Pool {
  const known = byName(scenarios);
  let calls = 0;
  return {
    jobs,
    async run(chunk: readonly PlannedRun[]): Promise<ChunkResult> {
      for (let turns = mix32(++calls) % 40; turns > 0; turns--) await Promise.resolve();
      const running = runChunk(fakeSimulate, known, chunk);
      for (;;) {
        const turn = running.next();
        if (turn.done === true) return turn.value;
      }
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
      async run(chunk) {
        out++;
        if (chunk[0]!.run === 0) {
          for (let turns = 0; turns < 10_000; turns++) await Promise.resolve();
          outWhileSlow = out;
        }
        return inner.run(chunk);
      },
    };
    const { outcome } = await searched(pool);
    expect([outcome.end, outcome.tally.seeds]).toEqual(["done", 400]);
    // Eight chunks for each thread; there are 100 in all.
    expect([outWhileSlow, out]).toEqual([16, 100]);
  });
});

describe("search: trouble", () => {
  test("a thread that dies ends the search as a fault of ours, with what came before", async () => {
    const inner = shuffledPool(2);
    const pool: Pool = {
      ...inner,
      run: (chunk) =>
        chunk.some(({ run }) => run === 200)
          ? Promise.reject(new Error("out of memory"))
          : inner.run(chunk),
    };
    const { outcome, failed } = await searched(pool);
    expect([outcome.end, outcome.crash?.message]).toEqual(["crash", "out of memory"]);
    expect(failed.every((run) => run < 200)).toBe(true);
    expect(failed.length).toBeGreaterThan(5);
  });

  test("an interrupt keeps what had come back", async () => {
    const stop = new AbortController();
    const never = new Promise<ChunkResult>(() => {});
    const inner = shuffledPool(2);
    const pool: Pool = {
      ...inner,
      run: (chunk) => (chunk[0]!.run === 0 ? never : inner.run(chunk)),
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
});
