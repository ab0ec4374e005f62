import { keyBytes } from "../../core/bytes.js";
import { slotKv, type SlotKvInput, type SlotKvOutput } from "../history/models/slot-kv.js";
import { linearizableBy } from "../judged-history.js";
import type { Operation } from "../operation.js";
import type { OracleSpec } from "../oracle.js";

/** What clients saw of the key-value store, judged slot by slot. */
export const linearizability: OracleSpec = linearizableBy(slotKv, (operation) => {
  const input = inputOf(operation);
  return input && { key: operation.planned.key, input, output: outputOf(operation) };
});

/** Null for what is asked of another state machine. Keys and values of a workload are ASCII. */
function inputOf({ planned }: Operation): SlotKvInput | null {
  const key = keyBytes(planned.key);
  switch (planned.kind) {
    case "get":
      return { f: "get", key };
    case "put":
      return { f: "put", key, value: keyBytes(planned.value) };
    case "delete":
      return { f: "delete", key };
    case "cas":
      return {
        f: "cas",
        key,
        expected: planned.expected === null ? null : keyBytes(planned.expected),
        value: keyBytes(planned.value),
      };
    case "range":
      return { f: "range", start: key, end: null, limit: rangeLimit };
    case "command":
    case "query":
      return null;
  }
}

/** As many as a client asks for at most; no prefix of a workload holds as many keys. */
const rangeLimit = 1_000;

function outputOf({ result }: Operation): SlotKvOutput {
  switch (result?.kind) {
    case "value":
      return { value: result.value === null ? null : keyBytes(result.value) };
    case "swapped":
      return { ok: result.swapped };
    case "pairs":
      return {
        entries: result.pairs.map(([key, value]) => [keyBytes(key), keyBytes(value)] as const),
      };
    default:
      return {};
  }
}
