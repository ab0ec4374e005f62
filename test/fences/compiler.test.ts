/** Fence 1: what the host provides is unknown to the compiler in src/core and src/lab. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plantTree, type PlantedTree } from "./planted.js";

const impurities: Record<string, string> = {
  "node-fs": `import { readFileSync } from "node:fs";\nexport const x: unknown = readFileSync;`,
  "bare-fs": `import { readFileSync } from "fs";\nexport const x: unknown = readFileSync;`,
  "set-timeout": `export function f(): void { setTimeout(() => undefined, 1); }`,
  "set-immediate": `export function f(): void { setImmediate(() => undefined); }`,
  console: `export function f(): void { console.log("x"); }`,
  process: `export const x: unknown = process.env;`,
  performance: `export const x: number = performance.now();`,
  crypto: `export const x: unknown = crypto.randomUUID();`,
  "queue-microtask": `export function f(): void { queueMicrotask(() => undefined); }`,
  "text-encoder": `export const x: unknown = new TextEncoder();`,
  buffer: `export const x: unknown = Buffer.alloc(1);`,
  fetch: `export const x: unknown = fetch("x");`,
  "import-real": `import { real } from "../real/planted.js";\nexport const x: number = real;`,
};

const tsc = "typescript/bin/tsc";
const folders = ["core", "lab"];
let tree: PlantedTree;

beforeAll(() => {
  tree = plantTree();
  tree.copy("tsconfig.base.json");
  for (const folder of ["core", "lab", "sim", "real", "cli"]) {
    tree.copy(`src/${folder}/tsconfig.json`);
  }
  tree.write("src/real/planted.ts", "export const real: number = 1;\n");
  for (const folder of folders) {
    for (const [name, text] of Object.entries(impurities)) {
      tree.write(`src/${folder}/${name}.ts`, text);
    }
    tree.write(`src/${folder}/pure.ts`, "export const x: number = Math.max(1, 2);\n");
  }
});
afterAll(() => tree.remove());

describe.each(folders)("compiler fence: src/%s", (folder) => {
  let output = "";
  beforeAll(() => {
    output = tree.run(tsc, ["-p", `src/${folder}`, "--noEmit"]).output;
  });

  test.each(Object.keys(impurities))("planted %s: refused", (name) => {
    expect(errorsOf(output, name)).toMatch(/error TS(2304|2307|2580|2584|2591|6059|6307)/);
  });

  test("pure file: accepted", () => {
    expect(errorsOf(output, "pure")).toBe("");
  });
});

test("compiler fence: host types let in: the planted files compile, so it is the fence that refuses", () => {
  const names = Object.keys(impurities).filter((name) => name !== "import-real");
  const { output } = tree.run(tsc, ["-p", "src/core", "--noEmit", "--types", "node"]);
  for (const name of names) expect(errorsOf(output, name)).toBe("");
  expect(errorsOf(output, "import-real")).not.toBe("");
});

function errorsOf(output: string, name: string): string {
  const lines = output.split("\n");
  return lines.filter((line) => line.includes(`/${name}.ts(`)).join("\n");
}
