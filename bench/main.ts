/**
 * `npm run bench` measures everything, `npm run bench -- NAME...` some of it. Every figure is a ratio
 * against something measured in the same run. `--format jsonl` prints one line each, `--format table` a
 * Markdown table for each family.
 */
import { benchChecker } from "./checker-family.js";
import type { Figure } from "./figure.js";
import { benchGroups } from "./groups-family.js";
import { benchHsm } from "./hsm-family.js";
import { benchIsolation } from "./isolation-family.js";
import { benchRaft } from "./raft-family.js";
import { benchRing } from "./ring-family.js";
import { benchSearch } from "./search-family.js";
import { benchSim } from "./sim-family.js";
import { benchSpread } from "./spread-family.js";
import { tableOf } from "./table.js";

const families: Readonly<Record<string, () => Promise<readonly Figure[]> | readonly Figure[]>> = {
  sim: benchSim,
  search: benchSearch,
  checker: benchChecker,
  raft: benchRaft,
  groups: benchGroups,
  ring: benchRing,
  isolation: benchIsolation,
  spread: benchSpread,
  hsm: benchHsm,
};

const usage = `usage: npm run bench -- [${Object.keys(families).join("|")}]... [--format pretty|jsonl|table]\n`;

const formats = ["pretty", "jsonl", "table"];

const { names, format } = parse(process.argv.slice(2));
for (const name of names) {
  process.stderr.write(`measuring ${name} ...\n`);
  const figures = await families[name]!();
  if (format === "table") process.stdout.write(tableOf(figures));
  else for (const figure of figures) print(figure);
}

function parse(words: readonly string[]): {
  readonly names: readonly string[];
  readonly format: string;
} {
  const asked: string[] = [];
  let asFormat = process.stdout.isTTY ? "pretty" : "jsonl";
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--format") asFormat = words[++at] ?? "";
    else if (Object.hasOwn(families, word)) asked.push(word);
    else wrong(`no such family: ${word}`);
  }
  if (!formats.includes(asFormat)) wrong(`no such format: ${asFormat}`);
  return { names: asked.length > 0 ? asked : Object.keys(families), format: asFormat };
}

function wrong(message: string): never {
  process.stderr.write(`bench: ${message}\n${usage}`);
  process.exit(64);
}

function print(figure: Figure): void {
  if (format === "jsonl") process.stdout.write(`${JSON.stringify(figure)}\n`);
  else {
    const { name, value, unit, against, ratio } = figure;
    process.stdout.write(
      `${name.padEnd(32)} ${value.toPrecision(4).padStart(10)} ${unit.padEnd(14)} ${ratio.toPrecision(3).padStart(8)} x ${against}\n`,
    );
  }
}
