/** Wrong usage: each message says what to do instead. */
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { oneMutant } from "../../src/cli/named-mutants.js";
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";
import { quorumlab } from "./fake.js";

const module = fileURLToPath(new URL("scenarios.fixture.js", import.meta.url));
const scenarios = ["--scenarios", module];
const search = ["search", "first", "--jobs", "1", "--out", tmpdir(), ...scenarios];

afterEach(() => vi.unstubAllEnvs());

describe("usage", () => {
  test.each([
    [["help", "serach"], "there is no verb serach. Did you mean search?"],
    [["cluster", "up"], "cluster is not built yet"],
    [["pki", "init"], "pki is not built yet"],
    [["run", "first", "--world", "real", ...scenarios], "The real world is not built yet"],
    [["run", "first", "--world", "reel", ...scenarios], "Allowed choices are sim"],
    [["shrink", "f.json", "--reruns", "1"], "from 4 to"],
    [[...search, "--budget", "0s"], "no time for any run"],
    [
      ["replay", "5", "--scenario", "swarm", "--mutant", "34-acknowledges-its-whole-lgo"],
      "its-whole-log?",
    ],
  ])("%j: exit 64", async (typed, word) => {
    const ran = await quorumlab(typed);
    expect([ran.code, ran.stdout]).toEqual([64, ""]);
    expect(ran.stderr).toContain(word);
  });

  test("help of a verb: the help of that verb", async () => {
    const ran = await quorumlab(["help", "search"]);
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining("--shard <i/n>")]);
  });

  test("a conflict with the environment names the variable", async () => {
    vi.stubEnv("QUORUMLAB_FROM", "3");
    const one = await quorumlab([...search, "--seeds", "1..5"]);
    expect(one.stderr).toContain("--seeds A..B says where to begin; leave QUORUMLAB_FROM out");
    vi.unstubAllEnvs();
    vi.stubEnv("QUORUMLAB_SEEDS", "1..5");
    const other = await quorumlab([...search, "--from", "3"]);
    expect(other.stderr).toContain("QUORUMLAB_SEEDS A..B says where to begin; leave --from out");
    vi.stubEnv("QUORUMLAB_SEEDS", "many");
    const third = await quorumlab(search);
    expect(third.stderr).toContain("QUORUMLAB_SEEDS is a number of runs");
    expect([one.code, other.code, third.code]).toEqual([64, 64, 64]);
  });
});

describe("usage: names of mutants", () => {
  const named = (id: string): Mutant => ({ ...(null as unknown as Mutant), id });
  const all = [named("34-whole-log"), named("34b-half-a-log"), named("7-votes"), named("7-reads")];

  test("by id, or by the row that the id begins with", () => {
    expect(oneMutant(all, "34").id).toBe("34-whole-log");
    expect(oneMutant(all, "34b-half-a-log").id).toBe("34b-half-a-log");
  });

  test("a row of several, or of none: says which there are", () => {
    expect(() => oneMutant(all, "7")).toThrow("7 may be 7-votes or 7-reads; name one of them");
    expect(() => oneMutant(all, "7-vote")).toThrow("Did you mean 7-votes?");
  });
});
