/** Answers on their way out at the end of a turn: to clients, or to the node that asked. */
import { shorten } from "../arrays.js";
import type { RequestId } from "../ids.js";
import type { Desk } from "./desk.js";

export interface Answer {
  readonly request: RequestId;
  readonly bytes: Uint8Array;
}

export class Answers {
  /** Where requests of other nodes are served; null: nowhere. */
  desk: Desk | null = null;
  readonly #toClients: Answer[] = [];

  push(answer: Answer): void {
    if (this.desk?.answer(answer.request, answer.bytes) === true) return;
    this.#toClients.push(answer);
  }

  /** Hands out what clients are told. */
  flush(answer: (request: RequestId, bytes: Uint8Array) => void): void {
    const answers = this.#toClients;
    for (let at = 0; at < answers.length; at++) answer(answers[at]!.request, answers[at]!.bytes);
    shorten(answers, 0);
  }
}
