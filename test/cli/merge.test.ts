import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { quorumlab } from "./fake.js";

const module = fileURLToPath(new URL("scenarios.fixture.js", import.meta.url));
const scenarios = ["--scenarios", module];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quorumlab-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("merge", () => {
  test.each([
    ["cut in half", (text: string) => text.slice(0, text.length / 2), "it is not whole JSON"],
    [
      "with counts that do not add up",
      (text: string) => text.replace('"passed":', '"passed":1'),
      "add up",
    ],
    [
      "of a shard that there is not",
      (text: string) => text.replace('"index":1,"of":1', '"index":2,"of":1'),
      "at plan: there are not so many shards",
    ],
    [
      "that says to be whole, with fewer runs than were planned",
      (text: string) => text.replace('"runs":3,', '"runs":5,'),
      "at complete: only 3 of the 5 planned runs are there",
    ],
    [
      "with more runs than were planned",
      (text: string) => text.replace('"runs":3,', '"runs":2,'),
      "at tally: there are 3 runs, planned were 2",
    ],
    [
      "with a failure that was counted and is not told",
      (text: string) => text.replace('"passed":3,"failed":0', '"passed":2,"failed":1'),
      "at failures: there are 0, counted were 1",
    ],
  ])("a result %s: exit 65", async (_what, damage, word) => {
    const typed = [
      "search",
      "first",
      "--jobs",
      "1",
      "--seeds",
      "1..3",
      "--out",
      folder,
      ...scenarios,
    ];
    await quorumlab(typed);
    const file = join(folder, "search.json");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, damage(before));
    expect(readFileSync(file, "utf8")).not.toBe(before);
    const ran = await quorumlab(["merge", folder]);
    expect(ran.code).toBe(65);
    expect(ran.stderr).toContain(word);
  });

  const shards = async (): Promise<string[]> => {
    const outs = ["1", "2"].map((index) => join(folder, "there", index));
    for (const [at, out] of outs.entries()) {
      const typed = ["search", "first", "--jobs", "1", "--seeds", "1..10"];
      await quorumlab([...typed, "--shard", `${at + 1}/2`, "--out", out, ...scenarios]);
    }
    return outs;
  };

  test("shards that were moved: the lines for replay find their files", async () => {
    await shards();
    const moved = join(folder, "here");
    renameSync(join(folder, "there"), moved);
    const ran = await quorumlab(["merge", join(moved, "1"), join(moved, "2"), ...scenarios]);
    expect(ran.code).toBe(1);
    const line = ran.stderr.trimEnd().split("\n").at(-1)!;
    expect(line).toContain(join(moved, "1", "failures", "first-7.json"));
    expect((await quorumlab(line.split(" ").slice(2))).code).toBe(1);
  });

  test("the file in a folder stands for the folder", async () => {
    const files = (await shards()).map((out) => join(out, "search.json"));
    const ran = await quorumlab(["merge", ...files, ...scenarios]);
    expect([ran.code, ran.records().at(-1)]).toMatchObject([1, { kind: "summary", seeds: 10 }]);
  });

  test("shards of scenarios that do not ship: says which option names them", async () => {
    const ran = await quorumlab(["merge", ...(await shards())]);
    expect([ran.code, ran.stdout]).toEqual([64, ""]);
    expect(ran.stderr).toContain("scenario first, which does not ship");
    expect(ran.stderr).toContain("--scenarios FILE");
  });

  test.each([
    ["version of Node.js", { node: "v20.0.0" }],
    ["set of uncommitted changes", { dirty: true, code: "0".repeat(64) }],
    ["set of uncommitted changes", { dirty: true, code: null }],
    ["commit", { commit: "0".repeat(40) }],
  ])("shards of one search by another %s (%j): exit 65, says so", async (what, other) => {
    const folders = ["1", "2"].map((shard) => join(folder, shard));
    for (const [at, out] of folders.entries()) {
      const typed = ["search", "first", "--jobs", "1", "--seeds", "1..10", "--out", out];
      await quorumlab([...typed, "--shard", `${at + 1}/2`, ...scenarios]);
    }
    expect((await quorumlab(["merge", ...folders, ...scenarios])).code).not.toBe(65);
    const file = join(folders[1]!, "search.json");
    const saved = JSON.parse(readFileSync(file, "utf8")) as { made: object };
    writeFileSync(file, JSON.stringify({ ...saved, made: { ...saved.made, ...other } }));
    const ran = await quorumlab(["merge", ...folders, ...scenarios]);
    expect(ran.code).toBe(65);
    expect(ran.stderr).toContain(`shard 2/2 has another ${what}`);
  });

  test("shards of different searches: exit 65, says in what they differ", async () => {
    for (const [shard, seeds] of [
      ["1/2", "1..10"],
      ["2/2", "2..11"],
    ] as const) {
      const out = join(folder, shard[0]!);
      const typed = ["search", "first", "--jobs", "1", "--seeds", seeds, "--shard", shard];
      await quorumlab([...typed, "--out", out, ...scenarios]);
    }
    const ran = await quorumlab(["merge", join(folder, "1"), join(folder, "2")]);
    expect(ran.code).toBe(65);
    expect(ran.stderr).toContain("shard 2/2 has another first seed");
  });
});
