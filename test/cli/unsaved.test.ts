/** What was found is told, also when it cannot be saved. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeSimulate, quorumlab, type Ran, type Setting } from "./fake.js";

const module = fileURLToPath(new URL("scenarios.fixture.js", import.meta.url));
const scenarios = ["--scenarios", module];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quorumlab-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const search = (typed: readonly string[], setting: Setting = {}): Promise<Ran> =>
  quorumlab(
    ["search", "first", "--jobs", "1", "--seeds", "1..40", "--out", folder, ...scenarios, ...typed],
    setting,
  );
const bySeed = `npx quorumlab replay 7 --scenario first --stop-at 900 --scenarios ${module}`;

/** The simulator; at this seed something comes in the way of what is to be written. */
const spoiledAt =
  (at: number, spoil: () => void): typeof fakeSimulate =>
  (scenario, options) => {
    if (options.seed === at) spoil();
    return fakeSimulate(scenario, options);
  };

describe("search", () => {
  test("a failure that cannot be saved: told, the search ends in order, exit 73", async () => {
    const ran = await search([], {
      simulate: spoiledAt(5, () => writeFileSync(join(folder, "failures"), "")),
    });
    expect(ran.records().map(({ kind }) => kind)).toEqual(["header", "failure", "summary"]);
    expect(ran.records()[1]).toMatchObject({ seed: 7, artifact: null });
    expect(ran.stderr).toMatch(/^missing: the search ended at a failure: cannot write /m);
    expect([ran.code, ran.stderr.trimEnd().split("\n").at(-1)]).toEqual([73, bySeed]);
    const saved = JSON.parse(readFileSync(join(folder, "search.json"), "utf8")) as {
      failures: unknown[];
    };
    expect(saved.failures).toHaveLength(1);
  });

  test("a file where failures belong: exit 73 before anything runs", async () => {
    writeFileSync(join(folder, "failures"), "");
    const ran = await search([]);
    expect([ran.code, ran.stdout]).toEqual([73, ""]);
    expect(ran.stderr).toMatch(/^quorumlab: cannot write .*failures \(E\w+\)\n$/);
  });

  test.each([
    ["its result", "search.json", []],
    ["JUnit's report", "junit.xml", ["--junit"]],
  ])("%s cannot be written: failures and summary are told, exit 73", async (_what, name, flag) => {
    const path = join(folder, name);
    const ran = await search(
      flag.flatMap((each) => [each, path]),
      { simulate: spoiledAt(5, () => mkdirSync(path)) },
    );
    expect(ran.records().at(-1)).toMatchObject({ kind: "summary", seeds: 40, failed: 4 });
    expect(ran.stderr).toMatch(/^missing: cannot write /m);
    expect(ran.stderr.trimEnd().split("\n").at(-1)).toMatch(/^npx quorumlab replay /);
    expect(ran.code).toBe(73);
  });
});

describe("run and replay", () => {
  test("run: a failure that cannot be saved: told with its line by seed, exit 73", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    const ran = await quorumlab(["run", "first", "--seed", "7", "--out", file, ...scenarios]);
    expect(ran.records().map(({ kind }) => kind)).toEqual(["header", "failure", "result"]);
    expect(ran.records()[1]).toMatchObject({ property: "election-safety", artifact: null });
    expect(ran.stderr).toMatch(/^quorumlab: cannot write .*first-7\.json/);
    expect([ran.code, ran.stderr.trimEnd().split("\n").at(-1)]).toEqual([73, bySeed]);
  });

  test("a trace that cannot be written after all: the run is told, exit 73", async () => {
    const trace = join(folder, "trace.jsonl");
    for (const typed of [
      ["run", "first", "--seed", "7", "--out", folder],
      ["replay", "7", "--scenario", "first"],
    ]) {
      const ran = await quorumlab([...typed, "--trace", trace, ...scenarios], {
        simulate: spoiledAt(7, () => mkdirSync(trace)),
      });
      expect(ran.records().at(-1)).toMatchObject({ kind: "result", property: "election-safety" });
      expect([ran.code, ran.stderr]).toEqual([73, expect.stringContaining("cannot write")]);
      rmSync(trace, { recursive: true });
    }
  });

  test.each([
    ["shrink", "--to"],
    ["mutants", "--matrix"],
    ["search", "--junit"],
  ])("%s %s: a target that cannot be written: exit 73 before anything runs", async (name, flag) => {
    await quorumlab(["run", "first", "--seed", "7", "--out", folder, ...scenarios]);
    const typed = {
      shrink: [join(folder, "failures", "first-7.json"), ...scenarios],
      mutants: ["34"],
      search: ["--out", folder, ...scenarios],
    }[name]!;
    let runs = 0;
    const simulate: typeof fakeSimulate = (scenario, options) => {
      runs++;
      return fakeSimulate(scenario, options);
    };
    writeFileSync(join(folder, "file"), "");
    for (const target of [folder, join(folder, "file", "target")]) {
      const ran = await quorumlab([name, ...typed, flag, target], { simulate });
      expect([ran.code, ran.stdout, runs]).toEqual([73, "", 0]);
      expect(ran.stderr).toMatch(/^quorumlab: cannot write /);
    }
  });
});
