import type { Command } from "commander";
import { allMarks } from "../../core/marks.js";
import { faultKinds } from "../../lab/fault.js";
import { allOracles } from "../../lab/oracles/index.js";
import { livenessProperty } from "../../sim/phases.js";
import { scenariosOption } from "../options.js";
import { loadMutants } from "../planted.js";
import { table, type Output } from "../output.js";
import { loadScenarios } from "../scenarios.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";

interface ListOptions extends CommonOptions {
  readonly scenarios?: string;
}

export function listVerb(cli: Cli): Command {
  return verb(cli, {
    name: "list",
    about: "Lists scenarios, faults, properties, marks and mutants.",
    example: "npx quorumlab list",
    exits: [0, 65, 66, 69],
  })
    .addOption(scenariosOption())
    .action(acting(cli, list));
}

async function list(output: Output, options: ListOptions): Promise<0> {
  const { scenarios } = await loadScenarios(options.scenarios);
  section(
    output,
    "scenario",
    "Scenarios (* expects a violation)",
    scenarios.map(({ name, about, expect }) => ({
      name: expect === "violation" ? `${name} *` : name,
      record: { name, about, expect },
      about,
    })),
  );
  section(output, "fault", "Faults", named(faultKinds));
  section(
    output,
    "property",
    "Properties",
    [...allOracles, { ...livenessProperty, judges: "step" }].map(({ id, about, judges }) => ({
      name: id,
      about,
      record: { name: id, about, judges },
    })),
  );
  section(output, "mark", "Marks", named(allMarks));
  const { mutants } = await loadMutants();
  section(
    output,
    "mutant",
    "Mutants",
    mutants.map(({ id, about, breaks, source }) => ({
      name: id,
      about,
      record: { name: id, about, breaks: breaks.join(" "), source },
    })),
  );
  return 0;
}

interface Item {
  readonly name: string;
  readonly about: string;
  readonly record: Readonly<Record<string, string>>;
}

function named(table: Readonly<Record<string, string>>): Item[] {
  return Object.entries(table).map(([name, about]) => ({ name, about, record: { name, about } }));
}

function section(output: Output, kind: string, title: string, items: readonly Item[]): void {
  for (const { record } of items) output.record({ kind, ...record }, null);
  output.pretty(output.paint.bold(title));
  output.pretty(`${table(items.map(({ name, about }) => [name, about]))}\n`);
}
