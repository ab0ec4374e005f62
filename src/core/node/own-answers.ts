/** What a node answers to other nodes for itself, and not for one of its groups. */
import { emptyBytes } from "../bytes.js";
import type { NodeId } from "../ids.js";
import { encodeClientAnswer } from "../store/client-protocol.js";
import { encodeLedPage, ledPageMax } from "../store/led-page.js";
import type { LedGroups } from "./led-groups.js";
import type { LifeAnswer, Lifecycle } from "./lifecycle.js";
import type { NodeKeys } from "./node-keys.js";
import type { KeyClaimRequest, KeyFloorRequest, OwnRequest } from "./node-requests.js";
import type { Replicas } from "./replicas.js";
import { refusalBytes } from "./requests.js";

export interface OwnAnswersParts {
  readonly led: LedGroups;
  readonly lifecycle: Lifecycle;
  readonly replicas: Replicas;
  /** Null: nothing is sealed here. */
  readonly keys: NodeKeys | null;
}

export class OwnAnswers {
  readonly #parts: OwnAnswersParts;

  constructor(parts: OwnAnswersParts) {
    this.#parts = parts;
  }

  to(asked: OwnRequest, from: NodeId): Uint8Array {
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
      case "keyClaim":
        return this.#keyClaim(asked, from);
    }
  }

  #ownKek(): Uint8Array {
    const publicKey = this.#parts.keys?.keyring.publicKey ?? null;
    if (publicKey === null) return refusalBytes("keysUnavailable", null);
    return encodeClientAnswer({ kind: "done", bytes: publicKey });
  }

  /** All that is left here of that life has to be rid of what is older, and the member must be here. */
  #keyFloor({ group, incarnation, replica, below }: KeyFloorRequest): Uint8Array {
    const { replicas, keys } = this.#parts;
    const key = { group, incarnation, replica };
    const isClear = keys !== null && keys.floors.clear(key, below);
    return lifeAnswers[isClear && replicas.holds(key) ? "done" : "underWay"];
  }

  #keyClaim({ group, incarnation, publicKey }: KeyClaimRequest, from: NodeId): Uint8Array {
    const { replicas } = this.#parts;
    // Nobody is woken, nor made of a row, to say that it does not lead.
    const replica = replicas.peek(group)?.leads === true ? replicas.ofGroup(group) : null;
    const leads = replica?.incarnation === incarnation && replica.leads && !replica.leaving;
    if (this.#parts.keys === null || !leads) return refusalBytes("notLeader", null);
    this.#parts.keys.office.claim(replica, from, publicKey.slice());
    return lifeAnswers.done;
  }
}

const lifeAnswers: Readonly<Record<LifeAnswer, Uint8Array>> = {
  done: encodeClientAnswer({ kind: "done", bytes: emptyBytes }),
  underWay: refusalBytes("notReady", null),
  refused: refusalBytes("badTarget", null),
};
