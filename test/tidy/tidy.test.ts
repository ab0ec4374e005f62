/** House rules that neither the compiler nor lint can state. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sourceLinesMax = 450;

/** Everything that is or would be committed. */
const files = execFileSync(
  "git",
  ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
  { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 },
)
  .split("\0")
  .filter((path) => path !== "" && existsSync(join(root, path)));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Whose outcome must be a function of its inputs. The search starts workers and is not among them. */
const isPure = (path: string): boolean =>
  /^(src\/(core|lab|sim)|scenarios)\/.*\.ts$/.test(path) && !path.startsWith("src/sim/search/");

interface Rule {
  readonly applies: (path: string) => boolean;
  readonly broken: RegExp;
  /** Stripped of comments first. */
  readonly codeOnly?: boolean;
  /** Texts that must break the rule, and texts that must not. */
  readonly bad: readonly string[];
  readonly good: readonly string[];
}

// Spelt in parts, so that this file keeps its own rules.
const rules: Record<string, Rule> = {
  "no registry host": {
    applies: () => true,
    broken: /\bregistry\.[\w-]+\.\w+|"resolved":\s*"http|^\s*(?:@\S+:)?registry\s*=/m,
    bad: [
      `https://${"registry"}.npmjs.org/x`,
      `"resolved"${": "}"https://a/b.tgz"`,
      "registry" + "=x",
    ],
    good: ['"resolved": false', "a registry of pages"],
  },
  "no path or name of the place where it was written": {
    applies: (path) => path !== "package-lock.json",
    broken: /\/work\/|\bfarm/i,
    bad: [`cd /${"work"}/main`, `the ${"Far"}m`],
    good: ["a framework/x", "at work"],
  },
  "no lint or type rule switched off inside the fences": {
    applies: isPure,
    broken: /(?:oxlint|eslint)-disable|@ts-(?:ignore|expect-error|nocheck)/,
    bad: ["// oxlint" + "-disable-next-line", "// @ts" + "-ignore"],
    good: ["// disabled"],
  },
  "no dynamic import inside the fences": {
    applies: isPure,
    // import("./x.js").Name is a type.
    broken: /\bimport\s*\((?!"[^"]*"\)\.[A-Z])/,
    codeOnly: true,
    bad: ['const x = import("node:fs");'],
    good: ['import { x } from "./x.js";', 'type X = import("./x.js").X;', "important(1)"],
  },
  "no inexact power inside the fences": {
    applies: isPure,
    // Between two literals the result is a constant that every engine gets right.
    broken: /(?:[A-Za-z_$)\]][\w$]*\s*\*\*|\*\*=|\*\*\s*[A-Za-z_$(-])/,
    codeOnly: true,
    bad: ["x ** 2", "2 ** x", "x **= 2", "f(x) ** 2", "2 ** -1"],
    good: ["2 ** 53", "/** x ** y */", "a * b"],
  },
  "nothing left to do": {
    applies: (path) => /^(src|scenarios|bin|bench|tools)\//.test(path),
    broken: /\b(?:TO[D]O|FIX[M]E|X{3}|HAC[K])\b/,
    bad: ["// TO" + "DO: later"],
    good: ["todos"],
  },
};

describe.each(Object.entries(rules))("tidy: %s", (_name, rule) => {
  const breaks = (text: string): boolean =>
    rule.broken.test(rule.codeOnly === true ? withoutComments(text) : text);

  test("the rule tells good from bad", () => {
    expect(rule.bad.filter((text) => !breaks(text))).toEqual([]);
    expect(rule.good.filter(breaks)).toEqual([]);
  });

  test("no file breaks it", () => {
    expect(files.filter((path) => rule.applies(path) && breaks(read(path)))).toEqual([]);
  });
});

test(`tidy: no source file is longer than ${sourceLinesMax} lines`, () => {
  const sources = files.filter((path) => /^src\/.*\.tsx?$/.test(path));
  const long = sources.filter((path) => read(path).split("\n").length - 1 > sourceLinesMax);
  expect(sources).not.toEqual([]);
  expect(long).toEqual([]);
});

test("tidy: the licence is there, whole, and the one that package.json names", () => {
  const licence = read("LICENSE");
  expect(licence).toContain("Apache License");
  expect(licence).toContain("END OF TERMS AND CONDITIONS");
  expect((JSON.parse(read("package.json")) as { license: string }).license).toBe("Apache-2.0");
});

test("tidy: the lock file names the version that package.json names", () => {
  const manifest = JSON.parse(read("package.json")) as { version: string };
  expect((JSON.parse(read("package-lock.json")) as { version: string }).version).toBe(
    manifest.version,
  );
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, "");
}
