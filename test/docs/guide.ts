/** What the chapters show with code of their own beside them: run as shown, and run with changes. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunResult } from "../../src/lab/run-result.js";
import type { Scenario } from "../../src/lab/scenario.js";
import { simulate } from "../../src/sim/simulate.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What `npx` finds, without its asking whether that is installed. */
const programs: Readonly<Record<string, readonly [string, ...string[]]>> = {
  quorumlab: [process.execPath, join(root, "bin/quorumlab.js")],
  esbuild: [join(root, "node_modules/.bin/esbuild")],
};

/** Of one chapter. `name` is that of its code without the ending. */
export class Chapter {
  readonly text: string;
  readonly source: string;
  readonly #name: string;
  /** Below the repository, so that the package's own name is found from there. */
  readonly #folder: string;
  #copies = 0;

  constructor(page: string, name: string) {
    this.#name = name;
    this.#folder = join(root, "out", `guide-test-${name}`);
    this.text = readFileSync(join(root, "docs/guide", page), "utf8");
    this.source = readFileSync(join(root, `docs/guide/${name}.ts`), "utf8");
  }

  clean(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The scenarios of the code with one text, which must be there once, in place of another. */
  async changed(before: string, after: string): Promise<readonly Scenario[]> {
    if (this.source.split(before).length !== 2) throw new Error(`not there once: ${before}`);
    mkdirSync(this.#folder, { recursive: true });
    // A module is loaded once for each path.
    const path = join(this.#folder, `changed-${++this.#copies}.ts`);
    writeFileSync(path, this.source.replace(before, after));
    const { scenarios } = (await import(path)) as { scenarios: readonly Scenario[] };
    return scenarios;
  }

  /** Runs all command lines that the chapter shows, in a folder that holds nothing but its code. */
  runShown(): readonly { readonly code: number | null; readonly stdout: string }[] {
    this.clean();
    mkdirSync(this.#folder, { recursive: true });
    const code = `docs/guide/${this.#name}.ts`;
    cpSync(join(root, code), join(this.#folder, code));
    return [...this.text.matchAll(/^npx (?<program>\w+) (?<typed>.+)$/gm)].map((match) => {
      const { program, typed } = match.groups as { program: string; typed: string };
      const [command, ...first] = programs[program]!;
      const args = [...first, ...typed.split(" ")];
      const ran = spawnSync(command, args, { cwd: this.#folder, encoding: "utf8" });
      return { code: ran.status, stdout: ran.stdout };
    });
  }
}

export function firstViolation(scenario: Scenario, seeds: number): RunResult | null {
  for (let seed = 1; seed <= seeds; seed++) {
    const result = simulate(scenario, { seed });
    if (result.verdict === "violation") return result;
  }
  return null;
}
