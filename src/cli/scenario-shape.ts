/** Whether what a module exports as a scenario is one; modules are JavaScript that nobody checked. */
import { z } from "zod";
import { slotCountMax } from "../core/store/slots.js";
import { faultKinds, type FaultKind } from "../lab/fault.js";
import { runLimits } from "../lab/run-limits.js";
import type { Scenario } from "../lab/scenario.js";
import { optionProblems } from "../sim/option-problems.js";

const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  z.int().min(least).max(most);

const count = (least: number, most?: number) => {
  const range = z.object({ min: whole(least, most), max: whole(least, most) });
  return z.union(
    [whole(least, most), range.refine(({ min, max }) => min <= max)],
    `expected a whole number from ${least}${most === undefined ? " on" : ` to ${most}`}, or {min, max}`,
  );
};

const thousandths = whole(0, 1_000).optional();
const calls = z.custom<(...given: never[]) => unknown>(
  (value) => typeof value === "function",
  "expected a function",
);

const schema = z.object({
  // It becomes part of file names.
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,99}$/, "expected lower case words with dashes"),
  about: z.string(),
  cluster: z.object({
    nodes: count(1, runLimits.nodes),
    groups: count(1, runLimits.groups),
    replication: count(1, runLimits.nodes),
    founders: z.array(z.array(whole(1, runLimits.nodes)).min(1)).optional(),
    stepUs: whole(0).optional(),
    raft: z.record(z.string(), z.union([z.number(), z.boolean()])),
    wal: z.record(z.string(), z.number()),
    sessions: z.record(z.string(), z.number()).optional(),
    map: z.object({ slotCount: whole(1, slotCountMax), zones: whole(1) }).optional(),
    node: z.record(z.string(), z.number()).optional(),
  }),
  workload: z.object({
    clients: count(1, runLimits.clients),
    thinkUs: count(0),
    keys: count(1),
    mix: z.record(z.string(), z.number().min(0)),
    valueBytes: count(0),
    followerReads: thousandths,
    leaseReads: thousandths,
    hotKeys: thousandths,
    habits: z.partialRecord(z.enum(["echo", "close", "nonsense"]), whole(0, 1_000)).optional(),
    mapEveryUs: whole(1).optional(),
  }),
  faults: z.object({
    swarm: z.array(z.enum(Object.keys(faultKinds) as [FaultKind, ...FaultKind[]])),
    swarmFaultsMax: whole(0),
    plan: calls.optional(),
  }),
  phases: z.object({ attackUs: whole(1, runLimits.attackUs) }),
  expect: z.enum(["ok", "violation"]),
  protocol: z
    .object({
      machine: calls,
      request: calls,
      properties: z.array(z.object({ id: z.string(), about: z.string(), judge: calls })),
    })
    .optional(),
});

/** What is wrong with it and where, in one sentence; null if nothing is. */
export function scenarioProblem(value: unknown): string | null {
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    const [problem] = optionProblems(value as Scenario);
    return problem === undefined ? null : `at cluster or workload, ${problem}`;
  }
  const { path, message } = parsed.error.issues[0]!;
  return path.length === 0 ? message : `at ${path.map(String).join(".")}: ${message}`;
}
