/**
 * Client sessions (thesis section 6.3): a command that is proposed again is answered again, not
 * applied again. All of it is a function of the log.
 *
 * What was applied is remembered per (session, slot), so that it can move with the slot, until the
 * client says that it waits for no serial below a given one. Where there are too many sessions, the
 * one whose last entry lies furthest back makes room.
 *
 * A session is honoured only on slots for which nothing that it did can have been forgotten: here,
 * or by an earlier owner that evicted it. Those are the slots that have not left or come since it was
 * opened here, and the slots that it came with. On others it counts as expired.
 */
import { type ByteReader, type ByteWriter, bytesKey, copyBytes, keyBytes } from "../bytes.js";
import { RollingHash } from "../hash.js";
import type { Marks } from "../marks.js";
import type { SlotRange } from "../state-machine.js";
import { type SessionId, nonceBytesMax, putSessionId, takeSessionId } from "./client-protocol.js";
import type { SlotSpan } from "./slot-table.js";

export interface SessionLimits {
  /** Sessions of a group. */
  readonly sessionsMax: number;
  /** Answers that one session may leave unacknowledged, and their bytes. */
  readonly answersPerSessionMax: number;
  readonly answersBytesPerSessionMax: number;
}

export const sessionLimitsDefault: SessionLimits = {
  sessionsMax: 4096,
  answersPerSessionMax: 256,
  answersBytesPerSessionMax: 1024 * 1024,
};

export interface SessionCommand {
  readonly session: SessionId;
  readonly serial: number;
  readonly ackBelow: number;
}

/** What is to be done with a command. */
export type Admission =
  /** Its answer must be handed to `remember`, with this session. */
  | { readonly kind: "apply"; readonly session: Session }
  | { readonly kind: "answered"; readonly answer: Uint8Array }
  | { readonly kind: "expired" }
  | { readonly kind: "stale" }
  | { readonly kind: "full" };

interface Answer {
  readonly slot: number;
  readonly bytes: Uint8Array;
  readonly hashA: number;
  readonly hashB: number;
}

export interface Session {
  readonly id: SessionId;
  readonly key: SessionKey;
  /** The lanes of a hash over id and nonce, with which those of answers and of the rest begin. */
  readonly seedA: number;
  readonly seedB: number;
  /** As `bytesKey` makes it; empty for one that came with slots. */
  readonly nonce: string;
  /** Opened here, and never evicted since: not one that an import brought back. */
  readonly native: boolean;
  /** The imports that it came with: `cameAt` of their slots. */
  came: readonly number[];
  lastUsed: number;
  ackBelow: number;
  /** By serial, none below `ackBelow`. */
  readonly answers: Map<number, Answer>;
  answersBytes: number;
}

/** The index of the opening where that was in this group, else the whole id as text. */
type SessionKey = number | string;

/** A session as it travels: in snapshots and with slots. */
interface SessionRecord {
  readonly id: SessionId;
  readonly nonce: string;
  readonly native: boolean;
  readonly came: readonly number[];
  readonly lastUsed: number;
  readonly ackBelow: number;
  readonly answers: readonly (readonly [serial: number, slot: number, bytes: Uint8Array])[];
}

export type SessionRecords = readonly SessionRecord[];

/** 1. Sessions stand in the order of `lastUsed`. 2. `#byNonce` has each one that has a nonce. */
export class Sessions {
  readonly #home: Omit<SessionId, "index">;
  readonly #limits: SessionLimits;
  readonly #marks: Marks;
  readonly #sessions = new Map<SessionKey, Session>();
  readonly #byNonce = new Map<string, Session>();
  #sumA = 0;
  #sumB = 0;

