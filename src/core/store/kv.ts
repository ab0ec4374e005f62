/** The key-value store: the state machine that groups replicate unless told otherwise. */
import { assert } from "../assert.js";
import { ByteReader, ByteWriter, bytesKey, copyBytes, equalBytes, keyBytes } from "../bytes.js";
import { RollingHash } from "../hash.js";
import type { Marks } from "../marks.js";
import type { SlotRange, StateMachine } from "../state-machine.js";
import {
  type KvAnswer,
  type KvCommand,
  type KvEntry,
  type KvQuestion,
  decodeKvCommand,
  decodeKvQuestion,
  encodeKvAnswer,
  rangeBytesMax,
} from "./commands.js";
import { isSlotCount, slotOf, slotPart } from "./slots.js";

interface Pair {
  readonly value: Uint8Array;
  /** Of key and value, so that a pair can leave the digest again. */
  readonly hashA: number;
  readonly hashB: number;
}

/** 1. `keys` are those of `pairs`, sorted. 2. All belong to the slot. 3. A slot without keys is gone. */
interface Slot {
  readonly keys: string[];
  readonly pairs: Map<string, Pair>;
}

const formatVersion = 1;

export class KvStore implements StateMachine {
  readonly #slotCount: number;
  readonly #marks: Marks;
  readonly #slots = new Map<number, Slot>();
  #sumA = 0;
  #sumB = 0;
  #size = 0;

