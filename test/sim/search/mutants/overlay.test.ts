import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Mutant } from "../../../../src/sim/search/mutants/mutant.js";
import { makeOverlay, type Overlay } from "../../../../src/sim/search/mutants/overlay.js";

const mutant: Mutant = {
  id: "0-answers-wrong",
  about: "the answer is wrong",
  world: "sim",
  edits: [{ file: "answer.ts", find: "42", replace: "41" }],
  breaks: [],
  source: "nobody",
  scenarios: [],
};

let outer: string;
/** A package as one that was installed: what it imports lies beside it, and within it. */
let root: string;

beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), "quorumlab-"));
  root = join(outer, "node_modules", "lab");
  const files = {
    "package.json": '{"name":"lab","type":"module"}',
    "src/answer.ts": "export const answer: number = 42;",
    "dist/answer.js": "export const answer = 42;",
    "dist/main.js":
      'import { answer } from "./answer.js"; import { one } from "beside"; import { two } from "within";' +
      "console.log(answer, one, two);",
    "../beside/package.json": '{"name":"beside","type":"module","exports":"./index.js"}',
    "../beside/index.js": "export const one = 1;",
    "node_modules/within/package.json": '{"name":"within","type":"module","exports":"./index.js"}',
    "node_modules/within/index.js": "export const two = 2;",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  }
});
afterEach(() => rmSync(outer, { recursive: true, force: true }));

function made(): Overlay {
  const overlay = makeOverlay(root, mutant);
  if ("error" in overlay) throw new Error(overlay.error);
  return overlay;
}

const printed = ({ dist }: Overlay): string =>
  execFileSync(process.execPath, [join(dist, "main.js")], { encoding: "utf8" }).trim();

test("overlay: runs with the edit, finds what the package imports, and can be removed", () => {
  const overlay = made();
  expect(printed(overlay)).toBe("41 1 2");
  overlay.remove();
  expect(existsSync(overlay.dist)).toBe(false);
  expect(readFileSync(join(root, "dist", "answer.js"), "utf8")).toContain("42");
});

test("overlay: a package that cannot be written to: in a temporary folder, just the same", () => {
  // Where the cache would be; as root, permissions would stop nobody.
  writeFileSync(join(root, "node_modules", ".cache"), "");
  const overlay = made();
  expect(overlay.dist.startsWith(tmpdir())).toBe(true);
  expect(overlay.dist.startsWith(outer)).toBe(false);
  expect(printed(overlay)).toBe("41 1 2");
  overlay.remove();
  expect(existsSync(overlay.dist)).toBe(false);
  expect(readdirSync(join(root, "node_modules", "within"))).toContain("index.js");
});

test.each([true, false])(
  "overlay: a process that ends in a hurry leaves none (cache: %s)",
  (cache) => {
    if (!cache) writeFileSync(join(root, "node_modules", ".cache"), "");
    const module = new URL("../../../../dist/sim/search/mutants/overlay.js", import.meta.url);
    const script = `
    const { makeOverlay } = await import(${JSON.stringify(module.href)});
    console.log(makeOverlay(${JSON.stringify(root)}, ${JSON.stringify(mutant)}).dist);
    process.exit(130);`;
    const ran = spawnSync(process.execPath, ["--input-type=module", "--eval", script]);
    const dist = ran.stdout.toString().trim();
    expect([ran.status, ran.stderr.toString()]).toEqual([130, ""]);
    expect(dist).toMatch(/dist$/);
    expect(existsSync(dist)).toBe(false);
  },
);
