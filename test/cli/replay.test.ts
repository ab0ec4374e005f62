/** What is replayed, what is said of it, and the line that does the same again. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { currentBuild } from "../../src/sim/search/artifact/build.js";
import { twoLeaders } from "../lab/explain/traces.js";
import { quorumlab, type Ran } from "./fake.js";

const module = fileURLToPath(new URL("scenarios.fixture.js", import.meta.url));
const scenarios = ["--scenarios", module];
let folder: string;
let file: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "quorumlab-"));
  file = join(folder, "failures", "first-7.json");
  await quorumlab(["run", "first", "--seed", "7", "--out", folder, ...scenarios]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const replay = (...typed: string[]): Promise<Ran> => quorumlab(["replay", ...typed, ...scenarios]);
const lastLine = ({ stderr }: Ran): string => stderr.trimEnd().split("\n").at(-1)!;

describe("replay: the line at the end", () => {
  test.each([
    [["--first", "14"], "--by decisions --first 14"],
    [["--by", "seed", "--stop-at", "1000"], "--by seed --stop-at 1000"],
    [["--first", "2", "--stop-at", "950"], "--by decisions --first 2 --stop-at 950"],
  ])("of %j does the same again", async (typed, repeated) => {
    const line = lastLine(await replay(file, ...typed));
    expect(line).toBe(`npx quorumlab replay ${file} ${repeated} --scenarios ${module}`);
    const again = await quorumlab(line.split(" ").slice(2));
    expect([again.code, lastLine(again)]).toEqual([1, line]);
  });
});

describe("replay: the code that a file was made by", () => {
  const now = currentBuild();
  const commit = "0123456789012345678901234567890123456789";
  const made = (build: object): void => {
    const read = JSON.parse(readFileSync(file, "utf8")) as { made: object };
    writeFileSync(file, JSON.stringify({ ...read, made: { ...read.made, ...build } }));
  };

  test.each([
    ["another commit", { commit }],
    ["other changes", { dirty: true, code: "0".repeat(64) }],
    ["changes that nobody knows", { dirty: true, code: null }],
  ])("%s: other code, replayed by decisions", async (_what, build) => {
    made({ ...now, ...build });
    const ran = await replay(file);
    expect(ran.stderr).toContain("a seed may mean another run");
    expect(ran.records().at(-1)).toMatchObject({ by: "decisions" });
  });

  test("the same files, with changes or without: the same code, replayed as it was", async () => {
    for (const dirty of [false, true]) {
      made({ ...now, dirty, code: now.code });
      const ran = await replay(file);
      expect(ran.stderr).not.toContain("the file was made by");
      expect(ran.records().at(-1)).toMatchObject({ by: "seed", same: true });
    }
  });
});

describe("replay: what is typed wrong", () => {
  test.each([
    [["--scenario", "first"], 64, "names its scenario itself; leave --scenario out"],
    [["--safety-only"], 64, "leave it out"],
  ])("FILE %j: exit %i, names the conflict", async (typed, code, word) => {
    const ran = await replay(file, ...typed);
    expect([ran.code, ran.stdout]).toEqual([code, ""]);
    expect(ran.stderr).toContain(word);
  });

  test.each(["replay", "shrink"])("%s of a trace: exit 65, says what it is", async (name) => {
    const trace = join(folder, "trace.jsonl");
    writeFileSync(trace, twoLeaders().join("\n"));
    const ran = await quorumlab([name, trace, ...scenarios]);
    expect([ran.code, ran.stderr]).toEqual([65, expect.stringContaining("looks like a trace")]);
  });

  test.each(["replay", "shrink", "explain"])(
    "%s of a scenario that is not there: exit 65",
    async (name) => {
      writeFileSync(file, readFileSync(file, "utf8").replaceAll('"first"', '"last"'));
      const ran = await quorumlab([name, file, ...scenarios]);
      expect([ran.code, ran.stdout]).toEqual([65, ""]);
      expect(ran.stderr).toContain("is of scenario last, which is not there");
    },
  );

  test.each(["replay", "shrink", "explain"])(
    "%s of options that cannot work together: exit 65, says which",
    async (name) => {
      const damaged = JSON.parse(readFileSync(file, "utf8")) as {
        readonly decisions: { readonly options: Record<string, unknown> };
      };
      damaged.decisions.options["limits"] = { "raft.heartbeatUs": 900_000 };
      writeFileSync(file, JSON.stringify(damaged));
      const ran = await quorumlab([name, file, ...scenarios]);
      expect([ran.code, ran.stdout]).toEqual([65, ""]);
      expect(ran.stderr).toContain("raft: heartbeatUs is not below the election timeout");
    },
  );
});
