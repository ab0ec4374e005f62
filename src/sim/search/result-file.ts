/** What a search, or a shard of one, leaves in its folder; `merge` joins them. */
import { isAbsolute, join, relative } from "node:path";
import { z } from "zod";
import { buildSchema, otherCode, type Build } from "./artifact/build.js";
import { readJson, writeWhole, type Format, type Read } from "./artifact/json-file.js";
import { shardRuns, shardsMax, type SearchPlan } from "./seeds.js";
import { addTally, emptyTally, measures, type Tally } from "./tally.js";

export interface ResultFile {
  readonly format: "quorumlab-search";
  readonly version: 2;
  readonly made: Build;
  readonly plan: SearchPlan;
  /** True if they are all the scenarios that there were. */
  readonly allScenarios: boolean;
  /** True if every run of the shard was done. */
  readonly complete: boolean;
  readonly wallMs: number;
  readonly tally: Tally;
  readonly failures: readonly FailureRow[];
}

/** A failure in a line. */
export interface FailureRow {
  readonly run: number;
  readonly scenario: string;
  readonly seed: number;
  readonly property: string;
  readonly message: string;
  readonly step: number;
  readonly digest: string;
  /** Path of the failure file, in the file from its own folder; null: there were too many to keep. */
  readonly artifact: string | null;
}

export interface Merged {
  readonly files: readonly ResultFile[];
  readonly tally: Tally;
  readonly failures: readonly FailureRow[];
  readonly wallMs: number;
  /** Shards that did not finish or are not there. */
  readonly missing: readonly string[];
}

const fileName = "search.json";
const fileFormat: Format = { format: "quorumlab-search", version: 2 };

const count = z.int().min(0);
const counts = z.record(z.string(), count);

const plannedSchema = z.object({ runs: count, inertRuns: count });

const tallySchema = z
  .object({
    seeds: count,
    passed: count,
    failed: count,
    inconclusive: count,
    perRun: z.object({
      steps: z.array(count),
      simulatedUs: z.array(count),
      acknowledged: z.array(count),
      leaderChanges: z.array(count),
    }),
    faults: z.record(
      z.string(),
      z.object({ fired: count, effective: count, drawnRuns: count, effectiveRuns: count }),
    ),
    marks: counts,
    scenarios: z.record(
      z.string(),
      z.object({
        runs: count,
        violations: count,
        planned: z.record(z.string(), z.record(z.string(), plannedSchema)),
      }),
    ),
  })
  .refine(
    ({ seeds, passed, failed, inconclusive, perRun }) =>
      passed + failed + inconclusive === seeds &&
      measures.every((measure) => perRun[measure].length === seeds),
    "the counts do not add up",
  ) as unknown as z.ZodType<Tally>;

const planSchema = z
  .object({
    scenarios: z.array(z.string()).min(1),
    from: count,
    runs: count.nullable(),
    safetyOnly: z.boolean(),
    shard: z.object({ index: z.int().min(1), of: z.int().min(1).max(shardsMax) }),
  })
  .refine(({ shard }) => shard.index <= shard.of, "there are not so many shards");

const schema: z.ZodType<ResultFile> = z
  .object({
    format: z.literal("quorumlab-search"),
    version: z.literal(2),
    made: buildSchema,
    plan: planSchema,
    allScenarios: z.boolean(),
    complete: z.boolean(),
    wallMs: z.number().min(0),
    tally: tallySchema,
    failures: z.array(
      z.object({
        run: count,
        scenario: z.string(),
        seed: count,
        property: z.string(),
        message: z.string(),
        step: count,
        digest: z.string(),
        artifact: z.string().nullable(),
      }),
    ),
  })
  .superRefine(({ plan, complete, tally, failures }, context) => {
    const refuse = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    const runs = shardRuns(plan);
    if (tally.seeds > runs) refuse("tally", `there are ${tally.seeds} runs, planned were ${runs}`);
    if (complete && plan.runs !== null && tally.seeds < runs) {
      refuse("complete", `only ${tally.seeds} of the ${runs} planned runs are there`);
    }
    if (failures.length !== tally.failed) {
      refuse("failures", `there are ${failures.length}, counted were ${tally.failed}`);
    }
  });

export function resultPath(folder: string): string {
  return join(folder, fileName);
}

/**
 * Failure files are named as they lie from the folder, so that it can be moved, as shards are.
 * @throws NodeJS.ErrnoException when the system refuses
 */
export function writeResultFile(folder: string, file: ResultFile): void {
  const failures = withPaths(file.failures, (path) => relative(folder, path));
  writeWhole(resultPath(folder), [JSON.stringify({ ...file, failures }), "\n"]);
}

/** Paths of failure files begin with the folder as it was given. */
export function readResultFile(folder: string): Read<ResultFile> {
  const read = readJson(resultPath(folder), schema, fileFormat);
  if ("problem" in read) return read;
  const failures = withPaths(read.ok.failures, (path) =>
    isAbsolute(path) ? path : join(folder, path),
  );
  return { ok: { ...read.ok, failures } };
}

function withPaths(rows: readonly FailureRow[], map: (path: string) => string): FailureRow[] {
  return rows.map((row) => ({
    ...row,
    artifact: row.artifact === null ? null : map(row.artifact),
  }));
}

/** The whole of which the files are shards, or why they are not shards of one search. */
export function mergeResults(files: readonly ResultFile[]): Merged | { readonly error: string } {
  const first = files[0];
  if (first === undefined) return { error: "there is nothing to merge" };
  const tally = emptyTally();
  const failures: FailureRow[] = [];
  const seen = new Set<number>();
  const missing: string[] = [];
  let wallMs = 0;
  for (const file of files) {
    const { index, of } = file.plan.shard;
    const stranger = difference(first, file);
    if (stranger !== null) return { error: `shard ${index}/${of} has another ${stranger}` };
    if (seen.has(index)) return { error: `shard ${index}/${of} is there twice` };
    seen.add(index);
    addTally(tally, file.tally);
    failures.push(...file.failures);
    if (!file.complete) missing.push(`shard ${index}/${of} did not finish`);
    // Shards run side by side: the slowest is what one waits for.
    wallMs = Math.max(wallMs, file.wallMs);
  }
  const { of } = first.plan.shard;
  for (let index = 1; index <= of; index++) {
    if (!seen.has(index)) missing.push(`shard ${index}/${of} is not there`);
  }
  failures.sort((a, b) => a.run - b.run);
  return { files, tally, failures, wallMs, missing };
}

/** What of two files cannot be of one search; null if they can. */
function difference(one: ResultFile, other: ResultFile): string | null {
  const code = otherCode(one.made, other.made);
  if (code !== null) return code;
  if (one.made.node !== other.made.node) return "version of Node.js";
  if (one.plan.scenarios.join() !== other.plan.scenarios.join()) return "list of scenarios";
  if (one.plan.from !== other.plan.from) return "first seed";
  if (one.plan.runs !== other.plan.runs) return "number of seeds";
  if (one.plan.safetyOnly !== other.plan.safetyOnly) return "choice of --safety-only";
  if (one.plan.shard.of !== other.plan.shard.of) return "number of shards";
  return null;
}
