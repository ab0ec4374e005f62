/**
 * What a group replicates, as its log drives it: a state machine, the client sessions around it, and
 * the slots that the group serves. Everything here is a function of the entries applied so far.
 */
import { assert, assertNever } from "../assert.js";
import { ByteReader, ByteWriter, bytesKey, keyBytes } from "../bytes.js";
import { type Checksum, crc32 as pureCrc32 } from "../crc32.js";
import { type Entry, entryType } from "../entry.js";
import { RollingHash } from "../hash.js";
import type { GroupId, Incarnation } from "../ids.js";
import type { Marks } from "../marks.js";
import type { SlotRange, StateMachine } from "../state-machine.js";
import { done, refused } from "./answers.js";
import { type ClientAnswer, encodeClientAnswer } from "./client-protocol.js";
import { decodeAdminEntry, decodeDataEntry, decodeSessionEntry } from "./entries.js";
import { decodeGroupLifeEntry } from "./group-life.js";
import { MovingSlots, moveBytesMaxDefault } from "./moving-slots.js";
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
  /** Bytes of state that may move from group to group at once; 64 MiB unless given. */
  readonly moveBytesMax?: number;
  /** The pure one unless given. */
  readonly crc32?: Checksum;
}

const formatVersion = 1;

export class ReplicatedStore {
  /** What is replicated here; nobody changes it but the log. */
  readonly machine: StateMachine;
  /** Bytes of state that one move may carry, and so what may be staged. */
  readonly moveBytesMax: number;
  readonly #group: GroupId;
  readonly #incarnation: Incarnation;
  readonly #marks: Marks;
  readonly #sessions: Sessions;
  readonly #moving: MovingSlots;

  constructor(options: ReplicatedStoreOptions) {
    const { slotCount = slotCountDefault, crc32 = pureCrc32, machine, marks } = options;
    assert(isSlotCount(slotCount), "the slot count is a power of two", { slotCount });
    this.#group = options.group;
    this.#incarnation = options.incarnation;
    this.machine = machine;
    this.moveBytesMax = options.moveBytesMax ?? moveBytesMaxDefault;
    this.#marks = marks;
    const limits = { ...sessionLimitsDefault, ...options.limits };
    this.#sessions = new Sessions(options, limits, marks);
    const table = SlotTable.founding(slotCount, options.owned ?? { from: 0, to: slotCount });
    const { moveBytesMax } = this;
    const sessions = this.#sessions;
    this.#moving = new MovingSlots(table, { machine, sessions, marks, crc32, moveBytesMax });
  }

