import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeSimulate, quorumlab, type Ran } from "./fake.js";

const scenarios = fileURLToPath(new URL("scenarios.fixture.js", import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quorumlab-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const search = (...typed: string[]): Promise<Ran> =>
  quorumlab([
    "search",
    "--jobs",
    "1",
    "--format",
    "jsonl",
    "--scenarios",
    scenarios,
    "--out",
    join(folder, "out"),
    ...typed,
  ]);

/** What may differ between machines, jobs and shards. */
function withoutTimesAndPaths(records: readonly Record<string, unknown>[]): unknown {
  return records.map(({ wallMs: _w, stepsPerSecond: _s, artifact: _a, ...rest }) => rest);
}

describe("search: jsonl", () => {
  test("header, failures in the order of runs, summary; each with its fields", async () => {
    const ran = await search("--seeds", "1..30");
    const records = ran.records();
    expect(records.map(({ kind }) => kind)).toEqual(["header", "failure", "failure", "summary"]);
    expect(Object.keys(records[1]!)).toEqual([
      "kind",
      "scenario",
      "seed",
      "property",
      "step",
      "digest",
      "artifact",
    ]);
    expect(Object.keys(records.at(-1)!)).toEqual([
      "kind",
      "seeds",
      "passed",
      "failed",
      "inconclusive",
      "steps",
      "simulatedMs",
      "wallMs",
      "stepsPerSecond",
      "acknowledged",
      "leaderChanges",
      "perRun",
      "faults",
      "marks",
    ]);
    expect(records.at(-1)).toMatchObject({ seeds: 30, passed: 25, failed: 2, inconclusive: 3 });
    expect(ran.code).toBe(1);
  });

  test("scenarios take turns, and an expected violation is no failure", async () => {
    const ran = await search("--seeds", "1..30");
    const failed = ran.records().filter(({ kind }) => kind === "failure");
    // 7 is the turn of `first`, 17 of `second`, 27 of `broken`.
    expect(failed.map(({ scenario, seed }) => [scenario, seed])).toEqual([
      ["first", 7],
      ["second", 17],
    ]);
  });

  test("--seeds N --from S is the same search as --seeds S..T", async () => {
    const one = await search("--seeds", "20", "--from", "0x10");
    const other = await search("--seeds", "16..35");
    expect(withoutTimesAndPaths(one.records())).toEqual(withoutTimesAndPaths(other.records()));
  });

  test("a failure leaves a file that replays", async () => {
    const ran = await search("first", "--seeds", "7..7");
    const { artifact } = ran.records()[1]!;
    expect(existsSync(artifact as string)).toBe(true);
    const again = await quorumlab(["replay", artifact as string, "--scenarios", scenarios]);
    expect(again.records().at(-1)).toMatchObject({ kind: "result", seed: 7, same: true });
    expect(again.code).toBe(1);
  });

  test("the last lines are those that replay, and nothing comes after them", async () => {
    const ran = await search("first", "--seeds", "1..30");
    const last = ran.stderr.trimEnd().split("\n").at(-1);
    expect(last).toMatch(/^npx quorumlab replay \S+first-7\.json --scenarios \S+$/);
  });

  test("--bail ends it after so many failures", async () => {
    const ran = await search("first", "--seeds", "1..1000", "--bail", "2");
    expect(ran.records().at(-1)).toMatchObject({ failed: 2 });
    expect(ran.code).toBe(1);
  });

  test("undecided runs alone end with 2, none with 0", async () => {
    expect((await search("first", "--seeds", "1..6")).code).toBe(2);
    expect((await search("first", "--seeds", "1..4")).code).toBe(0);
  });

  test("a budget that runs out before the seeds ends with 2, and alone with 0", async () => {
    const cut = await search("first", "--seeds", "1..100000000", "--budget", "20ms");
    expect(cut.stderr).toContain("the budget ran out");
    const fine = await quorumlab(
      [
        "search",
        "broken",
        "--jobs",
        "1",
        "--budget",
        "20ms",
        "--scenarios",
        scenarios,
        "--out",
        folder,
      ],
      { simulate: (scenario, options) => ({ ...fakeSimulate(scenario, options), verdict: "ok" }) },
    );
    expect([cut.code === 1 || cut.code === 2, fine.code]).toEqual([true, 0]);
  });
});

describe("search: shards", () => {
  test("merged shards give the bytes of the search as a whole", async () => {
    const whole = await search("--seeds", "100..180");
    const folders = [1, 2, 3].map((index) => join(folder, `shard-${index}`));
    for (const [at, out] of folders.entries()) {
      const ran = await quorumlab([
        "search",
        "--jobs",
        "1",
        "--scenarios",
        scenarios,
        "--seeds",
        "100..180",
        "--shard",
        `${at + 1}/3`,
        "--out",
        out,
      ]);
      expect(ran.code).toBeLessThan(3);
    }
    const merged = await quorumlab(["merge", ...folders, "--scenarios", scenarios]);
    expect(merged.code).toBe(whole.code);
    expect(withoutTimesAndPaths(merged.records())).toEqual(withoutTimesAndPaths(whole.records()));
    const twoOnly = await quorumlab(["merge", folders[0]!, folders[2]!, "--scenarios", scenarios]);
    expect(twoOnly.stderr).toContain("shard 2/3 is not there");
    const twice = await quorumlab(["merge", folders[0]!, folders[0]!, "--scenarios", scenarios]);
    expect([twice.code, twice.stderr]).toEqual([65, expect.stringContaining("is there twice")]);
  });
});

describe("search: what it leaves behind", () => {
  test("an interrupt ends with 130 and saves what was found", async () => {
    let runs = 0;
    let interrupt = (): void => {};
    const ran = await quorumlab(
      [
        "search",
        "first",
        "--jobs",
        "1",
        "--scenarios",
        scenarios,
        "--seeds",
        "1..9999",
        "--out",
        folder,
      ],
      {
        simulate(scenario, options) {
          if (++runs === 200) interrupt();
          return fakeSimulate(scenario, options);
        },
        onInterrupt(stop) {
          interrupt = stop;
          return () => {};
        },
      },
    );
    const saved = JSON.parse(readFileSync(join(folder, "search.json"), "utf8")) as {
      complete: boolean;
      tally: { seeds: number };
    };
    expect(ran.code).toBe(130);
    expect(saved.complete).toBe(false);
    expect(saved.tally.seeds).toBeGreaterThan(100);
  });

  test("a simulator that breaks down ends with 70, and says which seed to run", async () => {
    const ran = await quorumlab(
      [
        "search",
        "first",
        "--jobs",
        "1",
        "--scenarios",
        scenarios,
        "--seeds",
        "1..20",
        "--out",
        folder,
      ],
      {
        simulate(scenario, options) {
          if (options.seed === 11) throw new Error("the queue is upside down");
          return fakeSimulate(scenario, options);
        },
      },
    );
    expect(ran.code).toBe(70);
    expect(ran.stderr).toContain("the queue is upside down");
    expect(ran.stderr).toContain("npx quorumlab run first --seed 11");
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });

  test("JUnit's report has a case for each scenario, and escapes what is in it", async () => {
    const junit = join(folder, "reports", "junit.xml");
    await quorumlab(
      [
        "search",
        "--jobs",
        "1",
        "--scenarios",
        scenarios,
        "--seeds",
        "1..30",
        "--out",
        folder,
        "--junit",
        junit,
      ],
      {
        simulate(scenario, options) {
          const result = fakeSimulate(scenario, options);
          const { failure } = result;
          return failure === null
            ? result
            : { ...result, failure: { ...failure, message: 'a < b & "c" \u0001' } };
        },
      },
    );
    const xml = readFileSync(junit, "utf8");
    expect(xml.match(/<testcase /g)).toHaveLength(3);
    expect(xml.match(/<failure /g)).toHaveLength(2);
    expect(xml).toContain("a &lt; b &amp; &quot;c&quot; \u{fffd}");
  });

  test("GitHub's annotations go to standard error, one line each", async () => {
    const ran = await search("first", "--seeds", "7..7", "--github");
    expect(ran.stderr).toMatch(
      /^::error file=scenarios\/first\.ts,line=1,title=election-safety violated::first, seed 7: .*%0Anpx quorumlab replay /m,
    );
  });
});

describe("search: a folder that an earlier search wrote to", () => {
  test("its failure files stay, and that is told; without any there is nothing to tell", async () => {
    const fine = await search("first", "--seeds", "1..4");
    const found = await search("first", "--seeds", "1..10");
    expect([fine.stderr, found.stderr]).toEqual(["", expect.not.stringContaining("note:")]);
    const again = await search("first", "--seeds", "1..4");
    expect(again.stderr).toContain("failures holds 1 files of earlier runs, which stay");
    expect([again.code, existsSync(join(folder, "out", "failures", "first-7.json"))]).toEqual([
      0,
      true,
    ]);
  });

  test("the result of another shard is not overwritten; of the same one it is", async () => {
    const shard = (index: number): Promise<Ran> =>
      search("first", "--seeds", "1..4", "--shard", `${index}/2`);
    expect([(await shard(1)).code, (await shard(1)).code]).toEqual([0, 0]);
    const before = readFileSync(join(folder, "out", "search.json"), "utf8");
    const other = await shard(2);
    expect([other.code, other.stdout]).toEqual([73, ""]);
    expect(other.stderr).toContain("out holds shard 1/2 of an earlier search: give another --out");
    expect(readFileSync(join(folder, "out", "search.json"), "utf8")).toBe(before);
  });
});

describe("search: --safety-only", () => {
  test("reaches every run, the failure file and the lines for replay", async () => {
    const seen = new Set<unknown>();
    const simulate: typeof fakeSimulate = (scenario, options) => {
      seen.add(options.safetyOnly);
      return fakeSimulate(scenario, options);
    };
    const typed = ["search", "first", "--jobs", "1", "--seeds", "1..9", "--safety-only"];
    await quorumlab([...typed, "--scenarios", scenarios, "--out", folder], { simulate });
    const file = join(folder, "failures", "first-7.json");
    await quorumlab(["replay", file, "--scenarios", scenarios], { simulate });
    const ran = await quorumlab(
      ["run", "first", "--seed", "7", "--safety-only", "--scenarios", scenarios, "--out", folder],
      { simulate },
    );
    expect([...seen]).toEqual([true]);
    expect(ran.stderr).toContain("--stop-at 900 --safety-only --scenarios");
  });
});

describe("search: what is typed wrong", () => {
  test.each([
    [["--seeds", "0"], 64, "--seeds is a number of runs"],
    [["--seeds", "9..3"], 64, "--seeds is a number of runs"],
    [["--seeds", "1..5", "--from", "3"], 64, "leave --from out"],
    [["--seeds", "5", "--from", "9007199254740990"], 64, "below 2^53"],
    [["--from", "12x"], 64, "A seed is a decimal"],
    [["--shard", "4/3"], 64, "A shard is i/n"],
    [["--shard", "1/5000"], 64, "n at most 4096"],
    [["--jobs", "0"], 64, "whole number from 1 to"],
    [["--budget", "soon"], 64, "A duration is like"],
    [["--bail", "-1"], 64, "whole number"],
    [["frist"], 64, "Did you mean first?"],
  ])("%j: exit %i", async (typed, code, message) => {
    const ran = await search(...typed);
    expect([ran.code, ran.stdout]).toEqual([code, ""]);
    expect(ran.stderr).toContain(message);
  });

  test("an output folder that cannot be made ends with 73 before anything runs", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    let runs = 0;
    const ran = await quorumlab(
      ["search", "--jobs", "1", "--scenarios", scenarios, "--out", join(file, "out")],
      {
        simulate(scenario, options) {
          runs++;
          return fakeSimulate(scenario, options);
        },
      },
    );
    expect([ran.code, runs]).toEqual([73, 0]);
    expect(ran.stderr).toMatch(/^quorumlab: cannot write .*out \(E\w+\)\n$/);
  });
});
