/** Fence 2: what the language itself provides, and imports across layers, are refused by lint. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plantTree, type PlantedTree } from "./planted.js";

interface Planted {
  readonly rule: string;
  readonly text: string;
}

const globals = (
  "Date Intl WeakRef FinalizationRegistry Promise globalThis eval setTimeout setInterval " +
  "setImmediate queueMicrotask console process performance crypto fetch Buffer TextEncoder " +
  "TextDecoder structuredClone SharedArrayBuffer Atomics"
).split(" ");
const inexact = (
  "sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh exp expm1 log log10 log2 " +
  "log1p pow cbrt hypot sqrt"
).split(" ");

/** Refused in every folder whose code runs inside a simulation. */
const inEvery: Record<string, Planted> = {
  ...Object.fromEntries(
    globals.map((name) => [
      `global-${name}`,
      { rule: "no-restricted-globals", text: `export const x: unknown = ${name};` },
    ]),
  ),
  ...Object.fromEntries(
    ["random", ...inexact].map((name) => [
      `math-${name}`,
      { rule: "no-restricted-properties", text: `export const x: unknown = Math.${name};` },
    ]),
  ),
  "math-destructured": {
    rule: "no-restricted-properties",
    text: `const { random } = Math;\nexport const x: unknown = random;`,
  },
  "math-quoted": {
    rule: "no-restricted-properties",
    text: `export const x: unknown = Math["random"]();`,
  },
  locale: {
    rule: "no-restricted-properties",
    text: `export const x: number = "a".localeCompare("b");`,
  },
  "async-function": {
    rule: "no-async-await",
    text: `export async function f(): Promise<void> {\n  await g();\n}\ndeclare function g(): Promise<void>;`,
  },
  "node-import": {
    rule: "no-restricted-imports",
    text: `import { readFileSync } from "node:fs";\nexport const x: unknown = readFileSync;`,
  },
  "bare-import": {
    rule: "no-restricted-imports",
    text: `import { readFileSync } from "fs";\nexport const x: unknown = readFileSync;`,
  },
  "package-import": {
    rule: "no-restricted-imports",
    text: `import { z } from "zod";\nexport const x: unknown = z;`,
  },
  "real-import": {
    rule: "no-restricted-imports",
    text: `import { y } from "../real/clock.js";\nexport const x: unknown = y;`,
  },
  "cli-import": {
    rule: "no-restricted-imports",
    text: `import type { Y } from "../cli/main.js";\nexport type X = Y;`,
  },
};

const importOf = (path: string): Planted => ({
  rule: "no-restricted-imports",
  text: `import { y } from "${path}";\nexport const x: unknown = y;`,
});

/** What each folder refuses beyond that. */
const folders: Record<string, Record<string, Planted>> = {
  "src/core": { "lab-import": importOf("../lab/a.js"), "sim-import": importOf("../sim/a.js") },
  "src/core/raft": { "deep-sim-import": importOf("../../sim/network.js") },
  "src/lab": { "sim-import": importOf("../sim/a.js"), seedrandom: importOf("seedrandom") },
  "src/sim": {},
  scenarios: { "sim-import": importOf("../src/sim/a.js"), seedrandom: importOf("seedrandom") },
};

/** Refused everywhere: mistakes rather than impurities. */
const mistakes: Record<string, Planted> = {
  "floating-promise": {
    rule: "no-floating-promises",
    text: `declare function g(): Promise<void>;\nexport function f(): void {\n  g();\n}`,
  },
  "missing-case": {
    rule: "switch-exhaustiveness-check",
    text: `export function f(k: "a" | "b"): number {\n  switch (k) {\n    case "a":\n      return 1;\n  }\n  return 2;\n}`,
  },
  any: { rule: "no-explicit-any", text: `export const x: any = 1;` },
  "cycle-a": {
    rule: "no-cycle",
    text: `import { b } from "./cycle-b.js";\nexport const a = (): unknown => b;`,
  },
  "long-function": {
    rule: "max-lines-per-function",
    text: `export function f(): number {\n  let x = 0;\n${"  x += 1;\n".repeat(75)}  return x;\n}`,
  },
  "long-file": { rule: "max-lines", text: "export type { X } from './x.js';\n".repeat(401) },
};

const harmless: Record<string, string> = {
  "src/core/harmless.ts": `import { y } from "./y.js";\nexport const x: number = Math.floor(Math.max(y, 2));`,
  "src/sim/harmless.ts": `import seedrandom from "seedrandom";\nimport { y } from "../lab/y.js";\nexport const x: unknown = seedrandom.alea(String(y));`,
  "src/sim/search/harmless.ts": `import { readFileSync } from "node:fs";\nexport async function f(): Promise<void> {\n  await Promise.resolve(readFileSync);\n  setTimeout(() => undefined, Date.now());\n}`,
  "scenarios/harmless.ts": `import { y } from "quorumlab/lab";\nexport const x: unknown = y;`,
};

let tree: PlantedTree;
const found = new Map<string, string[]>();

beforeAll(() => {
  tree = plantTree();
  for (const path of [".oxlintrc.json", "tsconfig.base.json"]) tree.copy(path);
  for (const folder of ["core", "lab", "sim", "real"]) tree.copy(`src/${folder}/tsconfig.json`);
  tree.copy("scenarios/tsconfig.json");
  for (const [folder, own] of Object.entries(folders)) {
    for (const [name, planted] of Object.entries({ ...inEvery, ...own })) {
      tree.write(`${folder}/${name}.ts`, `${planted.text}\n`);
    }
  }
  for (const [name, planted] of Object.entries(mistakes)) {
    tree.write(`src/real/${name}.ts`, `${planted.text}\n`);
  }
  tree.write(
    "src/real/cycle-b.ts",
    `import { a } from "./cycle-a.js";\nexport const b = (): unknown => a;\n`,
  );
  tree.write("src/sim/search/random.ts", `export const x: number = Math.random();\n`);
  for (const [path, text] of Object.entries(harmless)) tree.write(path, `${text}\n`);

  const { output } = tree.run("oxlint/bin/oxlint", ["--type-aware", "-f", "json"]);
  const json = output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1);
  const report = JSON.parse(json) as { diagnostics: { filename: string; code: string }[] };
  for (const { filename, code } of report.diagnostics) {
    found.set(filename, [...(found.get(filename) ?? []), code]);
  }
});
afterAll(() => tree.remove());

describe.each(Object.entries(folders))("lint fence: %s", (folder, own) => {
  test.each(Object.entries({ ...inEvery, ...own }))("planted %s: refused", (name, { rule }) => {
    expect(rulesBrokenIn(`${folder}/${name}.ts`)).toContain(rule);
  });
});

describe("lint fence: everywhere", () => {
  test.each(Object.entries(mistakes))("planted %s: refused", (name, { rule }) => {
    expect(rulesBrokenIn(`src/real/${name}.ts`)).toContain(rule);
  });

  test("planted Math.random in the search: refused", () => {
    expect(rulesBrokenIn("src/sim/search/random.ts")).toContain("no-restricted-properties");
  });

  test.each(Object.keys(harmless))("%s: accepted", (path) => {
    expect(rulesBrokenIn(path)).toEqual([]);
  });
});

function rulesBrokenIn(path: string): string[] {
  return (found.get(path) ?? []).map((code) => /\(([^)]+)\)/.exec(code)?.[1] ?? code);
}
