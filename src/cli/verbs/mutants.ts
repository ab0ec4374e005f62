import type { Command } from "commander";
import { currentBuild, defaultSeed } from "../../sim/search/artifact/build.js";
import { codeOf, writeWhole } from "../../sim/search/artifact/json-file.js";
import { huntAll, type Hunt } from "../../sim/search/mutants/hunt.js";
import { matrixPage } from "../../sim/search/mutants/matrix.js";
import type { Mutant } from "../../sim/search/mutants/mutant.js";
import { whyNotApplied } from "../../sim/search/mutants/overlay.js";
import { CliError, usageError, writing } from "../errors.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import { mutantsNamed } from "../named-mutants.js";
import { jobsOption, seedOption, wholeNumber } from "../options.js";
import { duration, grouped, type Output } from "../output.js";
import { loadMutants, mutantFlag, packageFolder, type ShippedMutants } from "../planted.js";
import { headerRecord } from "../report.js";
import { checkTarget } from "../runs.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";

interface MutantsOptions extends CommonOptions {
  readonly seeds: number;
  readonly from?: number;
  readonly jobs: number;
  readonly quick?: boolean;
  readonly matrix?: string;
}

const seedsDefault = 2_000;
/** Further starts of a matrix, beside the first seed that was asked for. */
const furtherStarts: readonly number[] = [1, 1_000_001, 2_000_001, 3_000_001];

export function mutantsVerb(cli: Cli): Command {
  return verb(cli, {
    name: "mutants",
    about: "Plants known bugs, one at a time, and searches seeds until each is caught.",
    example: "npx quorumlab mutants --quick --jobs 4",
    exits: [0, 1, 69, 73, 130],
  })
    .argument("[id...]", "mutants by id, or by the row that it begins with (default: all)")
    .option("--seeds <n>", "at most so many for each", (text) => wholeNumber(text), seedsDefault)
    .addOption(seedOption("--from <seed>", "the first seed (default: the built commit)"))
    .addOption(jobsOption())
    .option("--quick", "only a few that fall soon")
    .option("--matrix <file>", "hunts from five starts and writes a page on what caught what")
    .action(
      acting(cli, (output: Output, options: MutantsOptions, ids: readonly string[]) =>
        mutants(cli, output, options, ids),
      ),
    );
}

async function mutants(
  cli: Cli,
  output: Output,
  options: MutantsOptions,
  ids: readonly string[],
): Promise<ExitCode> {
  const shipped = await loadMutants();
  const chosen = choose(shipped, ids, options.quick === true);
  const stale = chosen.flatMap((mutant) => whyNotApplied(packageFolder, mutant) ?? []);
  if (stale.length > 0) throw new CliError(exitCode.ourFault, stale.join("\n"));
  const { matrix } = options;
  if (matrix !== undefined) checkTarget(matrix);
  const build = currentBuild();
  const from = options.from ?? defaultSeed(build);
  const starts = matrix === undefined ? [from] : [from, ...furtherStarts];
  const { seeds: seedsMax, jobs } = options;
  const stop = new AbortController();
  const forget = cli.onInterrupt(() => stop.abort());
  output.record(headerRecord(build, { mutants: chosen.length, starts, seeds: seedsMax }), null);
  const startedMs = performance.now();
  const hunts: Hunt[] = [];
  try {
    for (const start of starts) {
      const { signal } = stop;
      const common = { root: packageFolder, from: start, seedsMax, jobs, signal };
      hunts.push(...(await huntAll(chosen, { ...common, onHunt: (hunt) => tell(output, hunt) })));
    }
  } catch (error) {
    // All that a hunt asks of the system is a copy of the package.
    if (codeOf(error) === "unknown") throw error;
    throw new CliError(
      exitCode.cannotWrite,
      `cannot write a copy of the package: ${codeOf(error)}`,
    );
  } finally {
    forget();
  }
  const unfinished = chosen.length * starts.length - hunts.length;
  tellEnd(output, { hunts, unfinished, wallMs: performance.now() - startedMs });
  if (stop.signal.aborted) return exitCode.interrupted;
  if (matrix !== undefined) {
    const { excluded } = shipped;
    const page = { mutants: chosen, excluded, hunts, starts, seedsMax, commit: build.commit };
    writing(matrix, () => writeWhole(matrix, [matrixPage(page)]));
  }
  return hunts.every(({ killed }) => killed) ? exitCode.held : exitCode.violated;
}

function choose(
  { mutants: all, quickMutants }: ShippedMutants,
  ids: readonly string[],
  quick: boolean,
): readonly Mutant[] {
  if (quick && ids.length > 0) throw usageError("--quick chooses by itself; leave the ids out");
  if (quick) return all.filter(({ id }) => quickMutants.includes(id));
  if (ids.length === 0) return all;
  const wanted = new Set<Mutant>();
  for (const asked of ids) {
    for (const mutant of mutantsNamed(all, asked)) wanted.add(mutant);
  }
  return [...wanted];
}

function tell(output: Output, hunt: Hunt): void {
  const { id, from, killed, seeds, steps, property, wallMs, others, failure } = hunt;
  const { green, red } = output.paint;
  const where = failure === null ? "" : `  ${failure.scenario}, seed ${failure.seed}`;
  const replay = replayLine(hunt);
  const odd = Object.entries(others).map(([name, count]) => `${name} x${count}`);
  const record = {
    kind: "mutant",
    id,
    from,
    killed,
    seeds,
    steps,
    property,
    wallMs,
    scenario: failure?.scenario ?? null,
    seed: failure?.seed ?? null,
    message: failure?.failure?.message ?? null,
    others,
    replay,
  };
  output.record(
    record,
    `${killed ? green("killed  ") : red("survived")}  ${id}: ${property ?? "nothing"} after ` +
      `${grouped(seeds)} seeds, ${duration(wallMs)}${where}` +
      (odd.length > 0 ? `\n          also: ${odd.join("; ")}` : "") +
      (replay === null ? "" : `\n          ${replay}`),
  );
}

/** What can be pasted to see the failure that caught it. */
function replayLine({ id, failure }: Hunt): string | null {
  if (failure === null) return null;
  const { scenario, seed } = failure;
  return `npx quorumlab replay ${seed} --scenario ${scenario}${mutantFlag(id)}`;
}

function tellEnd(
  output: Output,
  {
    hunts,
    unfinished,
    wallMs,
  }: { readonly hunts: readonly Hunt[]; readonly unfinished: number; readonly wallMs: number },
): void {
  const survived = hunts.filter(({ killed }) => !killed).map(({ id }) => id);
  const killed = hunts.length - survived.length;
  output.record(
    {
      kind: "summary",
      hunts: hunts.length,
      killed,
      survived,
      unfinished,
      wallMs: Math.round(wallMs),
    },
    `${killed} of ${hunts.length} killed, ${duration(wallMs)}` +
      (survived.length > 0 ? `; survived: ${survived.join(", ")}` : "") +
      (unfinished > 0 ? `; unfinished: ${unfinished}` : ""),
  );
}
