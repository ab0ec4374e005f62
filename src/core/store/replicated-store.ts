/**
 * What a group replicates, as its log drives it: a state machine, the client sessions around it, and
 * the slots that the group serves. Everything here is a function of the entries applied so far.
 */
import { assert, assertNever } from "../assert.js";
import { ByteReader, ByteWriter, bytesKey, emptyBytes, keyBytes } from "../bytes.js";
import { type Entry, entryType } from "../entry.js";
import { RollingHash } from "../hash.js";
import type { GroupId, Incarnation, NodeId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { SlotRange, StateMachine } from "../state-machine.js";
import { type ClientAnswer, type StoreRefusal, encodeClientAnswer } from "./client-protocol.js";
import {
  type GroupLifeEntry,
  decodeDataEntry,
  decodeGroupLifeEntry,
  decodeSessionEntry,
} from "./entries.js";
import { type SessionLimits, Sessions, sessionLimitsDefault } from "./sessions.js";
import { type SlotSpan, SlotTable } from "./slot-table.js";
import { isSlotCount, slotCountDefault, slotHashName } from "./slots.js";

export interface ReplicatedStoreOptions {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly machine: StateMachine;
  readonly marks: Marks;
  /** 65,536 unless given; the cluster's. */
  readonly slotCount?: number;
  /** The slots that the group serves from its founding; all unless given. */
  readonly owned?: SlotRange;
  readonly limits?: Partial<SessionLimits>;
}

const formatVersion = 1;

export class ReplicatedStore {
  readonly #group: GroupId;
  readonly #incarnation: Incarnation;
  readonly #machine: StateMachine;
  readonly #marks: Marks;
  readonly #sessions: Sessions;
  #slots: SlotTable;

  constructor(options: ReplicatedStoreOptions) {
    const { slotCount = slotCountDefault } = options;
    assert(isSlotCount(slotCount), "the slot count is a power of two", { slotCount });
    this.#group = options.group;
    this.#incarnation = options.incarnation;
    this.#machine = options.machine;
    this.#marks = options.marks;
    const limits = { ...sessionLimitsDefault, ...options.limits };
    this.#sessions = new Sessions(options, limits, options.marks);
    this.#slots = SlotTable.founding(slotCount, options.owned ?? { from: 0, to: slotCount });
  }

  /** For oracles and status. */
  get slots(): readonly SlotSpan[] {
    return this.#slots.spans;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /**
   * Applies a committed entry, its payload opened. Returns the ClientAnswer for whoever proposed it,
   * as bytes; null for entries that are not the store's. Entries come in order, each once.
   */
  apply(entry: Entry): Uint8Array | null {
    switch (entry.type) {
      case entryType.data:
        return encodeClientAnswer(this.#applyData(entry));
      case entryType.session:
        return encodeClientAnswer(this.#applySession(entry));
      case entryType.groupLife:
        return encodeClientAnswer(this.#applyLife(entry));
      case entryType.blank:
      case entryType.configuration:
      case entryType.key:
      case entryType.admin:
        return null;
      default:
        // The replica stops before an entry of a type that this version does not know.
        return assertNever(entry.type);
    }
  }

  /** Answers a read with a ClientAnswer, as bytes; changes nothing. */
  query(question: Uint8Array, slot: number): Uint8Array {
    const elsewhere = this.#elsewhere(slot);
    if (elsewhere !== null) return encodeClientAnswer(elsewhere);
    return encodeClientAnswer({ kind: "readResult", bytes: this.#machine.query(question, slot) });
  }

  /** Two 32-bit words, equal for equal states. */
  digest(): readonly [number, number] {
    const hash = new RollingHash();
    for (const part of [this.#machine.digest(), this.#sessions.digest()]) {
      hash.word(part[0]);
      hash.word(part[1]);
    }
    this.#slots.fold(hash);
    return hash.digest();
  }

  /** The whole state, from which `restore` makes one with an equal digest. */
  snapshot(): Uint8Array {
    const writer = new ByteWriter();
    writer.u8(formatVersion);
    writer.varbytes(keyBytes(slotHashName));
    writer.u32(this.#slots.slotCount);
    this.#slots.write(writer);
    this.#sessions.write(writer);
    writer.varbytes(this.#machine.exportSlots(this.#all));
    return writer.finish();
  }

  /** False when the bytes are no snapshot of a store with these slots; then nothing changed. */
  restore(bytes: Uint8Array): boolean {
    const reader = new ByteReader(bytes);
    const { slotCount } = this.#slots;
    const sound =
      reader.u8() === formatVersion &&
      bytesKey(reader.varbytes()) === slotHashName &&
      reader.u32() === slotCount;
    const slots = sound ? SlotTable.read(reader, slotCount) : null;
    const sessions = slots === null ? null : this.#sessions.read(reader, this.#all);
    const state = reader.varbytes();
    const whole = slots !== null && sessions !== null && reader.complete;
    if (!whole || !this.#machine.importSlots(this.#all, state)) {
      this.#marks.hit("storeStateRefused");
      return false;
    }
    this.#slots = slots;
    this.#sessions.restore(sessions);
    return true;
  }

  #applyData(entry: Entry): ClientAnswer {
    const data = decodeDataEntry(entry.payload);
    if (data.kind === "undecodable") return this.#malformed(data.code);
    const { slot } = data;
    const elsewhere = this.#elsewhere(slot);
    if (elsewhere !== null) return elsewhere;
    const admission = this.#sessions.admit(data, this.#slots.at(slot).cameAt, entry.index);
    switch (admission.kind) {
      case "apply": {
        const bytes = this.#machine.apply(data.command, slot);
        this.#sessions.remember(admission.session, data.serial, slot, bytes);
        return { kind: "done", bytes };
      }
      case "answered":
        return { kind: "done", bytes: admission.answer };
      case "expired":
        return { kind: "sessionExpired" };
      case "stale":
        return refused("staleSerial");
      case "full":
        return refused("sessionFull");
      default:
        return assertNever(admission);
    }
  }

  #applySession(entry: Entry): ClientAnswer {
    const session = decodeSessionEntry(entry.payload);
    switch (session.kind) {
      case "open": {
        const id = { group: this.#group, incarnation: this.#incarnation, index: entry.index };
        return { kind: "opened", session: this.#sessions.open(id, session.nonce) };
      }
      case "close":
        return this.#sessions.close(session.session)
          ? { kind: "done", bytes: emptyBytes }
          : { kind: "sessionExpired" };
      case "undecodable":
        return this.#malformed(session.code);
    }
  }

  #applyLife(entry: Entry): ClientAnswer {
    const life = decodeGroupLifeEntry(entry.payload);
    if (life.kind === "undecodable") return this.#malformed(life.code);
    if (life.slots.to > this.#slots.slotCount) return this.#malformed("field");
    switch (life.kind) {
      case "exportSlots":
        return this.#release(life);
      case "dropSlots":
        return this.#dropReleased(life);
      case "importSlots":
        return this.#accept(life, entry.index);
    }
  }

  /** What is released ends here before its next owner may accept it, at the same epoch. */
  #release({ slots, epoch }: GroupLifeEntry): ClientAnswer {
    const spans = this.#slots.within(slots);
    const again = spans.every((span) => span.state === "released" && span.epoch === epoch);
    const fits = spans.every((span) => span.state === "owned" && span.epoch < epoch);
    if (!again && !fits) return refused("badEpoch");
    const changed = this.#slots.changed(slots, { state: "released", epoch });
    if (changed === null) return refused("overloaded");
    this.#slots = changed;
    const writer = new ByteWriter();
    writer.u8(formatVersion);
    this.#sessions.writeOf(writer, slots, spans);
    writer.varbytes(this.#machine.exportSlots(slots));
    return { kind: "done", bytes: writer.finish() };
  }

  #dropReleased({ slots, epoch }: GroupLifeEntry): ClientAnswer {
    const spans = this.#slots.within(slots);
    const again = spans.every((span) => span.state === "absent" && span.epoch === epoch);
    if (again) return { kind: "done", bytes: emptyBytes };
    const fits = spans.every((span) => span.state === "released" && span.epoch === epoch);
    if (!fits) return refused("badEpoch");
    const changed = this.#slots.changed(slots, { state: "absent", epoch });
    if (changed === null) return refused("overloaded");
    const nothing = this.#machine.exportSlots({ from: 0, to: 0 });
    const emptied = this.#machine.importSlots(slots, nothing);
    assert(emptied, "the empty state can be imported into any range");
    this.#slots = changed;
    this.#sessions.dropAnswers(slots);
    return { kind: "done", bytes: emptyBytes };
  }

  #accept(life: GroupLifeEntry & { kind: "importSlots" }, index: number): ClientAnswer {
    const { slots, epoch } = life;
    const spans = this.#slots.within(slots);
    const again = spans.every((span) => span.state === "owned" && span.epoch === epoch);
    if (again) return { kind: "done", bytes: emptyBytes };
    if (!spans.every((span) => span.state !== "owned" && span.epoch < epoch)) {
      return refused("badEpoch");
    }
    const changed = this.#slots.changed(slots, { state: "owned", epoch, cameAt: index });
    if (changed === null) return refused("overloaded");
    const reader = new ByteReader(life.bytes);
    const version = reader.u8();
    const sessions = this.#sessions.read(reader, slots);
    const state = reader.varbytes();
    const sound = version === formatVersion && sessions !== null && reader.complete;
    if (!sound || !this.#machine.importSlots(slots, state)) {
      this.#marks.hit("importRefused");
      return { kind: "malformed", code: "field" };
    }
    if (spans.some((span) => span.state === "released")) this.#marks.hit("importReplacedSlots");
    this.#slots = changed;
    this.#sessions.dropAnswers(slots);
    this.#sessions.adopt(sessions, index, changed.spans);
    return { kind: "done", bytes: emptyBytes };
  }

  /** Null when the slot is served here. */
  #elsewhere(slot: number): ClientAnswer | null {
    if (slot >= this.#slots.slotCount) return { kind: "malformed", code: "field" };
    const { state, epoch } = this.#slots.at(slot);
    return state === "owned" ? null : { kind: "moved", epoch };
  }

  #malformed(code: (ClientAnswer & { kind: "malformed" })["code"]): ClientAnswer {
    this.#marks.hit("malformedCommandAnswered");
    return { kind: "malformed", code };
  }

  get #all(): SlotRange {
    return { from: 0, to: this.#slots.slotCount };
  }
}

/** By the state machine, not for want of a leader: no other node would answer otherwise. */
function refused(reason: StoreRefusal | "overloaded"): ClientAnswer {
  return { kind: "refused", reason, leader: 0 as NodeId | 0 };
}