  /** `home` is the group whose log this is. */
  constructor(home: Omit<SessionId, "index">, limits: SessionLimits, marks: Marks) {
    this.#home = { group: home.group, incarnation: home.incarnation };
    this.#limits = limits;
    this.#marks = marks;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The entry at `id.index` opens a session, unless it repeats the nonce of one that is there. */
  open(id: SessionId, nonce: Uint8Array): SessionId {
    const nonceKey = bytesKey(nonce);
    const session = this.#byNonce.get(nonceKey);
    if (session !== undefined) {
      this.#marks.hit("sessionReopened");
      this.#use(session, id.index, session.ackBelow);
      return session.id;
    }
    const fresh = { native: true, came: [], lastUsed: id.index, ackBelow: 0, answers: [] };
    this.#add({ id, nonce: nonceKey, ...fresh });
    return id;
  }

  /** False when it was not there. */
  close(id: SessionId): boolean {
    const session = this.#sessions.get(this.#keyOf(id));
    if (session === undefined) return false;
    this.#marks.hit("sessionClosed");
    this.#drop(session);
    return true;
  }

  /** `index` is that of the entry; `cameAt` says since when its slot is here. */
  admit(command: SessionCommand, cameAt: number, index: number): Admission {
    const { serial, ackBelow } = command;
    const session = this.#sessions.get(this.#keyOf(command.session));
    if (session === undefined || !isHonoured(session, cameAt)) {
      this.#marks.hit("expiredSessionRefused");
      return { kind: "expired" };
    }
    this.#use(session, index, ackBelow);
    if (serial < session.ackBelow) {
      this.#marks.hit("retryBelowAckRefused");
      return { kind: "stale" };
    }
    const answer = session.answers.get(serial);
    if (answer !== undefined) {
      this.#marks.hit("retryAnsweredFromSession");
      return { kind: "answered", answer: answer.bytes };
    }
    const { answersPerSessionMax, answersBytesPerSessionMax } = this.#limits;
    const full =
      session.answers.size >= answersPerSessionMax ||
      session.answersBytes >= answersBytesPerSessionMax;
    if (!full) return { kind: "apply", session };
    this.#marks.hit("sessionAnswersFull");
    return { kind: "full" };
  }

  /** Copies the answer, which may be a view of much more. */
  remember(session: Session, serial: number, slot: number, bytes: Uint8Array): void {
    const before = session.answers.get(serial);
    if (before !== undefined) this.#forget(session, serial, before);
    const hash = new RollingHash(session.seedA, session.seedB);
    hash.number(serial);
    hash.word(slot);
    hash.bytes(bytes);
    const [hashA, hashB] = hash.digest();
    session.answers.set(serial, { slot, bytes: copyBytes(bytes), hashA, hashB });
    session.answersBytes += bytes.length;
    this.#sum(hashA, hashB);
  }

  /** Forgets what was applied to these slots. */
  dropAnswers(slots: SlotRange): void {
    for (const session of this.#sessions.values()) {
      for (const [serial, answer] of session.answers) {
        if (isWithin(answer.slot, slots)) this.#forget(session, serial, answer);
      }
    }
  }

  /** The sum of one hash per session and answer. */
  digest(): readonly [number, number] {
    return [this.#sumA >>> 0, this.#sumB >>> 0];
  }

  write(writer: ByteWriter): void {
    writer.u32(this.#sessions.size);
    for (const session of this.#sessions.values()) writeRecord(writer, recordOf(session, null));
  }

  /** Those that are honoured on all of `slots` and remember something of them; that goes along. */
  writeOf(writer: ByteWriter, slots: SlotRange, spans: readonly SlotSpan[]): void {
    const records = [...this.#sessions.values()]
      .filter((session) => spans.every((span) => isHonoured(session, span.cameAt)))
      .map((session) => recordOf(session, slots))
      .filter((record) => record.answers.length > 0);
    writer.u32(records.length);
    for (const record of records) writeRecord(writer, record);
  }

  /** Null unless the bytes are what `write` makes: ids once each, the longest unused first. */
  read(reader: ByteReader, slots: SlotRange): SessionRecords | null {
    const count = reader.u32();
    if (count > this.#limits.sessionsMax) return null;
    const records: SessionRecord[] = [];
    const keys = new Set<SessionKey>();
    let before = 0;
    for (let n = 0; n < count; n++) {
      const record = readRecord(reader, slots);
      if (record === null || record.lastUsed < before) return null;
      before = record.lastUsed;
      keys.add(this.#keyOf(record.id));
      records.push(record);
    }
    return reader.failed || keys.size < count ? null : records;
  }

  /** Replaces everything by what a snapshot holds. */
  restore(records: SessionRecords): void {
    for (const session of this.#sessions.values()) this.#drop(session);
    for (const record of records) this.#add(record);
  }

  /** Takes over what came with slots, by the entry at `index`; `spans` are the slots since then. */
  adopt(records: SessionRecords, index: number, spans: readonly SlotSpan[]): void {
    const live = new Set(spans.map((span) => span.cameAt));
    for (const session of this.#sessions.values()) {
      if (session.came.length === 0) continue;
      const came = session.came.filter((at) => live.has(at));
      this.#change(session, session.lastUsed, session.ackBelow, came);
    }
    for (const record of records) {
      const session = this.#sessions.get(this.#keyOf(record.id));
      this.#marks.hit("importCarriedSessions");
      if (session === undefined) {
        this.#add({ ...record, nonce: "", native: false, came: [index], lastUsed: index });
      } else {
        this.#change(session, session.lastUsed, session.ackBelow, [...session.came, index]);
        this.#use(session, index, record.ackBelow);
        for (const [serial, slot, bytes] of record.answers) {
          if (serial >= session.ackBelow) this.remember(session, serial, slot, bytes);
        }
      }
    }
  }

  #add(record: SessionRecord): void {
    if (this.#sessions.size >= this.#limits.sessionsMax) {
      this.#marks.hit("sessionEvicted");
      this.#drop(this.#sessions.values().next().value!);
    }
    const { id, nonce, native, came, lastUsed, ackBelow } = record;
    const seed = new RollingHash();
    seed.number(id.group);
    seed.number(id.incarnation);
    seed.number(id.index);
    seed.word(native ? 1 : 0);
    seed.text(nonce);
    const session: Session = {
      id,
      key: this.#keyOf(id),
      seedA: seed.a,
      seedB: seed.b,
      nonce,
      native,
      came,
      lastUsed,
      ackBelow,
      answers: new Map(),
      answersBytes: 0,
    };
    this.#sessions.set(session.key, session);
    if (nonce !== "") this.#byNonce.set(nonce, session);
    this.#count(session, 1);
    for (const [serial, slot, bytes] of record.answers) this.remember(session, serial, slot, bytes);
  }

  #drop(session: Session): void {
    for (const [serial, answer] of session.answers) this.#forget(session, serial, answer);
    this.#count(session, -1);
    this.#sessions.delete(session.key);
    if (session.nonce !== "") this.#byNonce.delete(session.nonce);
  }

  /** Moves the session to the young end and lets acknowledged answers go. */
  #use(session: Session, index: number, ackBelow: number): void {
    const raised = ackBelow > session.ackBelow;
    this.#change(session, index, raised ? ackBelow : session.ackBelow, session.came);
    if (raised) {
      for (const [serial, answer] of session.answers) {
        if (serial < ackBelow) this.#forget(session, serial, answer);
      }
    }
    this.#sessions.delete(session.key);
    this.#sessions.set(session.key, session);
  }

  /** All changes of what the digest holds of a session beside its answers. */
  #change(session: Session, lastUsed: number, ackBelow: number, came: readonly number[]): void {
    this.#count(session, -1);
    session.lastUsed = lastUsed;
    session.ackBelow = ackBelow;
    session.came = came;
    this.#count(session, 1);
  }

  #forget(session: Session, serial: number, answer: Answer): void {
    session.answers.delete(serial);
    session.answersBytes -= answer.bytes.length;
    this.#sum(-answer.hashA, -answer.hashB);
  }

  /** Lets the session itself, without its answers, enter (1) or leave (-1) the digest. */
  #count(session: Session, sign: 1 | -1): void {
    const hash = new RollingHash(session.seedA, session.seedB);
    hash.number(session.ackBelow);
    hash.number(session.lastUsed);
    for (const at of session.came) hash.number(at);
    const [a, b] = hash.digest();
    this.#sum(sign * a, sign * b);
  }

  #sum(a: number, b: number): void {
    this.#sumA = (this.#sumA + a) | 0;
    this.#sumB = (this.#sumB + b) | 0;
  }

  #keyOf({ group, incarnation, index }: SessionId): SessionKey {
    const local = group === this.#home.group && incarnation === this.#home.incarnation;
    return local ? index : `${group}.${incarnation}.${index}`;
  }
}

