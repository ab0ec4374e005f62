/**
 * A failure on disk: all that is needed to run it again, by its seed or by its decisions, and to
 * know that it is the same failure when it comes back.
 */
import { z } from "zod";
import type { NodeId } from "../../../core/ids.js";
import type { Json } from "../../../core/plain.js";
import { faultKinds, type FaultKind } from "../../../lab/fault.js";
import { runLimits } from "../../../lab/run-limits.js";
import type { Decisions, PlannedOperation, RunResult } from "../../../lab/run-result.js";
import { buildSchema, type Build } from "./build.js";
import { readJson, writeWhole, type Format, type Read } from "./json-file.js";

export interface FailureFile {
  readonly format: "quorumlab-failure";
  readonly version: 1;
  /** The code that failed. */
  readonly made: Build;
  /** The known bug that was planted in it; null: none. */
  readonly mutant: string | null;
  readonly scenario: string;
  readonly seed: number;
  /** True if the budget of faults was lifted. */
  readonly safetyOnly: boolean;
  /** What brings back `digest`: the seed, or, after shrinking, only the decisions. */
  readonly by: "seed" | "decisions";
  readonly decisions: Decisions;
  /** Unusual draws that are not among the decisions, for want of room: the seed alone has them. */
  readonly drawsNotRecorded: number;
  readonly property: string;
  readonly fingerprint: string;
  readonly message: string;
  readonly step: number;
  readonly atUs: number;
  readonly node: number;
  readonly group: number;
  /** Of the whole run, 16 hex digits. */
  readonly digest: string;
}

/** Ids, keys, values and names of draws are at most so long. */
const textMax = 1 << 16;
/** A limit that is tight is below what is usual in a simulated world. */
const limitMax = 1 << 20;

const fileFormat: Format = { format: "quorumlab-failure", version: 1 };

const text = z.string().max(textMax);
const count = z.int().min(0);
const node = z
  .int()
  .min(1)
  .max(runLimits.nodes)
  .transform((id) => id as NodeId);

const json: z.ZodType<Json> = z.json() as z.ZodType<Json>;

/** Names of limits that the code does not know are told in the replay. */
const limits = z.record(text, z.union([count.max(limitMax), z.boolean()])).optional();

const fault = z.object({
  id: text,
  kind: z.enum(Object.keys(faultKinds) as [FaultKind, ...FaultKind[]]),
  atUs: count,
  forUs: count,
  nodes: z.array(node).max(runLimits.nodes),
  peers: z.array(node).max(runLimits.nodes),
  group: count.max(runLimits.groups),
  amount: z.int(),
});

const operation = z.object({
  id: text,
  client: count,
  thinkUs: count,
  group: count.max(runLimits.groups),
  kind: z.enum([
    "get",
    "put",
    "delete",
    "cas",
    "range",
    "command",
    "query",
  ] satisfies PlannedOperation["kind"][]),
  key: text,
  value: text,
  expected: text.nullable(),
  read: z.enum(["leader", "lease", "follower"]),
});

const schema: z.ZodType<FailureFile> = z
  .object({
    format: z.literal("quorumlab-failure"),
    version: z.literal(1),
    made: buildSchema,
    // Files of before have none.
    mutant: text.nullable().default(null),
    scenario: text,
    seed: count,
    safetyOnly: z.boolean(),
    by: z.enum(["seed", "decisions"]),
    decisions: z.object({
      options: z.record(z.string(), json),
      faults: z.array(fault),
      operations: z.array(operation),
      draws: z.array(text),
    }),
    // Files of before don't tell.
    drawsNotRecorded: count.default(0),
    property: text,
    fingerprint: text,
    message: text,
    step: count,
    atUs: count,
    node: count,
    group: count,
    digest: z.string().regex(/^[0-9a-f]{16}$/),
  })
  .superRefine(({ decisions }, context) => namesWhatIsThere(decisions, context));

/** The file of a run that violated a property; null for any other. */
export function failureFileOf(
  { failure, scenario, seed, decisions, drawsNotRecorded, digest }: RunResult,
  { made, mutant, by, safetyOnly }: Pick<FailureFile, "made" | "mutant" | "by" | "safetyOnly">,
): FailureFile | null {
  if (failure === null) return null;
  return {
    format: "quorumlab-failure",
    version: 1,
    made,
    mutant,
    scenario,
    seed,
    safetyOnly,
    by,
    ...failure,
    digest,
    decisions,
    drawsNotRecorded,
  };
}

/** @throws NodeJS.ErrnoException when the system refuses */
export function writeFailureFile(path: string, file: FailureFile): void {
  writeWhole(path, [JSON.stringify(file, null, 1), "\n"]);
}

/** Anything may be in the file; nothing of it is believed before it has been checked. */
export function readFailureFile(path: string): Read<FailureFile> {
  return readJson(path, schema, fileFormat);
}

/** Faults and operations name only nodes and groups that the options of the run provide for. */
function namesWhatIsThere(
  { options, faults, operations }: Decisions,
  context: z.RefinementCtx,
): void {
  const most = (name: string, limit: number): number => {
    const value = options[name];
    if (value === undefined) return limit;
    const good =
      typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= limit;
    if (!good) {
      const path = ["decisions", "options", name];
      context.addIssue({
        code: "custom",
        path,
        message: `expected a whole number from 1 to ${limit}`,
      });
    }
    return good ? value : limit;
  };
  const nodes = most("nodes", runLimits.nodes);
  const groups = most("groups", runLimits.groups);
  most("replication", nodes);
  most("clients", runLimits.clients);
  most("attackUs", runLimits.attackUs);
  most("snapshotEveryEntries", Number.MAX_SAFE_INTEGER);
  if (!limits.safeParse(options["limits"]).success) {
    context.addIssue({
      code: "custom",
      path: ["decisions", "options", "limits"],
      message: `expected whole numbers up to ${limitMax}, or true or false`,
    });
  }
  const refuse = (path: (string | number)[], message: string): void =>
    context.addIssue({ code: "custom", path: ["decisions", ...path], message });
  faults.forEach((each, at) => {
    const stranger = [...each.nodes, ...each.peers].find((id) => id > nodes);
    if (stranger !== undefined)
      refuse(["faults", at], `there is no node ${stranger}, only ${nodes}`);
    if (each.group >= groups) refuse(["faults", at, "group"], `there are only ${groups} groups`);
  });
  operations.forEach((each, at) => {
    if (each.group >= groups)
      refuse(["operations", at, "group"], `there are only ${groups} groups`);
  });
}
