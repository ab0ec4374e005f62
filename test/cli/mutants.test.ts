import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runProgram } from "../../src/cli/program.js";
import { simulate } from "../../src/sim/simulate.js";

const built = existsSync(fileURLToPath(new URL("../../dist/mutants/index.js", import.meta.url)));
const program = fileURLToPath(new URL("../../bin/quorumlab.js", import.meta.url));

async function typed(...words: string[]): Promise<{ code: number; err: string }> {
  let err = "";
  const terminal = {
    stdout: { write: (): void => undefined },
    stderr: { write: (text: string): void => void (err += text) },
    env: {},
  };
  const code = await runProgram(words, { terminal, simulate, onInterrupt: () => () => undefined });
  return { code, err };
}

describe.runIf(built)("mutants", () => {
  test("mutants: unknown id: wrong usage, with a hint", async () => {
    const { code, err } = await typed("mutants", "03-vote-said-before-its-snyc");
    expect(code).toBe(64);
    expect(err).toContain("Did you mean 03-vote-said-before-its-sync?");
  });

  test("mutants: --quick with ids: wrong usage", async () => {
    const { code, err } = await typed("mutants", "--quick", "26");
    expect(code).toBe(64);
    expect(err).toContain("leave the ids out");
  });

  test("mutants: a kill is told with a line that brings it back", { timeout: 120_000 }, () => {
    const id = "S3-entry-appended-in-clear";
    const options = ["--seeds", "60", "--from", "1", "--jobs", "1", "--format", "jsonl"];
    // Its threads cannot load TypeScript.
    const ran = spawnSync(process.execPath, [program, "mutants", id, ...options]);
    const lines = ran.stdout.toString().split("\n");
    const mutant = JSON.parse(lines[1]!) as Record<string, string | number>;
    expect([ran.status, mutant]).toMatchObject([0, { kind: "mutant", killed: true }]);
    const { seed, scenario, replay } = mutant;
    expect(replay).toBe(`npx quorumlab replay ${seed} --scenario ${scenario} --mutant ${id}`);
    const again = spawnSync(process.execPath, [program, ...String(replay).split(" ").slice(2)]);
    expect(again.status).toBe(1);
  });

  test("mutants: no seeds: wrong usage", async () => {
    expect((await typed("mutants", "--seeds", "0")).code).toBe(64);
  });
});
