/**
 * Two groups that own slots at epochs, as a client sees them: what they have applied, which sessions
 * they honour, and what goes along when a slot moves. Written from CONTRACTS 11, not from the store.
 */
import type { GroupId, Incarnation, Index } from "../../../src/core/ids.js";
import type {
  ClientAnswer,
  ClientRequest,
  SessionId,
} from "../../../src/core/store/client-protocol.js";

type Command = Extract<ClientRequest, { kind: "command" }>;

interface ModelSession {
  readonly id: SessionId;
  /** Opened here: honoured on slots that were here before it. */
  readonly native: boolean;
  /** Arrivals of slots that it came with. */
  readonly came: Set<number>;
  ackBelow: number;
  /** Per slot: serial -> answer. */
  readonly answers: Map<number, Map<number, Uint8Array>>;
}

interface ModelSlot {
  readonly epoch: number;
  readonly owned: boolean;
  readonly cameAt: number;
}

/** A slot on its way: its sessions and what they did on it. */
export type Parcel = readonly {
  readonly id: SessionId;
  readonly ackBelow: number;
  readonly answers: ReadonlyMap<number, Uint8Array>;
}[];

export class ModelGroup {
  readonly group: GroupId;
  readonly slots = new Map<number, ModelSlot>();
  readonly sessions = new Map<string, ModelSession>();
  readonly #nonces = new Map<string, string>();
  readonly #applied: (command: Uint8Array) => Uint8Array;
  #index = 0;

  constructor(group: GroupId, applied: (command: Uint8Array) => Uint8Array) {
    this.group = group;
    this.#applied = applied;
  }

  serves(slot: number, epoch: number): boolean {
    const here = this.slots.get(slot);
    return here?.owned === true && here.epoch === epoch;
  }

  moved(slot: number): ClientAnswer {
    return { kind: "moved", epoch: this.slots.get(slot)?.epoch ?? 0 };
  }

  open(nonce: Uint8Array): ClientAnswer {
    const index = ++this.#index as Index;
    const known = this.sessions.get(this.#nonces.get(String(nonce)) ?? "");
    if (known !== undefined) return { kind: "opened", session: known.id };
    const id = { group: this.group, incarnation: 0 as Incarnation, index };
    this.sessions.set(keyOf(id), {
      id,
      native: true,
      came: new Set(),
      ackBelow: 0,
      answers: new Map(),
    });
    this.#nonces.set(String(nonce), keyOf(id));
    return { kind: "opened", session: id };
  }

  /** It is forgotten with all that it did. */
  evict(id: SessionId): void {
    this.sessions.delete(keyOf(id));
  }

  apply({ session: id, serial, ackBelow, slot, epoch, command }: Command): ClientAnswer {
    this.#index++;
    if (!this.serves(slot, epoch)) return this.moved(slot);
    const session = this.sessions.get(keyOf(id));
    if (session === undefined || !this.#honours(session, slot)) return { kind: "sessionExpired" };
    this.#acknowledge(session, ackBelow);
    if (serial < session.ackBelow) return { kind: "refused", reason: "staleSerial", leader: 0 };
    const ofSlot = session.answers.get(slot) ?? new Map<number, Uint8Array>();
    session.answers.set(slot, ofSlot);
    const bytes = ofSlot.get(serial) ?? this.#applied(command);
    ofSlot.set(serial, bytes);
    return { kind: "done", bytes };
  }

  release(slot: number, epoch: number): Parcel {
    this.#index++;
    const leaving = [...this.sessions.values()].filter((each) => this.#honours(each, slot));
    this.slots.set(slot, { ...this.slots.get(slot)!, epoch, owned: false });
    return leaving
      .map(({ id, ackBelow, answers }) => {
        return { id, ackBelow, answers: new Map(answers.get(slot)) };
      })
      .filter(({ answers }) => answers.size > 0);
  }

  /** The move was called off: what was released is served again. */
  keep(slot: number, epoch: number): void {
    this.#index++;
    this.slots.set(slot, { ...this.slots.get(slot)!, epoch, owned: true });
  }

  accept(slot: number, epoch: number, parcel: Parcel): void {
    const cameAt = ++this.#index;
    this.slots.set(slot, { epoch, owned: true, cameAt });
    for (const session of this.sessions.values()) session.answers.delete(slot);
    for (const { id, ackBelow, answers } of parcel) {
      const session = this.sessions.get(keyOf(id)) ?? {
        id,
        native: false,
        came: new Set(),
        ackBelow: 0,
        answers: new Map<number, Map<number, Uint8Array>>(),
      };
      this.sessions.set(keyOf(id), session);
      session.came.add(cameAt);
      session.answers.set(slot, new Map(answers));
      this.#acknowledge(session, ackBelow);
    }
  }

  #honours({ native, id, came }: ModelSession, slot: number): boolean {
    const { cameAt } = this.slots.get(slot)!;
    return (native && id.index > cameAt) || came.has(cameAt);
  }

  #acknowledge(session: ModelSession, ackBelow: number): void {
    session.ackBelow = Math.max(session.ackBelow, ackBelow);
    for (const answers of session.answers.values()) {
      for (const serial of answers.keys()) if (serial < session.ackBelow) answers.delete(serial);
    }
  }
}

function keyOf({ group, incarnation, index }: SessionId): string {
  return `${group}.${incarnation}.${index}`;
}
