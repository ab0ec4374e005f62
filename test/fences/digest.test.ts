/**
 * Fence 4: what got past the others shows in the digests. State kept outside the world, and a look at
 * the clock, are planted in a copy of the built simulator, each to take effect after two simulated
 * seconds; `check-determinism` must find the first event that differs.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Edit } from "../../src/sim/search/mutants/mutant.js";
import { makeOverlay } from "../../src/sim/search/mutants/overlay.js";
import { repository } from "./planted.js";

const plantedAtUs = 2_000_000;
/** In a busy cluster something is scheduled all the time. */
const shownBeforeUs = plantedAtUs + 500_000;

const file = "sim/scheduler.ts";
const time = "const time = atUs < this.nowUs ? this.nowUs : atUs;";
const after = `this.nowUs >= ${plantedAtUs}`;
const late = (amount: string): Edit => ({
  file,
  find: time,
  replace: `const time = (atUs < this.nowUs ? this.nowUs : atUs) + (${after} ? ${amount} : 0);`,
});

const countedWorlds: readonly Edit[] = [
  {
    file,
    find: "export class Scheduler {",
    replace: "let worlds = 0;\nexport class Scheduler {\n  readonly first = ++worlds === 1;",
  },
  late("this.first ? 0 : 1"),
];
const scenarios = `
import { mixedWorkload, smallCluster } from "./lab/index.js";
export const scenarios = [{
  name: "short", about: "three seconds without faults",
  cluster: { ...smallCluster, nodes: 3, groups: 1 }, workload: { ...mixedWorkload, clients: 2 },
  faults: { swarm: [], swarmFaultsMax: 0 },
  phases: { attackUs: 3_000_000 }, expect: "ok",
}];
`;

interface Found {
  readonly kind: string;
  readonly event: number;
  readonly sides: readonly { readonly digest: string; readonly shown: string | null }[];
}

/** `check-determinism` of a copy with these edits: its exit code and what it printed. */
function check(name: string, format: string, edits: readonly Edit[]): [number | null, string] {
  const overlay = makeOverlay(repository, { id: `fence-${name}`, edits });
  if ("error" in overlay) throw new Error(overlay.error);
  try {
    const module = join(overlay.dist, "short.js");
    writeFileSync(module, scenarios);
    const program = join(overlay.dist, "cli", "main.js");
    const typed = ["check-determinism", "--from", "1", "--format", format];
    const ran = spawnSync(process.execPath, [program, ...typed, "--scenarios", module], {
      encoding: "utf8",
    });
    expect(ran.stderr).not.toMatch(/a fault of its own/);
    return [ran.status, ran.stdout];
  } finally {
    overlay.remove();
  }
}

function lastRecord(printed: string): Found {
  return JSON.parse(printed.trimEnd().split("\n").at(-1)!) as Found;
}

/** When the event happened, in simulated time. */
function shownAtUs(shown: string): number {
  return Number(/^step of node \d+ at (\d+) us/.exec(shown)?.[1]);
}

describe("digest fence", () => {
  test("a copy with nothing planted: exit 0", () => {
    const [code, printed] = check("clean", "jsonl", [late("0")]);
    expect([code, lastRecord(printed).kind]).toEqual([0, "summary"]);
  });

  test("planted module-level counter: exit 3, the first event that differs, both sides of it", () => {
    const [code, printed] = check("counter", "jsonl", countedWorlds);
    const { kind, sides, event } = lastRecord(printed);
    expect([code, kind, sides.length]).toEqual([3, "difference", 2]);
    expect(event).toBeGreaterThan(100);
    const [one, other] = sides.map(({ shown }) => shown!);
    expect(one).not.toBe(other);
    for (const shown of [one!, other!]) {
      expect(shownAtUs(shown)).toBeGreaterThanOrEqual(plantedAtUs);
      expect(shownAtUs(shown)).toBeLessThan(shownBeforeUs);
    }
  });

  test("planted counter in a judge: exit 3 though all events are equal, both verdicts", () => {
    const [code, printed] = check("judge", "jsonl", [
      {
        file: "sim/world.ts",
        find: "/** What every run gives back, but for what its clients know. */",
        replace: "let judged = 0;",
      },
      {
        file: "sim/world.ts",
        find: '    verdict: recorder.failure !== null ? "violation"',
        replace: '    verdict: judged++ > 0 ? "violation"',
      },
    ]);
    const { kind, sides, event } = lastRecord(printed);
    expect([code, kind]).toEqual([3, "difference"]);
    expect(event).toBeGreaterThan(1_000);
    expect(sides.map(({ shown }) => shown)).toEqual([
      "after the last event: verdict ok",
      "after the last event: verdict violation",
    ]);
  });

  test("planted Date.now: exit 3, an event after it could be looked at", () => {
    const [code, printed] = check("clock", "pretty", [late("Date.now() % 2")]);
    expect(code).toBe(3);
    const event = /^NOT DETERMINISTIC {2}short, seed 1: event (\d+) differs$/m.exec(printed)?.[1];
    // What comes before the clock is looked at is the same in all runs.
    expect(Number(event)).toBeGreaterThan(100);
    expect(printed).toContain("first in one process (digest ");
    expect(printed).toMatch(/again there, .*\(digest |in a fresh process \(digest /);
  });
});
