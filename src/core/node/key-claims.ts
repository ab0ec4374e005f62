/**
 * A node whose HSM was replaced. Its groups' keys are wrapped for a key that is no more, and no leader
 * knows: so the node tells each leader its new one, as long as it is without the group's keys.
 */
import type { NodeContext } from "./context.js";
import type { Desk } from "./desk.js";
import type { Keyring } from "./keyring.js";
import { encodeNodeRequest } from "./node-requests.js";
import type { Replica } from "./replica.js";
import type { Sleeper } from "./wake-heap.js";

/** Told again after so long: leaders change, and what is said is lost. */
const againUs = 500_000;

export class KeyClaims implements Sleeper {
  wakeAtUs: number = Infinity;
  wakeSlot = -1;
  readonly #context: NodeContext;
  readonly #desk: Desk;
  readonly #keyring: Keyring;
  readonly #keyless = new Set<Replica>();

  constructor(context: NodeContext, desk: Desk, keyring: Keyring) {
    this.#context = context;
    this.#desk = desk;
    this.#keyring = keyring;
  }

  /** It is without a key that it needs. */
  watch(replica: Replica): void {
    this.#keyless.add(replica);
    if (this.wakeAtUs === Infinity) this.#context.wakes.wakeAt(this, this.#context.nowUs + againUs);
  }

  woken(): void {
    for (const replica of this.#keyless) {
      if (replica.leaving || !replica.isKeyless) this.#keyless.delete(replica);
      else if (replica.keys!.isForeign) this.#foreign(replica);
    }
    const { wakes, nowUs } = this.#context;
    wakes.wakeAt(this, this.#keyless.size === 0 ? Infinity : nowUs + againUs);
  }

  #foreign(replica: Replica): void {
    replica.refuseClosed();
    // It may be in the log already, and could not be told from what is of no use before the HSM told its key.
    replica.keys!.seek(replica);
    const { group, incarnation, raft } = replica;
    // Who joins may know no configuration yet, and yet is spoken to.
    const { leaderNode } = raft.state;
    if (leaderNode === null || leaderNode === this.#context.node) return;
    this.#context.marks.hit("keyClaimed");
    const publicKey = this.#keyring.publicKey!;
    const claim = { kind: "keyClaim", group, incarnation, publicKey } as const;
    this.#desk.ask(leaderNode, encodeNodeRequest(claim));
  }
}
