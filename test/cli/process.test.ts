/** The built program, as a shell starts it. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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

/**
 * `interrupt`: as soon as it has printed anything. `closeAt`: closes standard output after so many
 * characters, as `head` does.
 */
function start(
  typed: readonly string[],
  { interrupt = false, closeAt = Infinity }: { interrupt?: boolean; closeAt?: number } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...typed, "--scenarios", module]);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (interrupt && stdout === "") child.kill("SIGINT");
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

  test.each(["1", "2"])(
    "an interrupt, with %s jobs: exit 130, what was found is saved",
    async (jobs) => {
      const typed = ["search", "counting", "--seeds", "100000000", "--jobs", jobs, "--out", folder];
      const ran = await start(typed, { interrupt: true });
      expect([ran.stderr, ran.code]).toEqual([expect.stringContaining("interrupted"), 130]);
      const saved = JSON.parse(readFileSync(join(folder, "search.json"), "utf8")) as {
        complete: boolean;
      };
      expect(saved.complete).toBe(false);
      expect(ran.stderr).not.toMatch(/^\s+at /m);
    },
  );

  test("whoever stops reading gets no error", async () => {
    const ran = await start(["list", "--format", "jsonl"], { closeAt: 1 });
    expect([ran.code, ran.stderr]).toEqual([0, ""]);
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
