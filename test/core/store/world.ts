/** A log and its stores, for tests: entries are made here and applied at once. */
import { type Entry, type EntryType, entryType } from "../../../src/core/entry.js";
import { ByteReader, ByteWriter, bytesKey, keyBytes } from "../../../src/core/bytes.js";
import { RollingHash } from "../../../src/core/hash.js";
import type { SlotRange, StateMachine } from "../../../src/core/state-machine.js";
import {
  type ClientAnswer,
  type SessionId,
  decodeClientAnswer,
} from "../../../src/core/store/client-protocol.js";
import {
  type SessionEntry,
  encodeDataEntry,
  encodeSessionEntry,
} from "../../../src/core/store/entries.js";
import { type GroupLifeEntry, encodeGroupLifeEntry } from "../../../src/core/store/group-life.js";
import { decodeSlotsPiece } from "../../../src/core/store/slots-piece.js";
import type { ReplicatedStore } from "../../../src/core/store/replicated-store.js";

/** Appends commands to one list per slot; the answer is the length, so that twice would show. */
export class ListMachine implements StateMachine {
  lists = new Map<number, string[]>();

  apply(command: Uint8Array, slot: number): Uint8Array {
    const list = this.lists.get(slot) ?? [];
    this.lists.set(slot, [...list, bytesKey(command)]);
    return Uint8Array.of(list.length + 1);
  }

  query(_question: Uint8Array, slot: number): Uint8Array {
    return keyBytes((this.lists.get(slot) ?? []).join());
  }

  exportSlots(slots: SlotRange): Uint8Array {
    const writer = new ByteWriter();
    for (const slot of [...this.lists.keys()].sort((a, b) => a - b)) {
      if (slot < slots.from || slot >= slots.to) continue;
      writer.u32(slot);
      writer.varbytes(keyBytes(this.lists.get(slot)!.join()));
    }
    return writer.finish();
  }

  importSlots(slots: SlotRange, bytes: Uint8Array): boolean {
    const reader = new ByteReader(bytes);
    const lists = new Map<number, string[]>();
    while (reader.left > 0 && !reader.failed) {
      const slot = reader.u32();
      lists.set(slot, bytesKey(reader.varbytes()).split(","));
    }
    if (!reader.complete) return false;
    for (const slot of this.lists.keys()) {
      if (slot >= slots.from && slot < slots.to) this.lists.delete(slot);
    }
    for (const [slot, list] of lists) this.lists.set(slot, list);
    return true;
  }

  digest(): readonly [number, number] {
    const hash = new RollingHash();
    hash.bytes(this.exportSlots({ from: 0, to: Infinity }));
    return hash.digest();
  }
}

export interface Staged {
  readonly total: number;
  readonly checksum: number;
  readonly parts: readonly Uint8Array[];
}

/** The steps that bring released slots to their next owner, without the release and the drop. */
export function acceptance(slots: SlotRange, epoch: number, staged: Staged): GroupLifeEntry[] {
  const { total, checksum, parts } = staged;
  let offset = 0;
  const pieces = parts.map((bytes): GroupLifeEntry => {
    const piece = { kind: "stageSlots", slots, epoch, total, checksum, offset, bytes } as const;
    offset += bytes.length;
    return piece;
  });
  return [...pieces, { kind: "acceptSlots", slots, epoch, total, checksum }];
}

/** Makes the entries of one log and applies each to all its stores, which must answer alike. */
export class Log {
  #index = 0;
  readonly stores: ReplicatedStore[];

  constructor(...stores: ReplicatedStore[]) {
    this.stores = stores;
  }

  open(nonce: string): ClientAnswer {
    return this.session({ kind: "open", nonce: keyBytes(nonce) });
  }

  session(entry: SessionEntry): ClientAnswer {
    return this.append(entryType.session, encodeSessionEntry(entry))!;
  }

  /** At the epoch at which the slot is owned here, unless another one is given. */
  data(
    session: SessionId,
    serial: number,
    ackBelow: number,
    slot: number,
    command: Uint8Array,
    epoch: number = this.epochOf(slot),
  ): ClientAnswer {
    const payload = encodeDataEntry({ session, serial, ackBelow, slot, epoch, command });
    return this.append(entryType.data, payload)!;
  }

  life(entry: GroupLifeEntry): ClientAnswer {
    return this.append(entryType.groupLife, encodeGroupLifeEntry(entry))!;
  }

  /** At which the group last took or gave the slot. */
  epochOf(slot: number): number {
    return this.stores[0]!.slots.find(({ from, to }) => slot >= from && slot < to)?.epoch ?? 0;
  }

  /** The state of released slots, read in pieces of `bytesMax`. */
  kept(slots: SlotRange, epoch: number, bytesMax = 1000): Staged {
    const parts: Uint8Array[] = [];
    for (let offset = 0; ;) {
      const bytes = this.stores[0]!.readSlots(slots, epoch, offset, bytesMax);
      const answer = decodeClientAnswer(bytes);
      if (answer.kind !== "readResult") throw new Error(answer.kind);
      const piece = decodeSlotsPiece(answer.bytes);
      if (piece.kind === "undecodable") throw new Error(piece.code);
      parts.push(piece.bytes);
      offset += piece.bytes.length;
      if (offset >= piece.total || piece.bytes.length === 0) {
        return { total: piece.total, checksum: piece.checksum, parts };
      }
    }
  }

  append(type: EntryType, payload: Uint8Array): ClientAnswer | null {
    this.#index++;
    const entry = { term: 1, index: this.#index, type, keyEpoch: 0, payload } as unknown as Entry;
    const answers = this.stores.map((store) => store.apply(entry));
    for (const answer of answers) {
      if (Buffer.compare(answer ?? Buffer.alloc(0), answers[0] ?? Buffer.alloc(0)) !== 0) {
        throw new Error("replicas answered differently");
      }
    }
    if (answers[0] === null) return null;
    const answer = decodeClientAnswer(answers[0]!);
    if (answer.kind === "undecodable") throw new Error(`undecodable: ${answer.code}`);
    return answer;
  }
}

export function sessionOf(answer: ClientAnswer): SessionId {
  if (answer.kind !== "opened") throw new Error(answer.kind);
  return answer.session;
}

export function bytesOf(answer: ClientAnswer): Uint8Array {
  if (answer.kind !== "done") throw new Error(answer.kind);
  return answer.bytes;
}