  /** For oracles and status. */
  get slots(): readonly SlotSpan[] {
    return this.#moving.table.spans;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** True: the group has ended; everything is refused. */
  get retired(): boolean {
    return this.#moving.retired;
  }

  /** Bytes of slots that are on their way here. */
  get stagedBytes(): number {
    return this.#moving.stagedBytes;
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
      case entryType.admin:
        return encodeClientAnswer(this.#applyAdmin(entry));
      case entryType.blank:
      case entryType.configuration:
      case entryType.key:
        return null;
      default:
        // The replica stops before an entry of a type that this version does not know.
        return assertNever(entry.type);
    }
  }

  /** Answers a read at an epoch of its slot with a ClientAnswer, as bytes; changes nothing. */
  query(question: Uint8Array, slot: number, epoch: number): Uint8Array {
    const elsewhere = this.#moving.elsewhere(slot, epoch);
    if (elsewhere !== null) return encodeClientAnswer(elsewhere);
    return encodeClientAnswer({ kind: "readResult", bytes: this.machine.query(question, slot) });
  }

  /**
   * A piece of what was released at this epoch and is kept, as a ClientAnswer that holds a SlotsPiece;
   * of at most `pieceBytesMax` bytes, and none from the end on.
   */
  readSlots(slots: SlotRange, epoch: number, offset: number, bytesMax: number): Uint8Array {
    return encodeClientAnswer(this.#moving.readKept(slots, epoch, offset, bytesMax));
  }

  /** Two 32-bit words, equal for equal states. */
  digest(): readonly [number, number] {
    const hash = new RollingHash();
    for (const part of [this.machine.digest(), this.#sessions.digest()]) {
      hash.word(part[0]);
      hash.word(part[1]);
    }
    this.#moving.fold(hash);
    return hash.digest();
  }

  /** The whole state, from which `restore` makes one with an equal digest. */
  snapshot(): Uint8Array {
    const writer = new ByteWriter();
    writer.u8(formatVersion);
    writer.varbytes(keyBytes(slotHashName));
    writer.u32(this.#moving.table.slotCount);
    this.#moving.write(writer);
    this.#sessions.write(writer);
    writer.varbytes(this.machine.exportSlots(this.#all));
    return writer.finish();
  }

  /** False when the bytes are no snapshot of a store with these slots; then nothing changed. */
  restore(bytes: Uint8Array): boolean {
    const reader = new ByteReader(bytes);
    const { slotCount } = this.#moving.table;
    const sound =
      reader.u8() === formatVersion &&
      bytesKey(reader.varbytes()) === slotHashName &&
      reader.u32() === slotCount;
    const moving = sound ? this.#moving.read(reader) : null;
    const sessions = moving === null ? null : this.#sessions.read(reader, this.#all);
    const state = reader.varbytes();
    const whole = moving !== null && sessions !== null && reader.complete;
    if (!whole || !this.machine.importSlots(this.#all, state)) {
      this.#marks.hit("storeStateRefused");
      return false;
    }
    this.#moving.restore(moving);
    this.#sessions.restore(sessions);
    return true;
  }

  #applyData(entry: Entry): ClientAnswer {
    const data = decodeDataEntry(entry.payload);
    if (data.kind === "undecodable") return this.#malformed(data.code);
    const { slot } = data;
    const elsewhere = this.#moving.elsewhere(slot, data.epoch);
    if (elsewhere !== null) return elsewhere;
    const { cameAt } = this.#moving.table.at(slot);
    const admission = this.#sessions.admit(data, cameAt, entry.index);
    switch (admission.kind) {
      case "apply": {
        const bytes = this.machine.apply(data.command, slot);
        this.#sessions.remember(admission.session, data.serial, slot, bytes);
        return done(bytes);
      }
      case "answered":
        return done(admission.answer);
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
    if (this.retired) return refused("retired");
    const session = decodeSessionEntry(entry.payload);
    switch (session.kind) {
      case "open": {
        const id = { group: this.#group, incarnation: this.#incarnation, index: entry.index };
        return { kind: "opened", session: this.#sessions.open(id, session.nonce) };
      }
      case "close":
        return this.#sessions.close(session.session) ? done() : { kind: "sessionExpired" };
      case "undecodable":
        return this.#malformed(session.code);
    }
  }

  #applyLife(entry: Entry): ClientAnswer {
    const life = decodeGroupLifeEntry(entry.payload);
    if (life.kind === "undecodable") return this.#malformed(life.code);
    return this.#moving.apply(life, entry.index);
  }

  #applyAdmin(entry: Entry): ClientAnswer {
    if (this.retired) return refused("retired");
    const admin = decodeAdminEntry(entry.payload);
    if (admin.kind === "undecodable") return this.#malformed(admin.code);
    const { bytes, who, atUs } = admin;
    // A machine that knows no admins: for it these are no commands.
    if (this.machine.admin === undefined) return this.#malformed("kind");
    return done(this.machine.admin(bytes, who, atUs, entry.index));
  }

  #malformed(code: (ClientAnswer & { kind: "malformed" })["code"]): ClientAnswer {
    this.#marks.hit("malformedCommandAnswered");
    return { kind: "malformed", code };
  }

  get #all(): SlotRange {
    return { from: 0, to: this.#moving.table.slotCount };
  }
}
