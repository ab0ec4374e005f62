/** Searches seeds until a mutant is caught, and makes sure that the same seed is fine without it. */
import type { RunResult } from "../../../lab/run-result.js";
import type { Mutant } from "./mutant.js";
import { makeOverlay } from "./overlay.js";
import { PlainRuns, Runner, propertyOf } from "./runner.js";

export interface HuntOptions {
  /** The package's folder. */
  readonly root: string;
  /** The first seed. Scenarios of a mutant take turns, a seed each. */
  readonly from: number;
  readonly seedsMax: number;
  readonly signal?: AbortSignal;
}

export interface Hunt {
  readonly id: string;
  readonly from: number;
  readonly killed: boolean;
  /** Seeds that were run, the one that caught it included. */
  readonly seeds: number;
  readonly steps: number;
  /** What caught it; null when nothing did. */
  readonly property: string | null;
  readonly failure: RunResult | null;
  readonly wallMs: number;
  /** Properties violated that the mutant is not said to break, and crashes, with their counts. */
  readonly others: Readonly<Record<string, number>>;
}

/**
 * Hunts `jobs` mutants at a time. One whose hunt was interrupted is left out: it neither fell nor
 * survived. Throws when one no longer applies to the source.
 */
export async function huntAll(
  mutants: readonly Mutant[],
  options: HuntOptions & { readonly jobs: number; readonly onHunt?: (hunt: Hunt) => void },
): Promise<readonly Hunt[]> {
  const plain = new PlainRuns(`${options.root}/dist`);
  const hunts = new Map<string, Hunt>();
  const left = [...mutants];
  const work = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      if (options.signal?.aborted === true) return;
      const hunt = await huntOne(mutant, options, plain);
      if (hunt === null) return;
      hunts.set(mutant.id, hunt);
      options.onHunt?.(hunt);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.jobs }, work));
  } finally {
    await plain.stop();
  }
  return mutants.flatMap(({ id }) => hunts.get(id) ?? []);
}

async function huntOne(
  mutant: Mutant,
  options: HuntOptions,
  plain: PlainRuns,
): Promise<Hunt | null> {
  const overlay = makeOverlay(options.root, mutant);
  if ("error" in overlay) throw new Error(overlay.error);
  const startedMs = performance.now();
  const mutated = new Runner(overlay.dist);
  const others: Record<string, number> = {};
  let steps = 0;
  let seeds = 0;
  let failure: RunResult | null = null;
  try {
    while (failure === null && seeds < options.seedsMax && options.signal?.aborted !== true) {
      const seed = options.from + seeds;
      const scenario = mutant.scenarios[seeds % mutant.scenarios.length]!;
      seeds++;
      const reply = await mutated.run({ scenario, seed });
      if (reply.kind === "ran") steps += reply.result.steps;
      const property = propertyOf(reply);
      if (property === null) continue;
      if (reply.kind === "crashed" || !mutant.breaks.includes(property)) count(others, property);
      else if ((await plain.property({ scenario, seed })) === null) failure = reply.result;
      else count(others, `${property} also without the mutant`);
    }
  } finally {
    await mutated.stop();
    overlay.remove();
  }
  if (failure === null && seeds < options.seedsMax) return null;
  return {
    id: mutant.id,
    from: options.from,
    killed: failure !== null,
    seeds,
    steps,
    property: failure?.failure?.property ?? null,
    failure,
    wallMs: Math.round(performance.now() - startedMs),
    others,
  };
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
