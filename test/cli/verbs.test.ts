import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readTrace } from "../../src/lab/trace-reader.js";
import { fakeSimulate, quorumlab } from "./fake.js";

const module = fileURLToPath(new URL("scenarios.fixture.js", import.meta.url));
const scenarios = ["--scenarios", module];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quorumlab-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const verbs = [
  "list",
  "run",
  "search",
  "replay",
  "shrink",
  "explain",
  "check-determinism",
  "check-history",
  "merge",
  "mutants",
  "demo",
];

describe("command line", () => {
  test.each(verbs)("%s --help ends with an example, after its exit codes", async (name) => {
    const ran = await quorumlab([name, "--help"]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(
      /Exit codes:\n(?: {2}\d+ +\S.*\n)+\nExample:\n {2}npx quorumlab .*\n$/,
    );
    expect(ran.stdout).toContain(`npx quorumlab ${name}`);
  });

  test.each([
    [[], 64, "say what to do"],
    [["serach"], 64, "Did you mean search?"],
    [["run"], 64, "missing required argument"],
    [["list", "--nope"], 64, "unknown option"],
    [["list", "--format", "xml"], 64, "Allowed choices are pretty, jsonl"],
    [["run", "first", "--seed", "minus one", ...scenarios], 64, "A seed is a decimal number"],
    [
      ["run", "first", "--seed", "9007199254740992", ...scenarios],
      64,
      "A seed is a decimal number",
    ],
    [["run", "secnod", ...scenarios], 64, "Did you mean second?"],
    [["run", "first", "--scenarios", "/nowhere/s.js"], 66, "there is no file /nowhere/s.js"],
    [["replay", "12", ...scenarios], 64, "name its scenario"],
    [["replay", "x7", "--scenario", "first", ...scenarios], 64, "x7 is no seed"],
    [["replay", "/nowhere/f.json", ...scenarios], 66, "there is no such file"],
    [["merge", "/nowhere"], 66, "there is no such file"],
    [["check-history", "/nowhere/h"], 66, "there is no such file"],
    [["check-history", "h.jsonl", "--model", "queue"], 64, "Allowed choices are register"],
  ])(
    "wrong input: %j: exit %i, a clear word, nothing on standard output",
    async (typed, code, word) => {
      const ran = await quorumlab(typed);
      expect([ran.code, ran.stdout]).toEqual([code, ""]);
      expect(ran.stderr).toContain(word);
      expect(ran.stderr).toMatch(/^quorumlab: /);
      expect(ran.stderr).not.toMatch(/^\s+at /m);
    },
  );

  test("a fault of our own ends with 70, without a stack trace unless asked for", async () => {
    const simulate = (): never => {
      throw new Error("upside down");
    };
    const typed = ["run", "first", "--out", folder, ...scenarios];
    const quiet = await quorumlab(typed, { simulate });
    const loud = await quorumlab(typed, { simulate, env: { QUORUMLAB_DEBUG: "1" } });
    expect([quiet.code, loud.code]).toEqual([70, 70]);
    expect(quiet.stderr).toContain("upside down");
    expect(quiet.stderr).not.toMatch(/^\s+at /m);
    expect(loud.stderr).toMatch(/^\s+at /m);
  });

  test("on a terminal results are for people, elsewhere they are JSON lines", async () => {
    const typed = ["run", "first", "--seed", "3", "--out", folder, ...scenarios];
    const there = await quorumlab(typed, { isTTY: true, env: { NO_COLOR: "1" } });
    const elsewhere = await quorumlab(typed);
    expect(there.stdout).toMatch(/^held\n {2}run +first, seed 3\n/);
    expect(elsewhere.records().map(({ kind }) => kind)).toEqual(["header", "result"]);
  });
});

describe("list", () => {
  test("names scenarios, faults, properties, marks and mutants", async () => {
    const ran = await quorumlab(["list", ...scenarios]);
    const kinds = new Set(ran.records().map(({ kind }) => kind));
    expect([...kinds]).toEqual(["scenario", "fault", "property", "mark", "mutant"]);
    expect(ran.records()).toContainEqual(
      expect.objectContaining({ kind: "scenario", name: "broken", expect: "violation" }),
    );
  });
});

describe("run", () => {
  test("a failure ends with the lines that replay it", async () => {
    const out = join(folder, "out");
    const typed = ["run", "first", "--seed", "17", "--out", out, ...scenarios];
    const ran = await quorumlab(typed, { isTTY: true, env: { NO_COLOR: "1" } });
    const lines = ran.stdout.trimEnd().split("\n").slice(-2);
    expect(ran.code).toBe(1);
    expect(lines).toEqual([
      `npx quorumlab replay ${join(out, "failures", "first-17.json")} --scenarios ${module}`,
      `npx quorumlab replay 17 --scenario first --stop-at 900 --scenarios ${module}`,
    ]);
    const again = await quorumlab(lines[1]!.split(" ").slice(2));
    expect(again.code).toBe(1);
  });

  test("an expected violation ends with 0", async () => {
    const ran = await quorumlab(["run", "broken", "--seed", "7", "--out", folder, ...scenarios]);
    expect([ran.code, ran.records().at(-1)]).toEqual([
      0,
      expect.objectContaining({ verdict: "violation", expect: "violation" }),
    ]);
  });

  test("--trace writes a trace that the reader takes", async () => {
    const trace = join(folder, "deep", "trace.jsonl");
    await quorumlab(["run", "first", "--seed", "3", "--trace", trace, ...scenarios]);
    const read = readTrace(readFileSync(trace, "utf8").split("\n"));
    expect(read).toMatchObject({ ok: { events: [{ kind: "step" }], cut: null } });
  });

  test("a trace that cannot be written ends with 73 before anything runs", async () => {
    writeFileSync(join(folder, "file"), "");
    let runs = 0;
    const simulate: typeof fakeSimulate = (scenario, options) => {
      runs++;
      return fakeSimulate(scenario, options);
    };
    const trace = join(folder, "file", "trace.jsonl");
    const ran = await quorumlab(["run", "first", "--trace", trace, ...scenarios], { simulate });
    expect([ran.code, runs]).toEqual([73, 0]);
  });
});

describe("replay", () => {
  const failed = async (): Promise<string> => {
    await quorumlab(["run", "first", "--seed", "7", "--out", folder, ...scenarios]);
    return join(folder, "failures", "first-7.json");
  };

  test("a run with too many unusual draws to record: replay says that only its seed has them", async () => {
    const file = await failed();
    expect((await quorumlab(["replay", file, ...scenarios])).stderr).not.toContain("no room");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace('"drawsNotRecorded": 0', '"drawsNotRecorded": 5'));
    const { stderr } = await quorumlab(["replay", file, ...scenarios]);
    expect(stderr).toContain("5 unusual draws had no room in the file");
    writeFileSync(file, text.replace('"drawsNotRecorded": 0,', ""));
    expect((await quorumlab(["replay", file, ...scenarios])).code).toBe(1);
  });

  test("by decisions: the simulator gets those of the file", async () => {
    const file = await failed();
    const seen: unknown[] = [];
    const simulate: typeof fakeSimulate = (scenario, options) => {
      seen.push([options.decisions?.faults[0]?.id, options.firstDecisions]);
      return fakeSimulate(scenario, options);
    };
    await quorumlab(["replay", file, "--by", "decisions", ...scenarios], { simulate });
    await quorumlab(["replay", file, "--first", "3", ...scenarios], { simulate });
    await quorumlab(["replay", file, "--by", "seed", ...scenarios], { simulate });
    expect(seen).toEqual([
      ["kill-0", undefined],
      ["kill-0", 3],
      [undefined, undefined],
    ]);
  });

  test("a failure that does not come back ends with 0 and says so", async () => {
    const file = await failed();
    const ran = await quorumlab(["replay", file, "--format", "pretty", ...scenarios], {
      simulate: (scenario, options) => ({
        ...fakeSimulate(scenario, options),
        verdict: "ok",
        failure: null,
      }),
    });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain("election-safety did not come back");
  });

  test("--stop-at ends there with 0", async () => {
    const file = await failed();
    const ran = await quorumlab(["replay", file, "--stop-at", "50", ...scenarios]);
    expect([ran.code, ran.records().at(-1)]).toEqual([0, expect.objectContaining({ steps: 50 })]);
  });

  test("a file of other code is replayed by decisions, with a note", async () => {
    const file = await failed();
    const text = readFileSync(file, "utf8").replace(/"version": "\d.*"/, '"version": "0.0.1"');
    writeFileSync(file, text);
    const ran = await quorumlab(["replay", file, ...scenarios]);
    expect(ran.stderr).toContain("a seed may mean another run");
    expect(ran.records().at(-1)).toMatchObject({ by: "decisions", same: true });
  });

  test.each<readonly [string, (text: string) => string, string]>([
    ["cut in half", (text: string) => text.slice(0, text.length / 2), "it is not whole JSON"],
    ["empty", () => "", "it is not whole JSON"],
    ["of another kind", () => '{"format":"recipe"}', 'its "format" is "recipe"'],
    ["no object at all", () => "null", 'its "format" is missing'],
    [
      "of a later version",
      (text: string) => text.replace('"version": 1', '"version": 2'),
      "reads 1",
    ],
    [
      "with an unknown fault",
      (text: string) => text.replace('"kind": "kill"', '"kind": "earthquake"'),
      "at decisions.faults.0.kind",
    ],
    [
      "with a node that is not there",
      (text: string) => text.replace(/"nodes": \[\s*2\s*\]/, '"nodes": [200]'),
      "there is no node 200, only 3",
    ],
    [
      "with a million nodes",
      (text: string) => text.replace('"nodes": 3', '"nodes": 1000000'),
      "at decisions.options.nodes",
    ],
    [
      "with more groups than a run may have",
      (text: string) => text.replace('"groups": 1', '"groups": 65536'),
      "at decisions.options.groups",
    ],
    [
      "with more clients than a run may have",
      (text: string) => text.replace('"clients": 1', '"clients": 65536'),
      "at decisions.options.clients",
    ],
    [
      "with a limit of a million gigabytes",
      (text: string) =>
        text.replace('"nodes": 3', '"limits": { "wal.segmentBytes": 1e15 }, "nodes": 3'),
      "at decisions.options.limits",
    ],
    [
      "with a time before time",
      (text: string) => text.replace('"atUs": 7', '"atUs": -1e99'),
      "at decisions.faults.0.atUs",
    ],
    [
      "of a scenario that is gone",
      (text: string) => text.replaceAll('"first"', '"last"'),
      "of scenario last",
    ],
  ])("a failure file %s: exit 65, says what and where", async (_what, damage, word) => {
    const file = await failed();
    const before = readFileSync(file, "utf8");
    writeFileSync(file, damage(before));
    expect(readFileSync(file, "utf8")).not.toBe(before);
    const ran = await quorumlab(["replay", file, ...scenarios]);
    expect([ran.code, ran.stdout]).toEqual([65, ""]);
    expect(ran.stderr).toContain(file);
    expect(ran.stderr).toContain(word);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });

  test.each(['"x"', "{}", "1e300", "9007199254740991", "0", "1.5"])(
    "a failure file with an attack of %s microseconds: exit 65",
    async (value) => {
      const file = await failed();
      const text = readFileSync(file, "utf8");
      writeFileSync(file, text.replace('"nodes": 3', `"attackUs": ${value}, "nodes": 3`));
      const ran = await quorumlab(["replay", file, ...scenarios]);
      expect(ran.code).toBe(65);
      expect(ran.stderr).toContain(
        "at decisions.options.attackUs: expected a whole number from 1 to 86400000000",
      );
    },
  );
});

