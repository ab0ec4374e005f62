/** Damage at rest: a bit of what was synced changes, and nobody notices until it is read. */
import { getU32 } from "../core/bytes.js";
import { crc32 } from "../core/crc32.js";
import type { GroupId } from "../core/ids.js";
import { sectorBytes } from "../core/ports/disk.js";
import {
  recordEnd,
  recordField,
  recordHeaderBytes,
  recordType,
  recordTypeAt,
} from "../core/wal/record.js";
import type { SimFile } from "./files.js";

/** Bytes before a misdirected write that it leaves alone: the newest batches. */
export const sparedBytes: number = 16 * sectorBytes;

/** Small files are no logs: all of them may rot. */
function isSpared({ durableBytes, newest }: SimFile, at: number): boolean {
  if (durableBytes <= 2 * sparedBytes) return false;
  return newest.some(({ from, to }) => at >= from && at < to);
}

/** Changes a bit of the first byte from a drawn place on that is not zero and not spared. */
export function flipByte(file: SimFile, word: number): boolean {
  const end = file.durableBytes;
  // One time in eight in the file's head, of which there is little.
  const reach = ((word >>> 3) & 7) === 0 ? Math.min(end, sectorBytes) : end;
  const from = (word >>> 8) % Math.max(1, reach);
  for (let step = 0; step < end; step++) {
    const at = (from + step) % end;
    if (file.durable[at] === 0 || isSpared(file, at)) continue;
    flip(file, at, word);
    return true;
  }
  return false;
}

/** The same to the payload of a whole entry of `group`, from a drawn place on. */
export function flipEntryOf(file: SimFile, group: GroupId, word: number): boolean {
  const { durable, durableBytes: end } = file;
  const last = end - recordHeaderBytes;
  for (let step = 0; step <= last; step++) {
    const at = ((word >>> 8) + step) % (last + 1);
    if (recordTypeAt(durable, at) !== recordType.entry) continue;
    if (getU32(durable, at + recordField.group) !== group) continue;
    const salt = getU32(durable, at + recordField.salt);
    const to = recordEnd(durable, at, end, at, salt, crc32);
    if (to <= at + recordHeaderBytes || isSpared(file, to - 1)) continue;
    flip(file, to - 1, word);
    return true;
  }
  return false;
}

function flip(file: SimFile, at: number, word: number): void {
  const flipped = file.durable[at]! ^ (1 << (word & 7));
  file.durable[at] = flipped;
  if (at < file.sizeBytes) file.data[at] = flipped;
}
