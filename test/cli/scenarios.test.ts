/** Modules of scenarios as users write them, and as they should not. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { scenarios as shipped } from "../../scenarios/index.js";
import { scenarioProblem } from "../../src/cli/scenario-shape.js";
import { simulate } from "../../src/sim/simulate.js";
import { quorumlab } from "./fake.js";
import { scenarios as fixtures } from "./scenarios.fixture.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quorumlab-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (text: string, name = "scenarios.mjs"): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const first = fixtures[0]!;
const exported = (...scenarios: readonly object[]): string =>
  `export const scenarios = ${JSON.stringify(scenarios)};`;

describe("a module of scenarios", () => {
  test.each([
    ["that throws", "throw new Error('not today');", "not today"],
    ["without any", "export const scenarios = [];", 'must export "scenarios"'],
    ["with no scenario in it", "export const scenarios = [null];", "its scenario 1, "],
    ["whose name is a path", exported({ ...first, name: "../x" }), "scenario ../x, at name"],
    [
      "without a cluster",
      exported({ ...first, cluster: {} }),
      "scenario first, at cluster.nodes: expected a whole number from 1 to 255, or {min, max}",
    ],
    [
      "with more groups than a run may have",
      exported({ ...first, cluster: { ...first.cluster, groups: 65_536 } }),
      "scenario first, at cluster.groups",
    ],
    [
      "with a fault that there is not",
      exported({ ...first, faults: { swarm: ["earthquake"], swarmFaultsMax: 1 } }),
      "scenario first, at faults.swarm.0",
    ],
    ...(
      [
        ["raft", { nosuch: 5 }, "raft.nosuch: there is no such option"],
        ["raft", { heartbeatUs: true }, "raft.heartbeatUs: expected a number"],
        ["raft", { leaseReads: 5 }, "raft.leaseReads: expected a boolean"],
        ["raft", { logEntriesMax: 10 }, "raft: logEntriesMax is not above"],
        ["raft", { heartbeatUs: 900_000 }, "raft: heartbeatUs is not below the election timeout"],
        ["raft", { appendBytesMax: 99_999_999 }, "raft: appendBytesMax is above the"],
        ["wal", { segmentBytes: 1_000 }, "wal: segmentBytes is no whole number of sectors"],
        ["wal", { batchBytesMax: 900_000 }, "wal: batchBytesMax is above half a segment"],
        ["node", { turnInputsMax: 0 }, "node: turnInputsMax is no such number"],
        ["sessions", { sessionsMax: 0 }, "sessions: sessionsMax is no such number"],
        ["map", { slotCount: 7, zones: 1 }, "map.slotCount: 7 is no power of two"],
        ["replication", 200, "replication: 200 members, and at most"],
      ] as const
    ).map(([part, given, word]) => {
      const cluster = { ...first.cluster, [part]: given };
      return [`with ${part} ${JSON.stringify(given)}`, exported({ ...first, cluster }), word];
    }),
    [
      "whose clients ask nothing",
      exported({ ...first, workload: { ...first.workload, mix: {} } }),
      "workload.mix: clients would ask nothing",
    ],
    ["with a name twice", exported(first, first), "has two scenarios of the name first"],
  ])("%s: exit 65, says what and where", async (_what, text, word) => {
    const path = write(text);
    const ran = await quorumlab(["list", "--scenarios", path]);
    expect([ran.code, ran.stdout]).toEqual([65, ""]);
    expect(ran.stderr).toContain(path);
    expect(ran.stderr).toContain(word);
  });

  test("in TypeScript that Node.js cannot load: says to compile it", async () => {
    const path = write("export const scenarios: = [];", "mine.ts");
    const ran = await quorumlab(["list", "--scenarios", path]);
    expect(ran.code).toBe(65);
    expect(ran.stderr).toContain("compile it first");
  });

  test("whose plan throws: exit 65 with its name and the error, alone and in a search", async () => {
    const text = `${exported(first)}
      scenarios[0].faults.plan = () => { throw new Error("no leader to speak of"); };`;
    const typed = ["--scenarios", write(text), "--out", folder];
    const ran = await quorumlab(["run", "first", ...typed], { simulate });
    const searched = await quorumlab(["search", "--jobs", "1", "--seeds", "3", ...typed], {
      simulate,
    });
    for (const { code, stderr } of [ran, searched]) {
      expect(code).toBe(65);
      expect(stderr).toContain("quorumlab: scenario first: plan() threw: no leader to speak of");
    }
  });

  test.each(shipped.map((scenario) => [scenario.name, scenario] as const))(
    "%s, which ships, is one",
    (_name, scenario) => expect(scenarioProblem(scenario)).toBeNull(),
  );
});
