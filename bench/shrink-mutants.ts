/**
 * `npm run bench:shrink` finds a failure of each planted bug and makes it smaller; `npm run
 * bench:shrink -- 73 34 --from 1` does so for some. One line each, and how many end within the
 * limits of a failure that people can read. Needs a built package.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath, pathToFileURL } from "node:url";
import { shrink, type ShrinkResult, type simulate as Simulate } from "quorumlab/sim";
import type { RunResult, Scenario } from "quorumlab/lab";
import { scenarios } from "../scenarios/index.js";
import type { Mutant } from "../src/sim/search/mutants/mutant.js";
import { makeOverlay } from "../src/sim/search/mutants/overlay.js";
import { mutants } from "../test/mutants/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
/** What people can still read. */
const limits = { faults: 8, operations: 10, nodes: 5, reruns: 2_000 } as const;
const minimalMax = 200;
/** Bugs that show as a hang would keep a run from its end. */
const stepsMax = 2_000_000;
/** Want of progress is no violation of safety. */
const isSafety = (property: string): boolean => property !== "liveness";

const { values: options, positionals: rows } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: "string", default: "1" },
    seeds: { type: "string", default: "60" },
  },
});

interface Outcome {
  readonly mutant: string;
  readonly scenario: string;
  readonly seed: number;
  readonly shrunk: ShrinkResult;
  readonly seconds: number;
}

const outcomes: Outcome[] = [];
for (const mutant of mutants.filter(({ id, breaks }) => asked(id) && breaks.some(isSafety))) {
  const outcome = await measure(mutant);
  if (outcome === null) process.stdout.write(`not found ${mutant.id}\n`);
  else {
    outcomes.push(outcome);
    process.stdout.write(`${lineOf(outcome)}\n`);
  }
}
const within = outcomes.filter(isWithin).length;
process.stdout.write(`${within} of ${outcomes.length} within the limits\n`);

function asked(id: string): boolean {
  return rows.length === 0 || rows.some((row) => id === row || id.startsWith(`${row}-`));
}

async function measure(mutant: Mutant): Promise<Outcome | null> {
  const overlay = makeOverlay(root, mutant);
  if ("error" in overlay) throw new Error(overlay.error);
  try {
    const url = pathToFileURL(join(overlay.dist, "sim", "simulate.js")).href;
    const { simulate } = (await import(url)) as { readonly simulate: typeof Simulate };
    const start = firstFailure(mutant, simulate);
    if (start === null) return null;
    const { seed } = start;
    const scenario = scenarioOf(start.scenario);
    const startedMs = performance.now();
    const shrunk = shrink(
      (decisions, stopAtStep) => simulate(scenario, { seed, decisions, stopAtStep }),
      start,
      { rerunsMax: limits.reruns },
    );
    const seconds = (performance.now() - startedMs) / 1_000;
    return { mutant: mutant.id, scenario: scenario.name, seed, shrunk, seconds };
  } finally {
    overlay.remove();
  }
}

/** Scenarios of the mutant take turns, a seed each. */
function firstFailure(mutant: Mutant, simulate: typeof Simulate): RunResult | null {
  for (let n = 0; n < Number(options.seeds); n++) {
    const scenario = scenarioOf(mutant.scenarios[n % mutant.scenarios.length]!);
    const result = runOf(simulate, scenario, Number(options.from) + n);
    const property = result?.failure?.property ?? "";
    if (isSafety(property) && mutant.breaks.includes(property)) return result;
  }
  return null;
}

/** Null where the bug broke the simulator's own assumptions, which is no failure to shrink. */
function runOf(simulate: typeof Simulate, scenario: Scenario, seed: number): RunResult | null {
  try {
    return simulate(scenario, { seed, stopAtStep: stepsMax });
  } catch {
    return null;
  }
}

function scenarioOf(name: string): Scenario {
  return scenarios.find((scenario) => scenario.name === name)!;
}

function isWithin({ shrunk: { outcome, after, reruns, minimal } }: Outcome): boolean {
  const { faults, operations, draws, nodes } = after;
  const small = faults <= limits.faults && operations <= limits.operations && nodes <= limits.nodes;
  const proven = minimal || faults + operations + draws > minimalMax;
  const same = outcome === "smaller" || outcome === "same";
  return small && proven && same && reruns < limits.reruns;
}

function lineOf(outcome: Outcome): string {
  const { mutant, scenario, seed, shrunk, seconds } = outcome;
  const { before, after, reruns, minimal } = shrunk;
  const counts = (["faults", "operations", "draws", "nodes"] as const).map(
    (name) => `${name} ${before[name]} -> ${after[name]}`,
  );
  return [
    isWithin(outcome) ? "within   " : "too large",
    mutant.padEnd(36),
    `${scenario} ${seed}`.padEnd(30),
    ...counts,
    `${shrunk.outcome}, ${reruns} runs, ${minimal ? "minimal" : "not proven minimal"}`,
    `${seconds.toFixed(0)} s`,
  ].join("  ");
}
