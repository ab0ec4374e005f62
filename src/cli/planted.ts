/** A known bug planted into a copy of the built package, whose simulator stands in for ours. */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Option } from "commander";
import type { Excluded, Mutant } from "../sim/search/mutants/mutant.js";
import { makeOverlay } from "../sim/search/mutants/overlay.js";
import type { simulate } from "../sim/simulate.js";
import type { FailureFile } from "../sim/search/artifact/failure-file.js";
import { CliError, writing } from "./errors.js";
import { exitCode } from "./exit-codes.js";
import { oneMutant } from "./named-mutants.js";
import type { Output } from "./output.js";
import type { Cli } from "./verb.js";

/** The package's folder, seen alike from `src` and from `dist`. */
export const packageFolder: string = fileURLToPath(new URL("../../", import.meta.url));

export interface ShippedMutants {
  readonly mutants: readonly Mutant[];
  readonly excluded: readonly Excluded[];
  readonly quickMutants: readonly string[];
}

export async function loadMutants(): Promise<ShippedMutants> {
  const path = join(packageFolder, "dist", "mutants", "index.js");
  if (!existsSync(path)) {
    throw new CliError(exitCode.missing, "the mutants are not built. Run: npm run build");
  }
  return (await import(pathToFileURL(path).href)) as ShippedMutants;
}

export function mutantOption(): Option {
  return new Option("--mutant <id>", "with this known bug planted; `list` names them");
}

/** What a line that is meant to be pasted says of the mutant. */
export function mutantFlag(id: string | undefined): string {
  return id === undefined ? "" : ` --mutant ${id}`;
}

/** The same for a failure file: the mutant that it was made with, unless another was asked for. */
export function withMutantOf<Result>(
  { cli, output }: { readonly cli: Cli; readonly output: Output },
  { mutant: own }: FailureFile,
  asked: string | undefined,
  act: (cli: Cli) => Promise<Result> | Result,
): Promise<Result> {
  const mutant = asked ?? own ?? undefined;
  if (own !== null) {
    const now = mutant === own ? "which is planted again" : `now ${mutant} is planted`;
    output.note(`note: the file was made with mutant ${own}, ${now}`);
  }
  return withMutant(cli, mutant, act);
}

/** Runs `act` with a command line whose simulator has the bug in it; without an id, with ours. */
export async function withMutant<Result>(
  cli: Cli,
  id: string | undefined,
  act: (cli: Cli) => Promise<Result> | Result,
): Promise<Result> {
  if (id === undefined) return act(cli);
  const planted = await loadPlanted(cli, oneMutant((await loadMutants()).mutants, id));
  const mutated: Cli = { ...cli, simulate: planted };
  const result = await act(mutated);
  cli.exitCode = mutated.exitCode;
  return result;
}

/** The copy is gone again once it is loaded: what runs may be interrupted at any time. */
async function loadPlanted(cli: Cli, mutant: Mutant): Promise<typeof simulate> {
  // What is in use is removed as the process ends.
  const forget = cli.onInterrupt(() => process.exit(exitCode.interrupted));
  try {
    return await importPlanted(mutant);
  } finally {
    forget();
  }
}

async function importPlanted(mutant: Mutant): Promise<typeof simulate> {
  const overlay = writing(tmpdir(), () => makeOverlay(packageFolder, mutant));
  if ("error" in overlay) throw new CliError(exitCode.ourFault, overlay.error);
  try {
    const url = pathToFileURL(join(overlay.dist, "sim", "simulate.js")).href;
    return ((await import(url)) as { readonly simulate: typeof simulate }).simulate;
  } finally {
    overlay.remove();
  }
}
