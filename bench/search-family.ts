/** The search with worker threads against as many separate processes of one thread each. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, type Figure } from "./figure.js";

const program = fileURLToPath(new URL("../bin/quorumlab.js", import.meta.url));
const pairs = 7;
const runsPerJob = 8;
const scenario = "calm-cluster";

/** Seeds per second, starting and stopping included on both sides. Needs a built package. */
export async function benchSearch(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "quorumlab-bench-"));
  try {
    return [await measure(availableParallelism(), folder)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(jobs: number, folder: string): Promise<Figure> {
  const rates: number[] = [];
  const ratios: number[] = [];
  const shards = Array.from({ length: jobs }, (_, n) => `${n + 1}/${jobs}`);
  for (let pair = 0; pair < pairs; pair++) {
    const runs = jobs * runsPerJob;
    const from = 1 + pair * runs;
    // Both do the same seeds.
    const seeds = `${from}..${from + runs - 1}`;
    const ours = (): Promise<number> => rate(runs, [search(folder, seeds, jobs, "1/1")]);
    const theirs = (): Promise<number> =>
      rate(
        runs,
        shards.map((shard) => search(folder, seeds, 1, shard)),
      );
    // Whoever goes first is changed each time, so that a slowing machine favours neither.
    const first = pair % 2 === 0 ? await ours() : await theirs();
    const second = pair % 2 === 0 ? await theirs() : await ours();
    const [mine, other] = pair % 2 === 0 ? [first, second] : [second, first];
    rates.push(mine);
    ratios.push(mine / other);
  }
  return {
    name: "search/seeds",
    value: median(rates),
    unit: "seeds/s",
    against: `${jobs} separate processes of one job, where we have ${jobs} jobs`,
    ratio: median(ratios),
  };
}

function search(folder: string, seeds: string, jobs: number, shard: string): readonly string[] {
  const out = join(folder, shard.replace("/", "-of-"));
  const plan = ["--seeds", seeds, "--jobs", String(jobs), "--shard", shard];
  return [program, "search", scenario, ...plan, "--out", out];
}

/** Runs per second of all the processes, started together, until the last has ended. */
async function rate(runs: number, processes: readonly (readonly string[])[]): Promise<number> {
  const startedMs = performance.now();
  const codes = await Promise.all(
    processes.map(async (typed) => {
      const child = spawn(process.execPath, typed, { stdio: "ignore" });
      const [code] = (await once(child, "close")) as [number | null];
      return code;
    }),
  );
  // 2: what so few runs did not meet; 0: nothing to say. Anything else did not do the runs.
  if (codes.some((code) => code !== 0 && code !== 2)) {
    throw new Error(`a search ended with ${codes.join(", ")}`);
  }
  return (runs * 1_000) / (performance.now() - startedMs);
}
