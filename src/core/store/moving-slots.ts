/**
 * The slots of a group and how they move to another one, a logged step at a time. A step may come
 * twice, late, or after its job was given up, so each is judged by what the slots are now:
 *
 * 1. Each step that changes a slot raises its epoch; one below that epoch changes nothing.
 * 2. A slot is accepted only where it is absent: what is kept ends by `dropSlots` or `keepSlots`.
 * 3. One move out and one move in at a time.
 */
import { assert } from "../assert.js";
import { ByteReader, ByteWriter, emptyBytes } from "../bytes.js";
import type { Checksum } from "../crc32.js";
import type { RollingHash } from "../hash.js";
import type { Marks } from "../marks.js";
import type { SlotRange, StateMachine } from "../state-machine.js";
import { done, refused } from "./answers.js";
import type { ClientAnswer } from "./client-protocol.js";
import type { GroupLifeEntry } from "./group-life.js";
import {
  type Kept,
  type MovingState,
  foldMoving,
  mayCome,
  readMoving,
  writeMoving,
} from "./moving-state.js";
import type { Sessions } from "./sessions.js";
import type { SlotSpan, SlotTable } from "./slot-table.js";
import { encodeSlotsPiece, pieceBytesMax } from "./slots-piece.js";
import { type Incoming, Staging, isSameMove } from "./staging.js";

export interface MovingParts {
  readonly machine: StateMachine;
  readonly sessions: Sessions;
  readonly marks: Marks;
  readonly crc32: Checksum;
  readonly moveBytesMax: number;
}

/** The state of slots that one move may carry: more is refused when they are to be released. */
export const moveBytesMaxDefault: number = 64 * 1024 * 1024;

interface KeptState {
  readonly bytes: Uint8Array;
  readonly checksum: number;
}

type Step<Kind> = Extract<GroupLifeEntry, { readonly kind: Kind }>;

const stateVersion = 1;

export class MovingSlots {
  readonly #parts: MovingParts;
  #state: MovingState;
  /** Made of the state when it is asked for, and no part of it. */
  #keptState: KeptState | null = null;

  constructor(table: SlotTable, parts: MovingParts) {
    this.#parts = parts;
    this.#state = { table, retired: false, kept: null, staging: null };
  }

  get table(): SlotTable {
    return this.#state.table;
  }

  get retired(): boolean {
    return this.#state.retired;
  }

  /** Bytes that are staged here. */
  get stagedBytes(): number {
    return this.#state.staging?.length ?? 0;
  }

  /** Null when the slot is served here at exactly this epoch. */
  elsewhere(slot: number, epoch: number): ClientAnswer | null {
    if (this.retired) return refused("retired");
    if (slot >= this.table.slotCount) return { kind: "malformed", code: "field" };
    const span = this.table.at(slot);
    if (span.state === "owned" && span.epoch === epoch) return null;
    if (span.state === "owned") this.#parts.marks.hit("otherEpochRefused");
    return { kind: "moved", epoch: span.epoch };
  }

  /** The entry stands at `index`. */
  apply(life: GroupLifeEntry, index: number): ClientAnswer {
    if (life.kind === "retire") return this.#retire();
    if (this.retired) return refused("retired");
    if (life.slots.to > this.table.slotCount) return { kind: "malformed", code: "field" };
    const spans = this.table.within(life.slots);
    switch (life.kind) {
      case "exportSlots":
        return this.#release(life, spans);
      case "stageSlots":
        return this.#stage(life, spans);
      case "acceptSlots":
        return this.#accept(life, spans, index);
      case "abandonSlots":
        return this.#abandon(life, spans);
      case "keepSlots":
        return this.#keep(life, spans);
      case "dropSlots":
        return this.#drop(life, spans);
    }
  }

