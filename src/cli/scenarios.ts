/** Finds scenarios: those that ship, or those of a module that the user names. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Scenario } from "../lab/scenario.js";
import { CliError, usageError } from "./errors.js";
import { exitCode } from "./exit-codes.js";
import { nearest } from "./nearest.js";
import { scenarioProblem } from "./scenario-shape.js";

export interface ScenarioModule {
  readonly url: string;
  readonly scenarios: readonly Scenario[];
}

/** Seen alike from `src` and from `dist`. */
const shippedUrl = new URL("../../dist/scenarios/index.js", import.meta.url);

/** `path`: a module of the user's own that exports `scenarios`; none: those that ship. */
export async function loadScenarios(path: string | undefined): Promise<ScenarioModule> {
  const url = path === undefined ? shippedUrl : pathToFileURL(resolve(path));
  const name = path ?? "the scenarios";
  if (!existsSync(url)) {
    if (path !== undefined) throw new CliError(exitCode.noFile, `there is no file ${path}`);
    throw new CliError(exitCode.missing, "the scenarios are not built. Run: npm run build");
  }
  let loaded: { scenarios?: unknown };
  try {
    loaded = (await import(url.href)) as { scenarios?: unknown };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const hint = /\.[mc]?ts$/.test(name)
      ? "\nIt is TypeScript: compile it first, and name the JavaScript that comes of it."
      : "";
    throw new CliError(exitCode.damagedFile, `cannot load ${name}: ${message}${hint}`);
  }
  const { scenarios } = loaded;
  if (!Array.isArray(scenarios) || scenarios.length === 0) {
    throw new CliError(
      exitCode.damagedFile,
      `${name} must export "scenarios", a list of scenarios that is not empty`,
    );
  }
  checkScenarios(name, scenarios);
  return { url: url.href, scenarios: scenarios as Scenario[] };
}

export function findScenario({ scenarios }: ScenarioModule, name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  const meant = nearest(
    name,
    scenarios.map((scenario) => scenario.name),
  );
  const hint = meant === null ? "" : ` Did you mean ${meant}?`;
  throw usageError(`there is no scenario ${name}.${hint} All of them: npx quorumlab list`);
}

/** Those that are named, or all. */
export function chooseScenarios(
  from: ScenarioModule,
  names: readonly string[],
): readonly Scenario[] {
  return names.length === 0
    ? from.scenarios
    : [...new Set(names)].map((n) => findScenario(from, n));
}

/** Each is a scenario, and none has the name of another. */
function checkScenarios(name: string, scenarios: readonly unknown[]): void {
  const seen = new Set<string>();
  scenarios.forEach((scenario, at) => {
    const own = (scenario as Partial<Scenario> | null)?.name;
    const which = typeof own === "string" ? `scenario ${own}` : `its scenario ${at + 1}`;
    const problem = scenarioProblem(scenario);
    if (problem !== null) {
      throw new CliError(exitCode.damagedFile, `${name}: ${which}, ${problem}`);
    }
    if (seen.has(own!)) {
      throw new CliError(exitCode.damagedFile, `${name} has two scenarios of the name ${own}`);
    }
    seen.add(own!);
  });
}
