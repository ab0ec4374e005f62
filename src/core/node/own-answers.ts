/** What a node answers to other nodes for itself, and not for one of its groups. */
import { emptyBytes } from "../bytes.js";
import { encodeClientAnswer } from "../store/client-protocol.js";
import { encodeLedPage, ledPageMax } from "../store/led-page.js";
import type { Keyring } from "./keyring.js";
import type { LedGroups } from "./led-groups.js";
import type { LifeAnswer, Lifecycle } from "./lifecycle.js";
import type { KeyFloorRequest, OwnRequest } from "./node-requests.js";
import type { Replicas } from "./replicas.js";
import { refusalBytes } from "./requests.js";

export interface OwnAnswersParts {
  readonly led: LedGroups;
  readonly lifecycle: Lifecycle;
  readonly replicas: Replicas;
  /** Null: nothing is sealed here. */
  readonly keyring: Keyring | null;
}

export class OwnAnswers {
  readonly #parts: OwnAnswersParts;

  constructor(parts: OwnAnswersParts) {
    this.#parts = parts;
  }

  to(asked: OwnRequest): Uint8Array {
    const { lifecycle, led } = this.#parts;
    switch (asked.kind) {
      case "found":
        return lifeAnswers[lifecycle.onFound(asked)];
      case "erase":
        return lifeAnswers[lifecycle.onErase(asked)];
      case "led": {
        const bytes = encodeLedPage(led.page(asked.above, ledPageMax));
        return encodeClientAnswer({ kind: "readResult", bytes });
      }
      case "kek":
        return this.#ownKek();
      case "keyFloor":
        return this.#keyFloor(asked);
    }
  }

  #ownKek(): Uint8Array {
    const publicKey = this.#parts.keyring?.publicKey ?? null;
    if (publicKey === null) return refusalBytes("keysUnavailable", null);
    return encodeClientAnswer({ kind: "done", bytes: publicKey });
  }

  /** Every replica of that life that is here has to be rid of what is older, the member among them. */
  #keyFloor({ group, incarnation, replica: member, below }: KeyFloorRequest): Uint8Array {
    const { replicas } = this.#parts;
    const here = replicas.peekAll(group).filter((each) => each.incarnation === incarnation);
    const clean = here.map(({ key }) => {
      const replica = replicas.find(key);
      return replica !== null && !replica.leaving && replica.clearBelow(below);
    });
    const isThere = here.some(({ replica }) => replica === member);
    return lifeAnswers[isThere && clean.every(Boolean) ? "done" : "underWay"];
  }
}

const lifeAnswers: Readonly<Record<LifeAnswer, Uint8Array>> = {
  done: encodeClientAnswer({ kind: "done", bytes: emptyBytes }),
  underWay: refusalBytes("notReady", null),
  refused: refusalBytes("badTarget", null),
};
