/** How the simulated clients speak to the key-value store: its client protocol, in both directions. */
import { ByteWriter } from "../core/bytes.js";
import { groupId } from "../core/ids.js";
import { decodeClientAnswer, encodeClientRequest } from "../core/store/client-protocol.js";
import {
  type KvCommand,
  decodeKvAnswer,
  encodeKvCommand,
  encodeKvQuestion,
} from "../core/store/commands.js";
import { slotOf } from "../core/store/slots.js";
import type { Operation, OperationResult } from "../lab/operation.js";
import type { PlannedOperation } from "../lab/run-result.js";
import type { Dialect, Reply } from "./clients.js";

/** Keys of one range at most; no prefix of a workload holds as many. */
const rangeLimit = 1_000;

export const kvDialect: Dialect = {
  open(group, nonce) {
    const writer = new ByteWriter(8);
    writer.u53(nonce);
    return encodeClientRequest({
      kind: "openSession",
      group: groupId(group + 1),
      nonce: writer.finish(),
    });
  },

  close(group, session) {
    return encodeClientRequest({ kind: "closeSession", group: groupId(group + 1), session });
  },

  nonsense(group, session, serial) {
    return encodeClientRequest({
      kind: "command",
      group: groupId(group + 1),
      session,
      serial,
      // The command before it may still be asked again.
      ackBelow: 0,
      slot: 0,
      command: new Uint8Array(0),
    });
  },

  command({ planned, serial }, session) {
    const key = ascii(planned.key);
    return encodeClientRequest({
      kind: "command",
      group: groupId(planned.group + 1),
      session,
      serial,
      // One operation at a time: this is the lowest serial that is waited for.
      ackBelow: serial,
      slot: slotOf(key),
      command: encodeKvCommand(commandOf(planned, key)),
    });
  },

  read({ planned }, first) {
    const key = ascii(planned.key);
    const mode = planned.read === "leader" || !first ? "index" : planned.read;
    return encodeClientRequest({
      kind: "read",
      group: groupId(planned.group + 1),
      mode: planned.read === "follower" ? "follower" : mode,
      slot: slotOf(key),
      question: encodeKvQuestion(
        planned.kind === "get"
          ? { kind: "get", key }
          : { kind: "range", start: key, end: null, limit: rangeLimit },
      ),
    });
  },

  reply(bytes) {
    const answer = decodeClientAnswer(bytes);
    switch (answer.kind) {
      case "opened":
        return { kind: "opened", session: answer.session };
      case "done":
      case "readResult":
        return resultOf(answer.bytes);
      case "refused":
      case "unknown":
        return { kind: answer.kind, leader: answer.leader };
      case "sessionExpired":
        return { kind: "expired" };
      default:
        // What a node cannot understand or place it has not done; another may.
        return { kind: "refused", leader: 0 };
    }
  },
};

function commandOf(planned: Operation["planned"], key: Uint8Array): KvCommand {
  const value = ascii(planned.value);
  switch (planned.kind) {
    case "delete":
      return { kind: "delete", key };
    case "cas": {
      const expected = planned.expected === null ? null : ascii(planned.expected);
      return { kind: "cas", key, expected, value };
    }
    default:
      return { kind: "put", key, value };
  }
}

function resultOf(bytes: Uint8Array): Reply {
  const answer = decodeKvAnswer(bytes);
  let result: OperationResult;
  switch (answer.kind) {
    case "put":
    case "delete":
      result = { kind: "written" };
      break;
    case "cas":
      result = { kind: "swapped", swapped: answer.ok };
      break;
    case "get":
      result = { kind: "value", value: answer.value === null ? null : text(answer.value) };
      break;
    case "range":
      result = {
        kind: "pairs",
        pairs: answer.entries.map(([key, value]) => [text(key), text(value)] as const),
      };
      break;
    default:
      return { kind: "refused", leader: 0 };
  }
  return { kind: "done", result };
}

/** A get of `key`, for probes and for the last look at the store. */
export function plainRead(
  id: string,
  client: number,
  group: number,
  key: string,
): PlannedOperation {
  return {
    id,
    client,
    thinkUs: 0,
    group,
    kind: "get",
    key,
    value: "",
    expected: null,
    read: "leader",
  };
}

/** Keys and values of a workload are ASCII. */
function ascii(written: string): Uint8Array {
  const bytes = new Uint8Array(written.length);
  for (let at = 0; at < written.length; at++) bytes[at] = written.charCodeAt(at);
  return bytes;
}

function text(bytes: Uint8Array): string {
  let written = "";
  for (const byte of bytes) written += String.fromCharCode(byte);
  return written;
}