/** See the top: can nothing that the session did on a slot have been forgotten? */
function isHonoured(session: Session, cameAt: number): boolean {
  return (session.native && session.id.index > cameAt) || session.came.includes(cameAt);
}

/** With all answers, or only those of `slots`. */
function recordOf(session: Session, slots: SlotRange | null): SessionRecord {
  const answers: [number, number, Uint8Array][] = [];
  for (const [serial, { slot, bytes }] of session.answers) {
    if (slots === null || isWithin(slot, slots)) answers.push([serial, slot, bytes]);
  }
  const { id, nonce, native, came, lastUsed, ackBelow } = session;
  return { id, nonce, native, came, lastUsed, ackBelow, answers };
}

function isWithin(slot: number, slots: SlotRange): boolean {
  return slot >= slots.from && slot < slots.to;
}

function writeRecord(writer: ByteWriter, record: SessionRecord): void {
  putSessionId(writer, record.id);
  writer.varbytes(keyBytes(record.nonce));
  writer.u8(record.native ? 1 : 0);
  writer.u32(record.came.length);
  for (const at of record.came) writer.u53(at);
  writer.u53(record.lastUsed);
  writer.u53(record.ackBelow);
  writer.u32(record.answers.length);
  for (const [serial, slot, bytes] of record.answers) {
    writer.u53(serial);
    writer.u32(slot);
    writer.varbytes(bytes);
  }
}

function readRecord(reader: ByteReader, slots: SlotRange): SessionRecord | null {
  const id = takeSessionId(reader);
  const nonce = bytesKey(reader.varbytes(nonceBytesMax));
  const native = reader.flag();
  const cameCount = reader.u32();
  const came: number[] = [];
  for (let n = 0; n < cameCount && !reader.failed; n++) came.push(reader.u53());
  const lastUsed = reader.u53();
  const ackBelow = reader.u53();
  const count = reader.u32();
  const answers: [number, number, Uint8Array][] = [];
  for (let n = 0; n < count && !reader.failed; n++) {
    const serial = reader.u53();
    const slot = reader.u32();
    if (serial < ackBelow || !isWithin(slot, slots)) return null;
    answers.push([serial, slot, reader.varbytes()]);
  }
  return reader.failed ? null : { id, nonce, native, came, lastUsed, ackBelow, answers };
}
