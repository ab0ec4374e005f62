/** The state of slots on its way in: as much of it as has come, a piece at a time. */
import type { ByteReader, ByteWriter } from "../bytes.js";
import { equalBytes } from "../bytes.js";
import type { Checksum } from "../crc32.js";
import type { RollingHash } from "../hash.js";
import type { SlotRange } from "../state-machine.js";

/** Of which move, and how the whole must turn out. */
export interface Incoming {
  readonly slots: SlotRange;
  readonly epoch: number;
  /** Bytes, and their CRC-32. */
  readonly total: number;
  readonly checksum: number;
}

export class Staging {
  readonly incoming: Incoming;
  /** How many bytes are there, from the first one on. */
  length = 0;
  readonly #crc32: Checksum;
  readonly #bytes: Uint8Array;
  /** Of what is there. */
  #checksum = 0;

  /** The caller has held `total` against its limit. */
  constructor(incoming: Incoming, crc32: Checksum) {
    this.incoming = incoming;
    this.#crc32 = crc32;
    this.#bytes = new Uint8Array(incoming.total);
  }

  /** False, and nothing changed, for a gap or another piece than the one that is there. */
  add(offset: number, bytes: Uint8Array): boolean {
    const { length } = this;
    if (offset > length || offset + bytes.length > this.incoming.total) return false;
    const known = Math.min(length - offset, bytes.length);
    const there = this.#bytes.subarray(offset, offset + known);
    if (!equalBytes(there, bytes.subarray(0, known))) return false;
    const fresh = bytes.subarray(known);
    this.#bytes.set(fresh, length);
    this.#checksum = this.#crc32(fresh, 0, fresh.length, this.#checksum);
    this.length = length + fresh.length;
    return true;
  }

  /** Null while a part is missing, and when the whole is not what was announced. */
  get whole(): Uint8Array | null {
    const { total, checksum } = this.incoming;
    return this.length === total && this.#checksum === checksum ? this.#bytes : null;
  }

  fold(hash: RollingHash): void {
    const { slots, epoch, total, checksum } = this.incoming;
    hash.word(slots.from);
    hash.word(slots.to);
    hash.number(epoch);
    hash.number(total);
    hash.word(checksum);
    hash.number(this.length);
    hash.word(this.#checksum);
  }

  write(writer: ByteWriter): void {
    const { slots, epoch, total, checksum } = this.incoming;
    writer.u32(slots.from);
    writer.u32(slots.to);
    writer.u53(epoch);
    writer.u53(total);
    writer.u32(checksum);
    writer.varbytes(this.#bytes.subarray(0, this.length));
  }

  /** Null unless the bytes are what `write` makes of a move of at most `bytesMax`. */
  static read(reader: ByteReader, crc32: Checksum, bytesMax: number): Staging | null {
    const slots = { from: reader.u32(), to: reader.u32() };
    const incoming = { slots, epoch: reader.u53(), total: reader.u53(), checksum: reader.u32() };
    const bytes = reader.varbytes();
    if (reader.failed || incoming.total > bytesMax) return null;
    const staging = new Staging(incoming, crc32);
    return staging.add(0, bytes) ? staging : null;
  }
}

export function isSameMove(a: Incoming, b: Incoming): boolean {
  return (
    a.slots.from === b.slots.from &&
    a.slots.to === b.slots.to &&
    a.epoch === b.epoch &&
    a.total === b.total &&
    a.checksum === b.checksum
  );
}
