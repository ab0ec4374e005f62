/** What of slots on the move stands in a group's state, and its bytes in a snapshot. */
import type { ByteReader, ByteWriter } from "../bytes.js";
import type { Checksum } from "../crc32.js";
import type { RollingHash } from "../hash.js";
import type { SlotRange } from "../state-machine.js";
import { type SlotSpan, SlotTable } from "./slot-table.js";
import { Staging } from "./staging.js";

/** 1. `kept` is what of the table is released. 2. What is staged may still be accepted. */
export interface MovingState {
  readonly table: SlotTable;
  /** Then nothing is owned, released or staged. */
  readonly retired: boolean;
  readonly kept: Kept | null;
  readonly staging: Staging | null;
}

/** Slots that were released, until they are dropped or served again. */
export interface Kept {
  readonly slots: SlotRange;
  readonly epoch: number;
  /** What sessions remembered of them then: here they live on, and may forget. */
  readonly sessions: Uint8Array;
  /** CRC-32 of these, for digests. */
  readonly sessionsChecksum: number;
}

/** Never twice at one epoch, nor below one at which the slots were abandoned or given away. */
export function mayCome(spans: readonly SlotSpan[], epoch: number): boolean {
  return spans.every((span) => span.state === "absent" && span.epoch < epoch);
}

export function foldMoving(
  { table, retired, kept, staging }: MovingState,
  hash: RollingHash,
): void {
  table.fold(hash);
  hash.word(retired ? 1 : 0);
  hash.word(kept === null ? 0 : 1);
  // Slots and epoch of what is kept are in the table.
  if (kept !== null) hash.word(kept.sessionsChecksum);
  hash.word(staging === null ? 0 : 1);
  staging?.fold(hash);
}

export function writeMoving({ table, retired, kept, staging }: MovingState, to: ByteWriter): void {
  table.write(to);
  to.u8(retired ? 1 : 0);
  to.u8(kept === null ? 0 : 1);
  if (kept !== null) {
    to.u32(kept.slots.from);
    to.u32(kept.slots.to);
    to.u53(kept.epoch);
    to.varbytes(kept.sessions);
  }
  to.u8(staging === null ? 0 : 1);
  staging?.write(to);
}

/** Null unless the bytes are what `writeMoving` makes of a state with so many slots. */
export function readMoving(
  reader: ByteReader,
  slotCount: number,
  crc32: Checksum,
  moveBytesMax: number,
): MovingState | null {
  const table = SlotTable.read(reader, slotCount);
  if (table === null) return null;
  const retired = reader.flag();
  const kept = reader.flag() ? takeKept(reader, crc32) : null;
  const stages = reader.flag();
  const staging = stages ? Staging.read(reader, crc32, moveBytesMax) : null;
  if (reader.failed || (stages && staging === null)) return null;
  const state = { table, retired, kept, staging };
  return isConsistent(state) ? state : null;
}

function takeKept(reader: ByteReader, crc32: Checksum): Kept {
  const slots = { from: reader.u32(), to: reader.u32() };
  const epoch = reader.u53();
  // A copy: the rest of the snapshot need not live as long.
  const sessions = reader.varbytes().slice();
  return { slots, epoch, sessions, sessionsChecksum: crc32(sessions) };
}

function isConsistent({ table, retired, kept, staging }: MovingState): boolean {
  const released = table.spans.filter(({ state }) => state === "released");
  if (kept === null ? released.length > 0 : !isKept(table, kept, released)) return false;
  if (staging !== null) {
    const { slots, epoch } = staging.incoming;
    const known = slots.from < slots.to && slots.to <= table.slotCount;
    if (!known || staging.length === 0 || !mayCome(table.within(slots), epoch)) return false;
  }
  const empty = staging === null && table.spans.every(({ state }) => state === "absent");
  return !retired || empty;
}

function isKept(table: SlotTable, kept: Kept, released: readonly SlotSpan[]): boolean {
  const { slots, epoch } = kept;
  return (
    released.at(0)?.from === slots.from &&
    released.at(-1)?.to === slots.to &&
    table.within(slots).every((span) => span.state === "released" && span.epoch === epoch)
  );
}
