import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Decisions } from "../../src/lab/run-result.js";
import type { Cli } from "../../src/cli/verb.js";
import { explainVerb } from "../../src/cli/verbs/explain.js";
import { shrinkVerb } from "../../src/cli/verbs/shrink.js";
import {
  failureFileOf,
  readFailureFile,
  writeFailureFile,
} from "../../src/sim/search/artifact/failure-file.js";
import type { TraceSink } from "../../src/lab/trace-recorder.js";
import { twoLeaders } from "../lab/explain/traces.js";
import { scenarios } from "./scenarios.fixture.js";
import { has, ids, large, plantedRun } from "../sim/shrink/planted.js";

const fingerprint = "no-lost-write: acknowledged value gone";
const made = { commit: null, dirty: false, code: null, version: "0.1.0", node: "v20.19.0" };

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quorumlab-"));
  const scenario = { ...scenarios[0], name: "planted" };
  const text = `export const scenarios = [${JSON.stringify(scenario)}];`;
  writeFileSync(join(folder, "scenarios.mjs"), text);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a verb over a pretended simulator, and gives what it printed and how it ended. */
async function runVerb(
  make: (cli: Cli) => Command,
  typed: readonly string[],
  cause: (decisions: Decisions) => string | null,
  onInterrupt: Cli["onInterrupt"] = () => () => {},
): Promise<{ out: string; err: string; exitCode: number }> {
  const printed = { out: "", err: "" };
  const { run } = plantedRun({ cause });
  const simulate = (
    _scenario: unknown,
    options: { readonly decisions?: Decisions; readonly trace?: TraceSink },
  ) => {
    const result = run(options.decisions ?? large());
    const at = { t: 5, at: 5, node: 1, boot: 1, group: 1, cause: null };
    const data = { property: "no-lost-write", message: "planted" };
    options.trace?.({ ...at, seq: 1, kind: "crash", data: { reason: "killed" } });
    options.trace?.({ ...at, seq: 2, kind: "violation", data });
    return { ...result, digest: result.digest.replace(/\W/g, "").padEnd(16, "0").slice(0, 16) };
  };
  const cli = {
    terminal: {
      stdout: { write: (text: string) => (printed.out += text) },
      stderr: { write: (text: string) => (printed.err += text) },
      env: {},
    },
    simulate: simulate as unknown as Cli["simulate"],
    onInterrupt,
    exitCode: 0,
  } as Cli;
  const module = ["--scenarios", join(folder, "scenarios.mjs")];
  await make(cli).parseAsync([...typed, ...module], { from: "user" });
  return { ...printed, exitCode: cli.exitCode };
}

/** A failure file of the large planted run. */
function keepLarge(cause: (decisions: Decisions) => string | null): string {
  const path = join(folder, "planted-1.json");
  const result = { ...plantedRun({ cause }).run(large()), digest: "0123456789abcdef" };
  writeFailureFile(
    path,
    failureFileOf(result, { made, mutant: null, by: "seed", safetyOnly: false })!,
  );
  return path;
}

const planted = (decisions: Decisions): string | null =>
  has(decisions, "kill-4", "2.31") ? fingerprint : null;

