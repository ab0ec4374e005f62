/** Seeds as people write them, and which runs a search is made of. */

/** Seeds are below this. */
export const seedLimit: number = Number.MAX_SAFE_INTEGER;

/** One run of a search: the scenarios take turns, the seeds count up. */
export interface PlannedRun {
  /** Its place among all runs of the search, over all shards. */
  readonly run: number;
  readonly scenario: string;
  readonly seed: number;
  readonly safetyOnly: boolean;
}

export interface SearchPlan {
  /** Names, in the order in which they take turns. */
  readonly scenarios: readonly string[];
  /** Seed of the first run. */
  readonly from: number;
  /** Runs in all shards together; null: as many as the budget of time allows. */
  readonly runs: number | null;
  /** Lifts the budget of faults, and asks only that nothing wrong is ever said. */
  readonly safetyOnly: boolean;
  readonly shard: Shard;
}

/** Takes every `of`-th run, beginning with number `index` (from 1). */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

export const shardsMax = 4_096;

/** How many runs fall to the shard of the plan; Infinity for a search without an end. */
export function shardRuns({ runs, shard }: SearchPlan): number {
  if (runs === null) return Infinity;
  return Math.max(0, Math.ceil((runs - (shard.index - 1)) / shard.of));
}

/** The `ordinal`-th run of the plan's shard. */
export function runAt(plan: SearchPlan, ordinal: number): PlannedRun {
  const { scenarios, from, shard, safetyOnly } = plan;
  const run = shard.index - 1 + ordinal * shard.of;
  return { run, scenario: scenarios[run % scenarios.length]!, seed: from + run, safetyOnly };
}

/** A decimal below 2^53, hex with 0x, or a commit's 40 digits; null for anything else. */
export function parseSeed(text: string): number | null {
  if (/^[0-9a-fA-F]{40}$/.test(text)) return seedOfCommit(text);
  if (!/^(?:[0-9]{1,16}|0[xX][0-9a-fA-F]{1,14})$/.test(text)) return null;
  const seed = Number(text);
  return Number.isSafeInteger(seed) ? seed : null;
}

/** A commit stands for its first 8 digits. */
export function seedOfCommit(commit: string): number {
  return Number.parseInt(commit.slice(0, 8), 16);
}

/** `A..B`, both included; null for anything else. */
export function parseSeedRange(text: string): { from: number; runs: number } | null {
  const [first, last, ...more] = text.split("..").map(parseSeed);
  if (first === undefined || first === null || last === undefined || last === null) return null;
  if (more.length > 0 || last < first) return null;
  return { from: first, runs: last - first + 1 };
}

/** `i/n` with i from 1 to n; null for anything else. */
export function parseShard(text: string): Shard | null {
  const match = /^([0-9]{1,5})\/([0-9]{1,5})$/.exec(text);
  if (match === null) return null;
  const [index, of] = [Number(match[1]), Number(match[2])];
  return index >= 1 && index <= of && of <= shardsMax ? { index, of } : null;
}

/** `90s`, `10m`, `2h` or `500ms`, in milliseconds; null for anything else. */
export function parseDuration(text: string): number | null {
  const match = /^([0-9]{1,9})(ms|s|m|h)$/.exec(text);
  if (match === null) return null;
  return Number(match[1]) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match[2]!]!;
}