describe("check-history", () => {
  const write = (...events: object[]): string => {
    const file = join(folder, "history.jsonl");
    writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
    return file;
  };
  const put = { process: 0, f: "write", value: 1 };
  const get = { process: 1, f: "read" };

  test("ok ends with 0, illegal with 1", async () => {
    const good = [
      { ...put, type: "invoke" },
      { ...put, type: "ok" },
      { ...get, type: "invoke" },
    ];
    const held = await quorumlab([
      "check-history",
      write(...good, { ...get, type: "ok", value: 1 }),
    ]);
    expect(Object.keys(held.records()[0]!)).toEqual(["kind", "verdict", "operations", "wallMs"]);
    expect([held.code, held.records()[0]]).toMatchObject([0, { verdict: "ok", operations: 2 }]);
    const lost = await quorumlab([
      "check-history",
      write(...good, { ...get, type: "ok", value: 2 }),
    ]);
    expect([lost.code, lost.records()[0]]).toMatchObject([1, { verdict: "illegal" }]);
  });

  test("a history cut in half: exit 65 with the line", async () => {
    const file = write({ ...put, type: "invoke" }, { ...put, type: "ok" });
    writeFileSync(file, readFileSync(file, "utf8").slice(0, -20));
    const ran = await quorumlab(["check-history", file]);
    expect([ran.code, ran.stdout]).toEqual([65, ""]);
    expect(ran.stderr).toContain(`${file}:2: expected one JSON object on the line`);
  });

  test.each(["", "\n\n"])(
    "a history without an operation (%j): exit 65, no verdict",
    async (text) => {
      const file = write();
      writeFileSync(file, text);
      const ran = await quorumlab(["check-history", file]);
      expect([ran.code, ran.stdout]).toEqual([65, ""]);
      expect(ran.stderr).toContain(`${file}: there is no operation in it`);
    },
  );

  test("control characters of the file reach no terminal", async () => {
    const evil = "\u001b]0;owned\u0007\u001b[8m\u202e";
    const file = write();
    writeFileSync(file, `${evil}\n`);
    const setting = { isTTY: true, env: { FORCE_COLOR: "1" } };
    const damaged = await quorumlab(["check-history", file], setting);
    const events = [
      { process: 0, f: "put", type: "invoke", key: evil, value: evil },
      { process: 0, f: "put", type: "ok", key: evil, value: evil },
      { process: 1, f: "get", type: "invoke", key: evil },
      { process: 1, f: "get", type: "ok", key: evil, value: "other" },
    ];
    const illegal = await quorumlab(["check-history", write(...events), "--model", "kv"], setting);
    expect(illegal.code).toBe(1);
    for (const text of [damaged.stderr, illegal.stdout, illegal.stderr]) {
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
    expect(damaged.stderr).toContain("\\u001b]0;owned\\u0007");
  });

  test("a folder in place of a file: exit 66", async () => {
    mkdirSync(join(folder, "inside"));
    const ran = await quorumlab(["check-history", join(folder, "inside")]);
    expect([ran.code, ran.stderr]).toEqual([66, expect.stringContaining("it is a folder")]);
  });
});
