/**
 * The ring: proof, outside the log, of which batches were durable. Two files of one-sector slots;
 * each slot holds an entry for each of the newest batches. A slot rides, unsynced, with the next
 * batch, in turns on either file, or is written to both and synced when no batch comes.
 */
import { ByteReader, allocateBytes, putU32, putU53 } from "../bytes.js";
import type { Checksum } from "../crc32.js";
import { type DiskResult, sectorBytes } from "../ports/disk.js";
import type { WalContext } from "./context.js";

/** A batch whose sync has returned. */
export interface RingEntry {
  /** Of the batch header. */
  readonly lsn: number;
  readonly segment: number;
  readonly offset: number;
  /** Bytes of the batch on disk. */
  readonly length: number;
  /** The checksum of its header record. */
  readonly checksum: number;
}

export interface RingSlot {
  readonly disk: number;
  readonly boot: number;
  readonly entries: readonly RingEntry[];
}

export const ringFiles: readonly [string, string] = ["ring.0", "ring.1"];
export const ringEntryBytes = 24;
export const ringSlotFixedBytes = 32;
/** Newest batches that a slot remembers. */
export const ringEntriesMax = 8;
const magic = 0x676e_6972;

/** The newest batches, and the writes that tell of them. */
export class HeaderRing {
  /** True while the newest batch has no entry on disk. */
  pending = false;
  readonly #context: WalContext;
  readonly #newest: RingEntry[] = [];
  /** Open writes and syncs: a few. */
  readonly #ops: number[] = [];
  #turn = 0;

  constructor(context: WalContext) {
    this.#context = context;
  }

  /** The batch's sync has returned. */
  note(entry: RingEntry): void {
    this.#newest.push(entry);
    if (this.#newest.length > ringEntriesMax) this.#newest.shift();
    this.pending = true;
  }

  /** Beside the next batch: one file, unsynced, the other one next time. */
  writeBeside(disk: number, boot: number): void {
    this.#write(ringFiles[(this.#turn & 1) as 0 | 1], disk, boot);
    this.#turn++;
  }

  /** When no batch comes: both files, synced. */
  writeAlone(disk: number, boot: number): void {
    for (const file of ringFiles) {
      this.#write(file, disk, boot);
      this.#context.disk.sync(this.#op(), file);
    }
    this.#turn += 2;
  }

  /** Null: not an operation of the ring; else whether it went well. */
  diskDone(op: number, result: DiskResult): boolean | null {
    const at = this.#ops.indexOf(op);
    if (at < 0) return null;
    this.#ops.splice(at, 1);
    return result.ok;
  }

  #write(file: string, disk: number, boot: number): void {
    const { options, crc32 } = this.#context;
    const slot = (this.#turn >> 1) % options.ringSlots;
    const bytes = encodeRingSlot({ disk, boot, entries: this.#newest }, slot, crc32);
    this.#context.disk.write(this.#op(), file, slot * sectorBytes, bytes);
    this.pending = false;
  }

  #op(): number {
    const op = this.#context.nextOp();
    this.#ops.push(op);
    return op;
  }
}

export function encodeRingSlot(content: RingSlot, slot: number, crc32: Checksum): Uint8Array {
  const bytes = allocateBytes(sectorBytes);
  const { entries } = content;
  putU32(bytes, 4, magic);
  putU32(bytes, 8, slot);
  putU53(bytes, 12, content.disk);
  putU53(bytes, 20, content.boot);
  putU32(bytes, 28, entries.length);
  let at = ringSlotFixedBytes;
  for (const entry of entries) {
    putU53(bytes, at, entry.lsn);
    putU32(bytes, at + 8, entry.segment);
    putU32(bytes, at + 12, entry.offset);
    putU32(bytes, at + 16, entry.length);
    putU32(bytes, at + 20, entry.checksum);
    at += ringEntryBytes;
  }
  putU32(bytes, 0, crc32(bytes, 4, at, 0));
  return bytes;
}

/** All intact slots of a ring file that belong to `disk`. */
export function readRing(bytes: Uint8Array, disk: number, crc32: Checksum): RingSlot[] {
  const slots: RingSlot[] = [];
  for (let at = 0; at + sectorBytes <= bytes.length; at += sectorBytes) {
    const slot = readSlot(bytes.subarray(at, at + sectorBytes), at / sectorBytes, crc32);
    if (slot !== null && slot.disk === disk) slots.push(slot);
  }
  return slots;
}

function readSlot(bytes: Uint8Array, slot: number, crc32: Checksum): RingSlot | null {
  const reader = new ByteReader(bytes);
  const crc = reader.u32();
  if (reader.u32() !== magic || reader.u32() !== slot) return null;
  const disk = reader.u53();
  const boot = reader.u53();
  const count = reader.u32();
  if (count > ringEntriesMax) return null;
  const end = ringSlotFixedBytes + count * ringEntryBytes;
  if (crc32(bytes, 4, end, 0) !== crc) return null;
  const entries: RingEntry[] = [];
  for (let n = 0; n < count; n++) {
    entries.push({
      lsn: reader.u53(),
      segment: reader.u32(),
      offset: reader.u32(),
      length: reader.u32(),
      checksum: reader.u32(),
    });
  }
  return reader.failed ? null : { disk, boot, entries };
}
