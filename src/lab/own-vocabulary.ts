/** What clients ask of a state machine of the user's own. */
import { bytesKey, keyBytes } from "../core/bytes.js";
import { slotOf } from "../core/store/slots.js";
import type { Draw } from "./draw.js";
import type { StateMachineRequest, StateMachineSpec } from "./scenario.js";
import type { Asked, NextOf, Vocabulary } from "./workload.js";

export class OwnVocabulary implements Vocabulary {
  readonly #spec: StateMachineSpec;
  readonly #groups: number;

  constructor(spec: StateMachineSpec, groups: number) {
    this.#spec = spec;
    this.#groups = groups;
  }

  next(draw: Draw, { client, last }: NextOf): Asked {
    const answer = last?.result?.kind === "answer" ? keyBytes(last.result.answer) : null;
    return this.#asked(this.#spec.request(draw, client, answer));
  }

  lastReads(): readonly Asked[] {
    return this.#spec.lastQuestions.map((request) => this.#asked(request));
  }

  /** Without meaning, and so without consequences: that they are answered is all that counts. */
  probes(group: number): readonly Asked[] {
    const of = { group, key: "", value: "", expected: null };
    return [
      { ...of, kind: "command" },
      { ...of, kind: "query" },
    ];
  }

  /** All that shares a slot shares a group. */
  #asked({ kind, key, bytes }: StateMachineRequest): Asked {
    const group = slotOf(keyBytes(key)) % this.#groups;
    return { group, kind, key, value: bytesKey(bytes), expected: null };
  }
}
