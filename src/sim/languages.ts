/** What operations and their results are in bytes to a state machine. */
import { bytesKey, keyBytes } from "../core/bytes.js";
import {
  type KvCommand,
  decodeKvAnswer,
  encodeKvCommand,
  encodeKvQuestion,
} from "../core/store/commands.js";
import type { OperationResult } from "../lab/operation.js";
import type { PlannedOperation } from "../lab/run-result.js";

export interface Language {
  command(planned: PlannedOperation): Uint8Array;
  question(planned: PlannedOperation): Uint8Array;
  /** Null: the state machine did not do what was asked. */
  result(answer: Uint8Array): OperationResult | null;
}

/** Of a state machine of the user's own: the bytes are the user's. */
export const ownLanguage: Language = {
  command: ({ value }) => keyBytes(value),
  question: ({ value }) => keyBytes(value),
  result: (answer) => ({ kind: "answer", answer: bytesKey(answer) }),
};

/** Keys of one range at most; no prefix of a workload holds as many. */
const rangeLimit = 1_000;

export const kvLanguage: Language = {
  command: (planned) => encodeKvCommand(commandOf(planned)),

  question({ kind, key: text }) {
    const key = keyBytes(text);
    return encodeKvQuestion(
      kind === "get"
        ? { kind: "get", key }
        : { kind: "range", start: key, end: null, limit: rangeLimit },
    );
  },

  result(bytes) {
    const answer = decodeKvAnswer(bytes);
    switch (answer.kind) {
      case "put":
      case "delete":
        return { kind: "written" };
      case "cas":
        return { kind: "swapped", swapped: answer.ok };
      case "get":
        return { kind: "value", value: answer.value === null ? null : bytesKey(answer.value) };
      case "range":
        return {
          kind: "pairs",
          pairs: answer.entries.map(([key, value]) => [bytesKey(key), bytesKey(value)] as const),
        };
      default:
        return null;
    }
  },
};

function commandOf(planned: PlannedOperation): KvCommand {
  const key = keyBytes(planned.key);
  const value = keyBytes(planned.value);
  switch (planned.kind) {
    case "delete":
      return { kind: "delete", key };
    case "cas": {
      const expected = planned.expected === null ? null : keyBytes(planned.expected);
      return { kind: "cas", key, expected, value };
    }
    default:
      return { kind: "put", key, value };
  }
}
