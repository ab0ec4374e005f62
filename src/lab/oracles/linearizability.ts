import { checkOperations } from "../history/checker.js";
import type { Operation as Judged } from "../history/operation.js";
import { slotKv, type SlotKvInput, type SlotKvOutput } from "../history/models/slot-kv.js";
import type { Operation } from "../operation.js";
import type { OracleSpec } from "../oracle.js";

/** Bounds of one check; a history that needs more is undecided, never taken for right. */
export const stepsMax = 2_000_000;
export const memoryBytesMax: number = 64 * 1_024 * 1_024;

/**
 * Herlihy and Wing 1990: every operation seems to take place at one moment between its call and its
 * answer. Judged slot by slot over all that the clients saw.
 */
export const linearizability: OracleSpec = {
  id: "linearizability",
  about:
    "what clients saw fits one order in which each operation takes effect at one moment (Herlihy, Wing 1990)",
  judges: "step",
  make(report, undecided) {
    return {
      finished(operations) {
        const judged = operations.flatMap(asJudged);
        const result = checkOperations(slotKv, judged, {
          stepBudget: stepsMax,
          memoryBytes: memoryBytesMax,
        });
        if (result.verdict === "unknown")
          undecided("the linearizability check ran out of its budget");
        if (result.verdict !== "illegal") return;
        const [part] = result.reports;
        report({
          message: `no order explains the ${part?.operations ?? 0} operations on ${part?.key ?? "?"}: ${part?.linearized.length ?? 0} of them fit at most`,
          shape: "no linear order",
          node: 0,
          group: 0,
        });
      },
    };
  },
};

/** Reads whose result is unknown, and operations that certainly did nothing, say nothing. */
function asJudged(operation: Operation): Judged<SlotKvInput, SlotKvOutput>[] {
  const { planned, outcome } = operation;
  const reads = planned.kind === "get" || planned.kind === "range";
  if (outcome === "failed" || (reads && outcome !== "ok")) return [];
  const known = outcome === "ok";
  return [
    {
      client: planned.client,
      call: operation.invokedUs,
      return: known ? operation.completedUs : null,
      key: planned.key,
      input: inputOf(operation),
      output: known ? outputOf(operation) : undefined,
    },
  ];
}

function inputOf({ planned }: Operation): SlotKvInput {
  const key = bytes(planned.key);
  switch (planned.kind) {
    case "get":
      return { f: "get", key };
    case "put":
      return { f: "put", key, value: bytes(planned.value) };
    case "delete":
      return { f: "delete", key };
    case "cas":
      return {
        f: "cas",
        key,
        expected: planned.expected === null ? null : bytes(planned.expected),
        value: bytes(planned.value),
      };
    case "range":
      return { f: "range", start: key, end: null, limit: rangeLimit };
  }
}

/** As many as a client asks for at most; no prefix of a workload holds as many keys. */
const rangeLimit = 1_000;

function outputOf({ result }: Operation): SlotKvOutput {
  switch (result?.kind) {
    case "value":
      return { value: result.value === null ? null : bytes(result.value) };
    case "swapped":
      return { ok: result.swapped };
    case "pairs":
      return { entries: result.pairs.map(([key, value]) => [bytes(key), bytes(value)] as const) };
    default:
      return {};
  }
}

/** Keys and values of a workload are ASCII. */
function bytes(text: string): Uint8Array {
  const ascii = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) ascii[at] = text.charCodeAt(at);
  return ascii;
}
