/**
 * A shrunk failure outlives harmless changes of the code. Known bugs are planted, their failures are
 * shrunk, and then the same bugs are planted into code that draws more, has more events, and tightens
 * one limit more.
 */
import { fileURLToPath, pathToFileURL } from "node:url";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scenarios } from "../../../scenarios/index.js";
import type { Decisions, RunResult } from "../../../src/lab/run-result.js";
import type { Edit, Mutant } from "../../../src/sim/search/mutants/mutant.js";
import { makeOverlay } from "../../../src/sim/search/mutants/overlay.js";
import { shrink } from "../../../src/sim/shrink/shrink.js";
import type { simulate as Simulate } from "../../../src/sim/simulate.js";
import { mutants } from "../../mutants/index.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** One more named draw, about every answer of a node; the mark shows that it was drawn. */
const oneMoreDraw: readonly Edit[] = [
  {
    file: "sim/cluster.ts",
    find: "    const word = this.timing.word(nowUs, process.index, 32);",
    replace:
      '    const novel = (this.novel ??= this.#setup.decisions.gate("novel"));\n' +
      '    if (novel.unusual(100, nowUs, process.index)) this.markCounter.hit("novel draw");\n' +
      "    this.timing.word(nowUs, process.index, 99);\n" +
      "    const word = this.timing.word(nowUs, process.index, 32);",
  },
  {
    file: "sim/cluster.ts",
    find: "  readonly #wipes: number[] = [];",
    replace: "  readonly #wipes: number[] = [];\n  novel: any;",
  },
];

/** One more kind of event, that comes again every 7 ms and after every request. */
const oneMoreEvent: readonly Edit[] = [
  { file: "sim/events.ts", find: "  faultBeat: 18,", replace: "  faultBeat: 18,\n  novel: 99," },
  {
    file: "sim/cluster.ts",
    find: "      case eventKind.phase:\n",
    replace:
      "      case eventKind.novel:\n" +
      '        this.markCounter.hit("novel event");\n' +
      "        if (a === 0) this.scheduler.add(this.scheduler.nowUs + 7_000, kind);\n" +
      "        return;\n" +
      "      case eventKind.phase:\n",
  },
  {
    file: "sim/cluster.ts",
    find: "  start(node: number): void {",
    replace:
      "  start(node: number): void {\n" +
      "    if (this.scheduler.nowUs === 0 && node === 0)\n" +
      "      this.scheduler.add(0, eventKind.novel);",
  },
  {
    file: "sim/cluster.ts",
    find: "    this.scheduler.add(atUs, eventKind[door], node, 0, request, bytes);",
    replace:
      "    this.scheduler.add(atUs, eventKind.novel, 1);\n" +
      "    this.scheduler.add(atUs, eventKind[door], node, 0, request, bytes);",
  },
];

const novelLimit = "raft.snapshotEveryBytes";

/** One more limit that a seed may tighten, drawn before all others. */
const oneMoreLimit: readonly Edit[] = [
  {
    file: "sim/options.ts",
    find: "const tightLimits: Limits = {\n",
    replace: `const tightLimits: Limits = {\n  "${novelLimit}": 64,\n`,
  },
];

/** Runs `act` with a simulator that has the bug and these edits in it. */
async function planted<Result>(
  bug: Mutant,
  name: string,
  edits: readonly Edit[],
  act: (simulate: typeof Simulate) => Result,
): Promise<Result> {
  const overlay = makeOverlay(root, {
    ...bug,
    id: `${bug.id}-${name}`,
    edits: [...bug.edits, ...edits],
  });
  if ("error" in overlay) throw new Error(overlay.error);
  try {
    const url = pathToFileURL(join(overlay.dist, "sim", "simulate.js")).href;
    return act(((await import(url)) as { readonly simulate: typeof Simulate }).simulate);
  } finally {
    overlay.remove();
  }
}

const cases = [
  { id: "36-replica-id-given-twice", name: "wiped-node-returns", seed: 1 },
  { id: "28-beat-carries-raw-commit", name: "isolated-leader", seed: 1 },
  // Fails only where few bytes may be in flight, which this seed drew.
  { id: "41-bytes-in-flight-leak", name: "leader-crash-loop", seed: 21 },
] as const;

/** What each of some seeds tightens. */
function limitsOfSeeds(simulate: typeof Simulate): readonly object[] {
  const [{ name }] = cases;
  const scenario = scenarios.find((each) => each.name === name)!;
  return Array.from({ length: 30 }, (_, seed) => {
    const { decisions } = simulate(scenario, { seed, stopAtStep: 1 });
    return decisions.options["limits"] as object;
  });
}

describe.each(cases)("harmless change: $id", ({ id, name, seed }) => {
  const bug = mutants.find((mutant) => mutant.id === id)!;
  const scenario = scenarios.find((each) => each.name === name)!;

  test("replay: the failure and its shrunk form: come back after one more draw, event and limit", async () => {
    const { start, shrunk } = await planted(bug, "shrunk", [], (simulate) => {
      const found = simulate(scenario, { seed });
      expect(bug.breaks).toContain(found.failure?.property);
      const smaller = shrink(
        (decisions, stopAtStep) => simulate(scenario, { seed, decisions, stopAtStep }),
        found,
      );
      expect(smaller).toMatchObject({ outcome: "smaller", minimal: true });
      return { start: found, shrunk: smaller };
    });
    const fingerprint = start.failure?.fingerprint;
    const changes = [...oneMoreDraw, ...oneMoreEvent, ...oneMoreLimit];
    await planted(bug, "changed", changes, (simulate) => {
      const again = (decisions: Decisions): RunResult => simulate(scenario, { seed, decisions });
      // What is new in the changed code does happen: its marks show by seed.
      const { marks } = simulate(scenario, { seed, stopAtStep: 10_000 });
      expect(marks["novel draw"]).toBeGreaterThan(0);
      expect(marks["novel event"]).toBeGreaterThan(0);
      expect(limitsOfSeeds(simulate).filter((limits) => novelLimit in limits)).not.toEqual([]);
      expect(again(start.decisions).failure?.fingerprint).toBe(fingerprint);
      expect(again(shrunk.decisions).failure?.fingerprint).toBe(fingerprint);
    });
  });
});

test("limits: one more that may be tight: moves no other", async () => {
  const [bug] = mutants;
  const before = await planted(bug!, "before", [], limitsOfSeeds);
  const after = await planted(bug!, "after", oneMoreLimit, limitsOfSeeds);
  const others = after.map((limits) =>
    Object.fromEntries(Object.entries(limits).filter(([limit]) => limit !== novelLimit)),
  );
  expect(others).not.toEqual(after);
  expect(others).toEqual(before);
});
