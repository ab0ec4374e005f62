/**
 * How the simulated clients speak to a group: the client protocol, in both directions, around what
 * its state machine understands.
 */
import { ByteWriter, emptyBytes, keyBytes } from "../core/bytes.js";
import { groupId } from "../core/ids.js";
import {
  type SessionId,
  decodeClientAnswer,
  encodeClientRequest,
} from "../core/store/client-protocol.js";
import { slotOf } from "../core/store/slots.js";
import type { Operation } from "../lab/operation.js";
import type { Dialect, Reply } from "./clients.js";
import type { Language } from "./languages.js";

export class StoreDialect implements Dialect {
  readonly #language: Language;

  constructor(language: Language) {
    this.#language = language;
  }

  open(group: number, nonce: number): Uint8Array {
    const writer = new ByteWriter(8);
    writer.u53(nonce);
    return encodeClientRequest({
      kind: "openSession",
      group: groupId(group + 1),
      nonce: writer.finish(),
    });
  }

  close(group: number, session: SessionId): Uint8Array {
    return encodeClientRequest({ kind: "closeSession", group: groupId(group + 1), session });
  }

  nonsense(group: number, session: SessionId, serial: number): Uint8Array {
    return encodeClientRequest({
      kind: "command",
      group: groupId(group + 1),
      session,
      serial,
      // The command before it may still be asked again.
      ackBelow: 0,
      slot: 0,
      epoch: 0,
      command: emptyBytes,
    });
  }

  command({ planned, serial }: Operation, session: SessionId): Uint8Array {
    return encodeClientRequest({
      kind: "command",
      group: groupId(planned.group + 1),
      session,
      serial,
      // One operation at a time: this is the lowest serial that is waited for.
      ackBelow: serial,
      slot: slotOf(keyBytes(planned.key)),
      epoch: 0,
      command: this.#language.command(planned),
    });
  }

  read({ planned }: Operation, first: boolean): Uint8Array {
    const mode = planned.read === "leader" || !first ? "index" : planned.read;
    return encodeClientRequest({
      kind: "read",
      group: groupId(planned.group + 1),
      mode: planned.read === "follower" ? "follower" : mode,
      slot: slotOf(keyBytes(planned.key)),
      epoch: 0,
      question: this.#language.question(planned),
    });
  }

  reply(bytes: Uint8Array): Reply {
    const answer = decodeClientAnswer(bytes);
    switch (answer.kind) {
      case "opened":
        return { kind: "opened", session: answer.session };
      case "done":
      case "readResult": {
        const result = this.#language.result(answer.bytes);
        return result === null ? { kind: "refused", leader: 0 } : { kind: "done", result };
      }
      case "refused":
      case "unknown":
        return { kind: answer.kind, leader: answer.leader };
      case "sessionExpired":
        return { kind: "expired" };
      default:
        // What a node cannot understand or place it has not done; another may.
        return { kind: "refused", leader: 0 };
    }
  }
}
