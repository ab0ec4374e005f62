/** What the documents show is what the program takes: code compiles, command lines parse. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { makeProgram } from "../../src/cli/program.js";
import { scenarios } from "../../scenarios/index.js";
import { mutants } from "../mutants/index.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Below the repository, so that the package's own name is found from there. */
const folder = join(root, "out", "snippets-test");

const guide = readdirSync(join(root, "docs/guide")).map((name) => `docs/guide/${name}`);
const documents = ["README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", ...guide]
  .filter((path) => path.endsWith(".md"))
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

interface Shown {
  /** Where it stands, as `README.md:12`. */
  readonly at: string;
  readonly text: string;
}

/** Every text that the pattern's group `text` matches. */
function shown(pattern: RegExp): readonly Shown[] {
  return documents.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map((match) => ({
      at: `${path}:${text.slice(0, match.index).split("\n").length}`,
      text: match.groups!["text"]!,
    })),
  );
}

describe("documents: code", () => {
  const blocks = shown(/^```ts\n(?<text>[\s\S]*?)^```$/gm).filter(({ text }) =>
    /from "quorumlab(?:\/\w+)?"/.test(text),
  );
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("every block that imports quorumlab compiles against the built package", () => {
    expect(blocks.length).toBeGreaterThan(0);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    // Blocks may import what lies beside the guide.
    for (const path of guide.filter((name) => name.endsWith(".ts"))) {
      cpSync(join(root, path), join(folder, path.replace("docs/guide/", "")));
    }
    for (const { at, text } of blocks) {
      writeFileSync(join(folder, `${at.replaceAll(/[/.:]/g, "-")}.ts`), text);
    }
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: "../../tsconfig.base.json",
        compilerOptions: {
          composite: false,
          declaration: false,
          declarationMap: false,
          isolatedDeclarations: false,
          noEmit: true,
          skipLibCheck: true,
          types: ["node"],
        },
        include: ["*.ts"],
      }),
    );
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const ran = spawnSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
    expect(ran.stdout + ran.stderr).toBe("");
    expect(ran.status).toBe(0);
  });
});

/** Placeholders are spelt like `NAME.json`, `SCENARIO` or `your-scenario`. */
const placeholder = /[A-Z]|^your-/;

/** Parsed by the program's own verbs, with nothing done; null when all is well. */
function wrongIn(line: string): string | null {
  const words = line
    .replace(/\s(?:#|&&|\|\||[|>]).*/, "")
    .trim()
    .split(/\s+/);
  const silent = { write: () => true, isTTY: false };
  const program = makeProgram({
    terminal: { stdout: silent, stderr: silent, env: {} },
    simulate: () => {
      throw new Error("nothing is to be run");
    },
    onInterrupt: () => () => {},
    exitCode: 0,
  });
  const verb = program.commands.find((command) => command.name() === words[0]);
  if (verb === undefined) return `no verb ${words[0]}`;
  const below = verb.commands;
  if (below.length > 0 && !below.some((command) => command.name() === words[1])) {
    return `${words[0]} has no ${words[1]}`;
  }
  for (const command of [verb, ...below]) command.action(() => {});
  try {
    program.parse(words, { from: "user" });
  } catch (error) {
    return (error as Error).message;
  }
  if (verb.opts()["scenarios"] !== undefined) return null;
  const named = verb.args.filter((word) => !placeholder.test(word));
  const known = knownTo(verb.name());
  return named.every(known) ? null : `${verb.name()} knows nothing of ${named.join(" ")}`;
}

function knownTo(verb: string): (name: string) => boolean {
  if (["run", "search", "check-determinism"].includes(verb)) {
    return (name) => scenarios.some((scenario) => scenario.name === name);
  }
  if (verb === "mutants") {
    return (name) => mutants.some(({ id }) => id === name || id.startsWith(`${name}-`));
  }
  return () => true;
}

describe("documents: command lines", () => {
  const lines = shown(/npx quorumlab (?<text>(?:[^\n`\\]|\\\n)+)/g).map(({ at, text }) => ({
    at,
    text: text.replaceAll("\\\n", " ").trim(),
  }));

  test("there are some", () => {
    expect(lines.length).toBeGreaterThan(5);
  });

  test.each(lines)("$at: npx quorumlab $text", ({ text }) => {
    expect(wrongIn(text)).toBeNull();
  });

  test("a wrong verb, option, value or name is noticed", () => {
    for (const line of [
      "serch --seeds 5",
      "search --sedes 5",
      "search --jobs none",
      "search no-such",
      "hsm lst",
      "hsm list --lable x",
      "mutants 99999",
    ]) {
      expect(wrongIn(line)).not.toBeNull();
    }
  });
});

describe("documents: scripts", () => {
  test("every `npm run` that is shown is there", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const wanted = shown(/npm run (?<text>[\w:-]+)/g);
    expect(wanted.filter(({ text }) => !Object.hasOwn(manifest.scripts, text))).toEqual([]);
  });
});
