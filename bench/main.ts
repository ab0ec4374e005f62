/**
 * `npm run bench` measures everything, `npm run bench -- NAME...` some of it. Every figure is a ratio
 * against something measured in the same run. `--format jsonl` prints one line each.
 */
import { benchChecker } from "./checker-family.js";
import type { Figure } from "./figure.js";
import { benchGroups } from "./groups-family.js";
import { benchRaft } from "./raft-family.js";
import { benchSearch } from "./search-family.js";
import { benchSim } from "./sim-family.js";

const families: Readonly<Record<string, () => Promise<readonly Figure[]> | readonly Figure[]>> = {
  sim: benchSim,
  search: benchSearch,
  checker: benchChecker,
  raft: benchRaft,
  groups: benchGroups,
};

const usage = `usage: npm run bench -- [${Object.keys(families).join("|")}]... [--format pretty|jsonl]\n`;

const { names, jsonl } = parse(process.argv.slice(2));
for (const name of names) {
  process.stderr.write(`measuring ${name} ...\n`);
  for (const figure of await families[name]!()) print(figure);
}

function parse(words: readonly string[]): {
  readonly names: readonly string[];
  readonly jsonl: boolean;
} {
  const asked: string[] = [];
  let format = process.stdout.isTTY ? "pretty" : "jsonl";
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--format") format = words[++at] ?? "";
    else if (Object.hasOwn(families, word)) asked.push(word);
    else wrong(`no such family: ${word}`);
  }
  if (format !== "pretty" && format !== "jsonl") wrong(`no such format: ${format}`);
  return { names: asked.length > 0 ? asked : Object.keys(families), jsonl: format === "jsonl" };
}

function wrong(message: string): never {
  process.stderr.write(`bench: ${message}\n${usage}`);
  process.exit(64);
}

function print(figure: Figure): void {
  if (jsonl) process.stdout.write(`${JSON.stringify(figure)}\n`);
  else {
    const { name, value, unit, against, ratio } = figure;
    process.stdout.write(
      `${name.padEnd(32)} ${value.toPrecision(4).padStart(10)} ${unit.padEnd(14)} ${ratio.toPrecision(3).padStart(8)} x ${against}\n`,
    );
  }
}