  /** A piece of what is kept, for its next owner; changes nothing. */
  readKept(slots: SlotRange, epoch: number, offset: number, bytesMax: number): ClientAnswer {
    if (this.retired) return refused("retired");
    if (!this.#keeps(slots, epoch)) return refused("badEpoch");
    const { bytes, checksum } = this.#kept();
    const piece = bytes.subarray(offset, offset + Math.min(bytesMax, pieceBytesMax));
    const answer = encodeSlotsPiece({ total: bytes.length, checksum, bytes: piece });
    return { kind: "readResult", bytes: answer };
  }

  fold(hash: RollingHash): void {
    foldMoving(this.#state, hash);
  }

  write(writer: ByteWriter): void {
    writeMoving(this.#state, writer);
  }

  /** Null unless the bytes are what `write` makes. */
  read(reader: ByteReader): MovingState | null {
    const { crc32, moveBytesMax } = this.#parts;
    return readMoving(reader, this.table.slotCount, crc32, moveBytesMax);
  }

  /** Replaces everything by what `read` gave. */
  restore(state: MovingState): void {
    this.#become(state);
  }

  /** What is released ends here before its next owner may accept it, at the same epoch. */
  #release({ slots, epoch }: Step<"exportSlots">, spans: readonly SlotSpan[]): ClientAnswer {
    if (this.#keeps(slots, epoch)) return this.#keptAnswer();
    if (!spans.every((span) => span.state === "owned" && span.epoch < epoch)) {
      return this.#late();
    }
    if (this.#state.kept !== null) return this.#otherMove();
    const table = this.table.changed(slots, { state: "released", epoch });
    if (table === null) return refused("overloaded");
    const { sessions, crc32 } = this.#parts;
    const writer = new ByteWriter();
    sessions.writeOf(writer, slots, spans);
    const remembered = writer.finish();
    const sessionsChecksum = crc32(remembered);
    const kept = { slots, epoch, sessions: remembered, sessionsChecksum };
    const keptState = this.#stateOf(kept);
    if (keptState.bytes.length > this.#parts.moveBytesMax) {
      this.#parts.marks.hit("moveTooLarge");
      return refused("tooLarge");
    }
    this.#become({ ...this.#state, table, kept });
    this.#keptState = keptState;
    return this.#keptAnswer();
  }

  #stage(life: Step<"stageSlots">, spans: readonly SlotSpan[]): ClientAnswer {
    const { marks, moveBytesMax, crc32 } = this.#parts;
    if (areServed(spans, life.epoch)) return stagedAnswer(life.total);
    if (!mayCome(spans, life.epoch)) return this.#late();
    if (life.total > moveBytesMax) return refused("tooLarge");
    const { staging } = this.#state;
    if (staging === null) {
      if (life.offset > 0) return this.#late();
      const begun = new Staging(incomingOf(life), crc32);
      begun.add(0, life.bytes);
      this.#become({ ...this.#state, staging: begun });
      return stagedAnswer(begun.length);
    }
    if (life.epoch > staging.incoming.epoch) return this.#otherMove();
    if (!isSameMove(staging.incoming, life)) return this.#late();
    const before = staging.length;
    if (!staging.add(life.offset, life.bytes)) return this.#late();
    if (staging.length === before) marks.hit("pieceStagedAgain");
    return stagedAnswer(staging.length);
  }

  #accept(life: Step<"acceptSlots">, spans: readonly SlotSpan[], index: number): ClientAnswer {
    const { slots, epoch, total } = life;
    const { staging } = this.#state;
    if (areServed(spans, epoch)) return done();
    if (!mayCome(spans, epoch)) return this.#late();
    if (total === 0 && staging !== null) return this.#otherMove();
    const same = staging !== null && isSameMove(staging.incoming, life);
    const whole = same ? staging.whole : null;
    if (total > 0 && whole === null) return this.#late();
    const table = this.table.changed(slots, { state: "owned", epoch, cameAt: index });
    if (table === null) return refused("overloaded");
    if (whole !== null && !this.#install(slots, whole, index, table)) {
      this.#parts.marks.hit("importRefused");
      return { kind: "malformed", code: "field" };
    }
    this.#become({ ...this.#state, table, staging: null });
    return done();
  }

  /** From here on an accept at this epoch is refused, also one that is under way. */
  #abandon({ slots, epoch }: Step<"abandonSlots">, spans: readonly SlotSpan[]): ClientAnswer {
    if (!spans.every((span) => span.state === "absent" && span.epoch <= epoch)) {
      return this.#late();
    }
    const table = this.table.changed(slots, { epoch });
    if (table === null) return refused("overloaded");
    const { staging } = this.#state;
    const dead = staging !== null && staging.incoming.epoch <= epoch && meets(staging, slots);
    if (dead) this.#parts.marks.hit("stagedSlotsAbandoned");
    this.#become({ ...this.#state, table, staging: dead ? null : staging });
    return done();
  }

  /** Slots that were not released yet are raised as well: a release under way is refused then. */
  #keep({ slots, epoch, next }: Step<"keepSlots">, spans: readonly SlotSpan[]): ClientAnswer {
    if (areServed(spans, next)) return done();
    const kept = this.#keeps(slots, epoch);
    if (!kept && !spans.every((span) => span.state === "owned" && span.epoch < epoch)) {
      return this.#late();
    }
    const table = this.table.changed(slots, { state: "owned", epoch: next });
    if (table === null) return refused("overloaded");
    if (kept) this.#parts.marks.hit("keptSlotsServedAgain");
    this.#become({ ...this.#state, table, kept: kept ? null : this.#state.kept });
    return done();
  }

