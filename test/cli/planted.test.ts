/** Failures of a planted bug come back from their files, without being told which bug it was. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withMutant } from "../../src/cli/planted.js";
import type { Cli } from "../../src/cli/verb.js";
import { currentBuild } from "../../src/sim/search/artifact/build.js";
import {
  failureFileOf,
  readFailureFile,
  writeFailureFile,
} from "../../src/sim/search/artifact/failure-file.js";
import { simulate } from "../../src/sim/simulate.js";
import { scenarios } from "../../scenarios/index.js";
import { quorumlab } from "./fake.js";

const built = existsSync(fileURLToPath(new URL("../../dist/mutants/index.js", import.meta.url)));
const mutant = "S3-entry-appended-in-clear";

describe.runIf(built)("planted", { timeout: 60_000 }, () => {
  let folder: string;
  let file: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "quorumlab-"));
    file = join(folder, "failure.json");
    const scenario = scenarios.find(({ name }) => name === "sealed")!;
    const terminal = { stdout: { write: () => {} }, stderr: { write: () => {} }, env: {} };
    const cli: Cli = { terminal, simulate, onInterrupt: () => () => {}, exitCode: 0 };
    const made = { made: currentBuild(), mutant, by: "seed", safetyOnly: false } as const;
    await withMutant(cli, mutant, (mutated) => {
      for (let seed = 1; seed <= 30 && !existsSync(file); seed++) {
        const failed = failureFileOf(mutated.simulate(scenario, { seed }), made);
        if (failed !== null) writeFailureFile(file, failed);
      }
    });
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("replay: the bug is planted as the file says, and that is told", async () => {
    const ran = await quorumlab(["replay", file, "--by", "seed"], { simulate });
    expect(ran.records().at(-1)).toMatchObject({ verdict: "violation", same: true });
    expect([ran.code, ran.stderr]).toEqual([
      1,
      expect.stringContaining(`made with mutant ${mutant}`),
    ]);
    expect(ran.stderr.trimEnd().split("\n").at(-1)).toBe(`npx quorumlab replay ${file} --by seed`);
  });

  test("replay: without it the failure is not there", async () => {
    const clean = join(folder, "clean.json");
    writeFileSync(clean, readFileSync(file, "utf8").replace(`"${mutant}"`, "null"));
    const ran = await quorumlab(["replay", clean, "--by", "seed"], { simulate });
    expect(ran.code).toBe(0);
  });

  test("explain: tells the failure, and its lines by seed name the bug", async () => {
    const ran = await quorumlab(["explain", file, "--format", "pretty"], { simulate });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(new RegExp(`--scenario sealed .*--mutant ${mutant}\\n$`));
  });

  test("shrink: what is left was made with the same bug", async () => {
    const to = join(folder, "small.json");
    const ran = await quorumlab(["shrink", file, "--reruns", "4", "--to", to], { simulate });
    expect(ran.code).toBe(0);
    expect(readFailureFile(to)).toMatchObject({ ok: { mutant } });
  });
});
