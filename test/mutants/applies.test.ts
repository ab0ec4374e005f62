import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { describe, expect, test } from "vitest";
import { scenarios } from "../../scenarios/index.js";
import { allOracles } from "../../src/lab/oracles/index.js";
import { applyEdits } from "../../src/sim/search/mutants/mutant.js";
import { excluded, mutants, quickMutants } from "./index.js";

const source = fileURLToPath(new URL("../../src/", import.meta.url));

function read(file: string): string | null {
  return existsSync(source + file) ? readFileSync(source + file, "utf8") : null;
}

/** Rows of the catalogue (docs/reference/mutants) that a group of replicas can have. */
const rows = [
  "01 03 04 05 06 07 09 10 11 12 14 15 16 18 19 20 22 23 24 25 26 28 29 31 32 34 35 36 37 39",
  "41 42 44 45 46 47 48 49 50 51 53 54 56 57 59 60 61 62 64 65 66 67 69 70 72 73 74 75 76 78",
  "80 81 82 83 84 86 87 89",
].flatMap((line) => line.split(" "));

/** Properties that no oracle of the list judges. */
const ofPhases = ["liveness"];

describe("mutants", () => {
  test.each(mutants)("mutants: $id: applies exactly once and still transpiles", ({ edits }) => {
    const changed = applyEdits(edits, read);
    if ("error" in changed) throw new Error(changed.error);
    for (const text of changed.ok.values()) {
      expect(transformSync(text, { loader: "ts", format: "esm" }).warnings).toEqual([]);
    }
  });

  test("mutants: ids: each is there once", () => {
    const ids = mutants.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[0-9A-Z][0-9](?:-[a-z]+)+$/.test(id))).toEqual([]);
  });

  test("mutants: catalogue: each row is a mutant or is excluded, never both", () => {
    const planted = new Set(
      mutants.map(({ id }) => id.slice(0, 2)).filter((row) => /^\d/.test(row)),
    );
    const left = excluded.map(({ row }) => row).filter((row) => /^\d/.test(row));
    expect([...planted, ...left].sort()).toEqual([...rows].sort());
    expect(planted.size).toBeGreaterThanOrEqual(35);
  });

  test("mutants: names: what they break and where they are looked for exists", () => {
    const properties = [...allOracles.map(({ id }) => id), ...ofPhases];
    const shipped = scenarios.filter(({ expect: wish }) => wish === "ok").map(({ name }) => name);
    for (const mutant of mutants) {
      expect(mutant.breaks.length).toBeGreaterThan(0);
      expect(mutant.scenarios.length).toBeGreaterThan(0);
      expect(mutant.breaks.filter((id) => !properties.includes(id))).toEqual([]);
      expect(mutant.scenarios.filter((name) => !shipped.includes(name))).toEqual([]);
    }
    const ids = mutants.map(({ id }) => id);
    expect(quickMutants.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test("mutants: leaders: what may leave a group without one is found by its liveness", () => {
    for (const row of ["12", "16", "19", "20", "22"]) {
      const mutant = mutants.find(({ id }) => id.startsWith(row));
      expect(mutant?.breaks).toContain("liveness");
    }
  });
});

describe("edits", () => {
  const text = (content: string) => (): string => content;

  test("edits: unknown file: an error that names it", () => {
    const changed = applyEdits([{ file: "core/x.ts", find: "a", replace: "b" }], () => null);
    expect(changed).toEqual({ error: "core/x.ts is not there" });
  });

  test("edits: a text that is not there or is there twice: an error that counts", () => {
    for (const [content, count] of [
      ["const x = 1;", 0],
      ["one one", 2],
    ] as const) {
      const changed = applyEdits([{ file: "x.ts", find: "one", replace: "b" }], text(content));
      expect(changed).toHaveProperty("error", expect.stringContaining(`${count} times`));
    }
  });

  test("edits: an edit that changes nothing: an error", () => {
    const changed = applyEdits([{ file: "x.ts", find: "a", replace: "a" }], text("a"));
    expect(changed).toHaveProperty("error", expect.stringContaining("changes nothing"));
  });

  test("edits: two of one file: both apply, and dollar signs are taken as they are", () => {
    const edits = [
      { file: "x.ts", find: "one", replace: "$&two" },
      { file: "x.ts", find: "three", replace: "four" },
    ];
    const changed = applyEdits(edits, text("one three"));
    expect(changed).toEqual({ ok: new Map([["x.ts", "$&two four"]]) });
  });
});