  #drop({ slots, epoch }: Step<"dropSlots">, spans: readonly SlotSpan[]): ClientAnswer {
    if (spans.every((span) => span.state === "absent" && span.epoch === epoch)) return done();
    if (!this.#keeps(slots, epoch)) return this.#late();
    const table = this.table.changed(slots, { state: "absent", epoch });
    if (table === null) return refused("overloaded");
    const { machine, sessions } = this.#parts;
    const emptied = machine.importSlots(slots, machine.exportSlots({ from: 0, to: 0 }));
    assert(emptied, "the empty state can be imported into any range");
    sessions.dropAnswers(slots);
    this.#become({ ...this.#state, table, kept: null });
    return done();
  }

  #retire(): ClientAnswer {
    if (this.retired) return done();
    const empty = this.table.spans.every((span) => span.state === "absent");
    if (!empty || this.#state.staging !== null) return this.#late();
    this.#parts.marks.hit("groupRetired");
    this.#parts.sessions.restore([]);
    this.#become({ ...this.#state, retired: true });
    return done();
  }

  /** False, and nothing changed, when the state cannot be understood. */
  #install(slots: SlotRange, bytes: Uint8Array, index: number, table: SlotTable): boolean {
    const { machine, sessions } = this.#parts;
    const reader = new ByteReader(bytes);
    const version = reader.u8();
    const remembered = new ByteReader(reader.varbytes());
    const records = sessions.read(remembered, slots);
    const state = reader.varbytes();
    const known = version === stateVersion && records !== null;
    const sound = known && remembered.complete && reader.complete;
    if (!sound || !machine.importSlots(slots, state)) return false;
    sessions.adopt(records, index, table.spans);
    return true;
  }

  #keeps(slots: SlotRange, epoch: number): boolean {
    const { kept } = this.#state;
    return kept?.epoch === epoch && kept.slots.from === slots.from && kept.slots.to === slots.to;
  }

  #keptAnswer(): ClientAnswer {
    const { bytes, checksum } = this.#kept();
    return done(encodeSlotsPiece({ total: bytes.length, checksum, bytes: emptyBytes }));
  }

  #kept(): KeptState {
    const { kept } = this.#state;
    assert(kept !== null, "there is a move out");
    this.#keptState ??= this.#stateOf(kept);
    return this.#keptState;
  }

  #stateOf({ slots, sessions }: Kept): KeptState {
    const writer = new ByteWriter();
    writer.u8(stateVersion);
    writer.varbytes(sessions);
    writer.varbytes(this.#parts.machine.exportSlots(slots));
    const bytes = writer.finish();
    return { bytes, checksum: this.#parts.crc32(bytes) };
  }

  /** All changes: what was made of the state before is void. */
  #become(state: MovingState): void {
    this.#state = state;
    this.#keptState = null;
  }

  /** It does not fit what the slots are now. */
  #late(): ClientAnswer {
    this.#parts.marks.hit("lifeStepRefused");
    return refused("badEpoch");
  }

  #otherMove(): ClientAnswer {
    this.#parts.marks.hit("secondMoveRefused");
    return refused("overloaded");
  }
}

function areServed(spans: readonly SlotSpan[], epoch: number): boolean {
  return spans.every((span) => span.state === "owned" && span.epoch === epoch);
}

function meets({ incoming }: Staging, slots: SlotRange): boolean {
  return incoming.slots.from < slots.to && incoming.slots.to > slots.from;
}

function incomingOf({ slots, epoch, total, checksum }: Incoming): Incoming {
  return { slots, epoch, total, checksum };
}

function stagedAnswer(length: number): ClientAnswer {
  const writer = new ByteWriter();
  writer.u53(length);
  return done(writer.finish());
}
