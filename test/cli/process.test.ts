/** The built program, as a shell starts it. */
import { spawn } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const program = fileURLToPath(new URL("../../bin/quorumlab.js", import.meta.url));
const module = fileURLToPath(new URL("protocols.fixture.js", import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quorumlab-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Circumstances {
  /** Comes as soon as it has printed anything. */
  readonly interrupt?: NodeJS.Signals;
  /** Standard output is closed after so many characters, as `head` does. */
  readonly closeAt?: number;
  /** False for verbs that take no scenarios. */
  readonly scenarios?: boolean;
}

function start(
  typed: readonly string[],
  { interrupt, closeAt = Infinity, scenarios = true }: Circumstances = {},
): Promise<Ended> {
  const from = scenarios ? ["--scenarios", module] : [];
  const child = spawn(process.execPath, [program, ...typed, ...from]);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (interrupt !== undefined && stdout === "") child.kill(interrupt);
    stdout += text;
    if (stdout.length >= closeAt) child.stdout.destroy();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

function recordsOf({ stdout }: Ended): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const {
        wallMs: _w,
        stepsPerSecond: _s,
        artifact: _a,
        ...rest
      } = JSON.parse(line) as Record<string, unknown>;
      return rest;
    });
}

describe("process: search", () => {
  test("worker threads find what one thread finds, to the byte", async () => {
    const typed = ["search", "asking", "counting", "--seeds", "1..60"];
    const [one, two] = [
      await start([...typed, "--jobs", "1", "--out", join(folder, "1")]),
      await start([...typed, "--jobs", "2", "--out", join(folder, "2")]),
    ];
    expect([one.stderr, one.code]).toEqual([expect.stringContaining("npx quorumlab replay"), 1]);
    expect(two.code).toBe(1);
    expect(recordsOf(two)).toEqual(recordsOf(one));
  });

  test.each([
    ["SIGINT", "1"],
    ["SIGINT", "2"],
    ["SIGTERM", "1"],
  ] as const)("%s, with %s jobs: exit 130, what was found is saved", async (interrupt, jobs) => {
    const typed = ["search", "counting", "--seeds", "100000000", "--jobs", jobs, "--out", folder];
    const ran = await start(typed, { interrupt });
    expect([ran.stderr, ran.code]).toEqual([expect.stringContaining("interrupted"), 130]);
    const saved = JSON.parse(readFileSync(join(folder, "search.json"), "utf8")) as {
      complete: boolean;
    };
    expect(saved.complete).toBe(false);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });
});

describe("process: mutants", () => {
  test("an interrupted hunt is unfinished: its mutant did not survive it", async () => {
    // It takes some ten seeds; the interrupt comes in the first.
    const typed = ["mutants", "20", "--jobs", "1", "--from", "1"];
    const ran = await start(typed, { interrupt: "SIGINT", scenarios: false });
    expect([ran.code, recordsOf(ran)]).toEqual([
      130,
      [
        expect.objectContaining({ kind: "header" }),
        { kind: "summary", hunts: 0, killed: 0, survived: [], unfinished: 1 },
      ],
    ]);
  });
});

describe("process: standard output", () => {
  test("whoever stops reading gets no error", async () => {
    const ran = await start(["list", "--format", "jsonl"], { closeAt: 1 });
    expect([ran.code, ran.stderr]).toEqual([0, ""]);
  });

  test("a search that nobody reads on is finished: its own exit code, its results saved", async () => {
    const out = ["--jobs", "1", "--out", folder];
    const ran = await start(["search", "asking", "--seeds", "1..30", ...out], { closeAt: 1 });
    const saved = JSON.parse(readFileSync(join(folder, "search.json"), "utf8")) as {
      complete: boolean;
      tally: { seeds: number; failed: number };
    };
    expect([saved.complete, saved.tally.seeds, ran.code]).toEqual([true, 30, 1]);
    expect(saved.tally.failed).toBeGreaterThan(0);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });

  test.runIf(existsSync("/dev/full"))(
    "a full disk behind it: one line, exit 73, and the search is ended in order",
    async () => {
      const full = openSync("/dev/full", "w");
      const typed = ["search", "counting", "--seeds", "100000000", "--jobs", "1", "--out", folder];
      const child = spawn(process.execPath, [program, ...typed, "--scenarios", module], {
        stdio: ["ignore", full, "pipe"],
      });
      closeSync(full);
      let stderr = "";
      child.stderr!.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      const code = await new Promise((resolve) => child.once("close", resolve));
      expect([code, existsSync(join(folder, "search.json"))]).toEqual([73, true]);
      expect(stderr.match(/cannot write to standard output \(ENOSPC\)/g)).toHaveLength(1);
      expect(stderr).not.toMatch(/^\s+at /m);
    },
  );

  test("a program that is not built: exit 69, and the command that builds it", async () => {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    copyFileSync(program, join(bin, "quorumlab.mjs"));
    const child = spawn(process.execPath, [join(bin, "quorumlab.mjs"), "list"]);
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect([code, stderr]).toEqual([69, expect.stringContaining("npm ci")]);
  });
});

describe("process: replay", () => {
  test("a failure of a user's protocol comes back byte for byte, by seed and by decisions", async () => {
    const out = ["--jobs", "1", "--out", folder, "--bail", "1"];
    const found = await start(["search", "asking", "--seeds", "1..60", ...out]);
    const { seed } = recordsOf(found)[1]!;
    const file = join(folder, "failures", `asking-${String(seed)}.json`);
    expect(existsSync(file)).toBe(true);
    for (const by of ["seed", "decisions"]) {
      const again = await start(["replay", file, "--by", by]);
      expect([again.code, recordsOf(again).at(-1)]).toEqual([
        1,
        expect.objectContaining({ same: true, digest: recordsOf(found)[1]!["digest"] }),
      ]);
    }
  });
});

describe("process: check-determinism", () => {
  test("a pure protocol: exit 0", async () => {
    const ran = await start(["check-determinism", "counting", "asking", "--seeds", "2"]);
    expect([ran.stderr, ran.code]).toEqual([expect.stringContaining("no difference"), 0]);
    expect(recordsOf(ran).at(-1)).toMatchObject({ kind: "summary", seeds: 4, differences: 0 });
  });

  test("a protocol that keeps something outside its state: exit 3, with the event and both sides", async () => {
    const ran = await start(["check-determinism", "counting", "leaking"]);
    const found = recordsOf(ran).at(-1) as {
      kind: string;
      scenario: string;
      event: number;
      sides: { shown: string | null }[];
    };
    expect([ran.code, found.kind, found.scenario]).toEqual([3, "difference", "leaking"]);
    expect(found.event).toBeGreaterThan(0);
    const shown = found.sides.map((side) => side.shown).filter((text) => text !== null);
    expect(shown.length).toBeGreaterThanOrEqual(1);
    expect(ran.stderr).toMatch(
      /npx quorumlab check-determinism leaking --from \d+ --scenarios \S+\n$/,
    );
  });
});