  constructor(options: { readonly slotCount: number; readonly marks: Marks }) {
    assert(isSlotCount(options.slotCount), "the slot count is a power of two");
    this.#slotCount = options.slotCount;
    this.#marks = options.marks;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  apply(command: Uint8Array, slot: number): Uint8Array {
    const decoded = decodeKvCommand(command);
    if (decoded.kind === "undecodable") {
      this.#marks.hit("malformedCommandAnswered");
      return encodeKvAnswer({ kind: "malformed", code: decoded.code });
    }
    return encodeKvAnswer(this.#apply(decoded, slot));
  }

  query(question: Uint8Array, slot: number): Uint8Array {
    const decoded = decodeKvQuestion(question);
    if (decoded.kind === "undecodable") {
      return encodeKvAnswer({ kind: "malformed", code: decoded.code });
    }
    return encodeKvAnswer(this.#query(decoded, slot));
  }

  /** The sum of one hash per pair: it grows and shrinks with them, in any order. */
  digest(): readonly [number, number] {
    return [this.#sumA >>> 0, this.#sumB >>> 0];
  }

  exportSlots(slots: SlotRange): Uint8Array {
    const numbers = this.#within(slots).sort((a, b) => a - b);
    const writer = new ByteWriter();
    writer.u8(formatVersion);
    writer.u32(0);
    let count = 0;
    for (const slot of numbers) {
      const { keys, pairs } = this.#slots.get(slot)!;
      for (const key of keys) {
        writer.varbytes(keyBytes(key));
        writer.varbytes(pairs.get(key)!.value);
        count++;
      }
    }
    writer.patchU32(1, count);
    return writer.finish();
  }

  importSlots(slots: SlotRange, bytes: Uint8Array): boolean {
    const entries = this.#parse(slots, bytes);
    if (entries === null) return false;
    for (const slot of this.#within(slots)) {
      const { keys } = this.#slots.get(slot)!;
      while (keys.length > 0) this.#remove(slot, keys.at(-1)!);
    }
    for (const [slot, key, value] of entries) this.#set(slot, key, value);
    return true;
  }

  #apply(command: KvCommand, slot: number): KvAnswer {
    if (slotOf(command.key, this.#slotCount) !== slot) return { kind: "wrongSlot" };
    const key = bytesKey(command.key);
    switch (command.kind) {
      case "put":
        this.#set(slot, key, command.value);
        return { kind: "put" };
      case "delete":
        return { kind: "delete", existed: this.#remove(slot, key) };
      case "cas": {
        const present = this.#slots.get(slot)?.pairs.get(key)?.value ?? null;
        const { expected } = command;
        const ok =
          present === null || expected === null
            ? present === expected
            : equalBytes(present, expected);
        if (ok) this.#set(slot, key, command.value);
        else this.#marks.hit("casMismatched");
        return { kind: "cas", ok };
      }
    }
  }

  #query(question: KvQuestion, slot: number): KvAnswer {
    const first = question.kind === "get" ? question.key : question.start;
    if (slotOf(first, this.#slotCount) !== slot) return { kind: "wrongSlot" };
    const held = this.#slots.get(slot);
    if (question.kind === "range") return range(held, question);
    return { kind: "get", value: held?.pairs.get(bytesKey(question.key))?.value ?? null };
  }

  /** Copies the value, which may be a view of much more. */
  #set(slot: number, key: string, value: Uint8Array): void {
    let held = this.#slots.get(slot);
    if (held === undefined) {
      held = { keys: [], pairs: new Map() };
      this.#slots.set(slot, held);
    }
    const before = held.pairs.get(key);
    if (before === undefined) {
      held.keys.splice(lowerBound(held.keys, key), 0, key);
      this.#size++;
    } else {
      this.#add(-before.hashA, -before.hashB);
    }
    const hash = new RollingHash();
    hash.text(key);
    hash.bytes(value);
    const [hashA, hashB] = hash.digest();
    this.#add(hashA, hashB);
    held.pairs.set(key, { value: copyBytes(value), hashA, hashB });
  }

  #remove(slot: number, key: string): boolean {
    const held = this.#slots.get(slot);
    const pair = held?.pairs.get(key);
    if (held === undefined || pair === undefined) return false;
    held.pairs.delete(key);
    held.keys.splice(lowerBound(held.keys, key), 1);
    if (held.keys.length === 0) this.#slots.delete(slot);
    this.#add(-pair.hashA, -pair.hashB);
    this.#size--;
    return true;
  }

  #add(a: number, b: number): void {
    this.#sumA = (this.#sumA + a) | 0;
    this.#sumB = (this.#sumB + b) | 0;
  }

  /** Slots of the range that hold anything. */
  #within(slots: SlotRange): number[] {
    return [...this.#slots.keys()].filter((slot) => slot >= slots.from && slot < slots.to);
  }

  /** Null unless the bytes are what `exportSlots` makes of this range. */
  #parse(
    slots: SlotRange,
    bytes: Uint8Array,
  ): [slot: number, key: string, value: Uint8Array][] | null {
    const reader = new ByteReader(bytes);
    const version = reader.u8();
    const count = reader.u32();
    const entries: [number, string, Uint8Array][] = [];
    let before = -1;
    let beforeKey = "";
    for (let n = 0; n < count && !reader.failed; n++) {
      const key = reader.varbytes();
      const value = reader.varbytes();
      const slot = slotOf(key, this.#slotCount);
      const text = bytesKey(key);
      const ordered = slot > before || (slot === before && text > beforeKey);
      if (!ordered || slot < slots.from || slot >= slots.to) return null;
      entries.push([slot, text, value]);
      before = slot;
      beforeKey = text;
    }
    return reader.complete && version === formatVersion ? entries : null;
  }
}

function range(held: Slot | undefined, question: KvQuestion & { kind: "range" }): KvAnswer {
  const entries: KvEntry[] = [];
  if (held === undefined) return { kind: "range", entries };
  const start = bytesKey(question.start);
  const part = slotPart(start);
  // "0" follows "/": nothing from there on can begin with the part and a slash.
  const last = `${part}0`;
  const end = question.end === null ? last : bytesKey(question.end);
  let sizeBytes = 0;
  for (let at = lowerBound(held.keys, start); at < held.keys.length; at++) {
    const key = held.keys[at]!;
    if (key >= end || key >= last || entries.length === question.limit) break;
    if (slotPart(key) !== part) continue;
    const { value } = held.pairs.get(key)!;
    sizeBytes += key.length + value.length;
    if (sizeBytes > rangeBytesMax) return { kind: "tooLarge" };
    entries.push([keyBytes(key), value]);
  }
  return { kind: "range", entries };
}

/** The place of the first key that is not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