describe("shrink", () => {
  test("shrink: an interrupt: the smallest so far is saved, exit 130", async () => {
    const path = keepLarge(planted);
    let runs = 0;
    const counted = (decisions: Decisions): string | null => {
      runs++;
      return planted(decisions);
    };
    // Comes as a signal does: only once nothing else runs.
    const soon = (stop: () => void): (() => void) => {
      const wait = (): void => void (runs >= 20 ? stop() : setImmediate(wait));
      setImmediate(wait);
      return () => {};
    };
    const typed = [path, "--format", "pretty"];
    const { out, err, exitCode } = await runVerb(shrinkVerb, typed, counted, soon);
    // A few more may have begun; of them two prove that what is left still fails.
    expect([exitCode, runs >= 20 && runs <= 25]).toEqual([130, true]);
    expect(out).toContain("it was not proven that all are needed");
    expect(err).toContain("Interrupted; the smallest failure so far is in");
    const before = readFailureFile(path);
    const read = readFailureFile(join(folder, "planted-1.shrunk.json"));
    if ("problem" in read || "problem" in before) throw new Error("a file is not there");
    expect(read.ok.fingerprint).toBe(fingerprint);
    const size = ({ faults, operations, draws }: Decisions): number =>
      faults.length + operations.length + draws.length;
    expect(size(read.ok.decisions)).toBeLessThan(size(before.ok.decisions));
  });

  test("shrink: a failure file: the smaller one beside it, replay line last", async () => {
    const path = keepLarge(planted);
    const before = readFileSync(path, "utf8");
    const { out, err, exitCode } = await runVerb(shrinkVerb, [path, "--format", "pretty"], planted);
    expect(exitCode).toBe(0);
    expect(out).toContain("smaller after");
    expect(out).toContain("faults         40 -> 1");
    const shrunk = join(folder, "planted-1.shrunk.json");
    expect(out.trimEnd().split("\n").at(-1)).toContain(
      `npx quorumlab replay ${shrunk} --scenarios`,
    );
    expect(err).toContain("decisions left: draws");
    const read = readFailureFile(shrunk);
    expect(read).toMatchObject({ ok: { by: "decisions", fingerprint, scenario: "planted" } });
    expect("ok" in read && ids(read.ok.decisions)).toEqual(["2.31", "kill-4"]);
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  test("shrink: jsonl: one record with sizes and path, nothing else on standard output", async () => {
    const path = keepLarge(planted);
    const to = join(folder, "small.json");
    const typed = [path, "--to", to, "--reruns", "500", "--format", "jsonl"];
    const { out } = await runVerb(shrinkVerb, typed, planted);
    const lines = out.trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      kind: "shrunk",
      outcome: "smaller",
      minimal: true,
      after: { faults: 1, operations: 1, draws: 0 },
      artifact: to,
    });
    expect(existsSync(to)).toBe(true);
  });

  test("shrink: the failure is fixed: exit 2, no file", async () => {
    const path = keepLarge(planted);
    const { err, exitCode } = await runVerb(shrinkVerb, [path], () => null);
    expect(exitCode).toBe(2);
    expect(err).toContain("does not come back");
    expect(existsSync(join(folder, "planted-1.shrunk.json"))).toBe(false);
  });

  test("shrink: no such file, or no failure file: says which, with exit 66 and 65", async () => {
    const missing = join(folder, "none.json");
    await expect(runVerb(shrinkVerb, [missing], planted)).rejects.toMatchObject({ exitCode: 66 });
    writeFileSync(missing, "{}");
    await expect(runVerb(shrinkVerb, [missing], planted)).rejects.toMatchObject({ exitCode: 65 });
  });
});

describe("explain", () => {
  test("explain: a failure file: the run again, told, with the replay lines last", async () => {
    const path = keepLarge(planted);
    const { out, exitCode } = await runVerb(explainVerb, [path, "--format", "pretty"], planted);
    expect(exitCode).toBe(0);
    expect(out).toContain("VIOLATION of no-lost-write, at 0.000005 s, node 1, group 1");
    expect(out).toContain("n1 CRASHES");
    expect(out.trimEnd().split("\n").at(-1)).toMatch(/^npx quorumlab replay 1 --scenario planted/);
  });

  test("explain: a trace file: told without running anything", async () => {
    const path = join(folder, "trace.jsonl");
    writeFileSync(path, twoLeaders().join("\n"));
    const never = (): never => {
      throw new Error("nothing is to be run");
    };
    const { out, exitCode } = await runVerb(explainVerb, [path, "--format", "jsonl"], never);
    const { kind, cut, text } = JSON.parse(out) as { kind: string; cut: null; text: string };
    expect([exitCode, kind, cut]).toEqual([0, "explanation", null]);
    expect(text).toContain("VIOLATION of election-safety");
  });

  test.each([
    ["in the middle of a line", (text: string) => text.slice(0, -9), "cutShort"],
    ["between two lines", (text: string) => text.slice(0, text.lastIndexOf("\n") + 1), "noEnd"],
    ["of one line", (text: string) => text.replace(/\n.*\n/, "\n"), "missing"],
  ])("explain: a trace cut %s: tells what is left, and that it is not whole", async (...of) => {
    const [, cut, code] = of;
    const path = join(folder, "trace.jsonl");
    writeFileSync(path, cut(twoLeaders().join("\n")));
    const ran = await runVerb(explainVerb, [path, "--format", "jsonl"], planted);
    expect(JSON.parse(ran.out)).toMatchObject({ kind: "explanation", cut: { code } });
    expect([ran.exitCode, ran.err]).toEqual([
      2,
      expect.stringContaining("trace.jsonl is not whole: "),
    ]);
    expect(ran.out).toContain("VIOLATION of election-safety");
  });

  test("explain: a damaged trace: line and expectation, exit 65", async () => {
    const path = join(folder, "trace.jsonl");
    writeFileSync(path, [...twoLeaders().slice(0, 3), "{}", "{}"].join("\n"));
    await expect(runVerb(explainVerb, [path], planted)).rejects.toMatchObject({
      exitCode: 65,
      message: expect.stringContaining("line 4: expected an event") as string,
    });
  });

  test("explain: the failure does not come back: exit 2", async () => {
    const path = keepLarge(planted);
    expect(await runVerb(explainVerb, [path], () => null)).toMatchObject({ exitCode: 2, out: "" });
  });
});
