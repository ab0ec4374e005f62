/** What an auditor sees of sealed records: every byte of every file, whatever the log says of it. */
import { getU32, getU53 } from "../../../src/core/bytes.js";
import { crc32 } from "../../../src/core/crc32.js";
import { type Entry, entryType } from "../../../src/core/entry.js";
import { index, term } from "../../../src/core/ids.js";
import { recordEnd, recordField, recordType } from "../../../src/core/wal/record.js";
import type { MemoryDisk } from "./memory-disk.js";

/** An entry whose bytes show, wherever a piece of it is left, whose it was. */
export function sealedEntry(
  group: number,
  at: number,
  ofTerm: number,
  keyEpoch: number,
  bytes = 40,
): Entry {
  const payload = new Uint8Array(bytes);
  const mark = markOf(group, keyEpoch);
  for (let n = 0; n < bytes; n++) payload[n] = mark[n % mark.length]!;
  return { term: term(ofTerm), index: index(at), type: entryType.data, keyEpoch, payload };
}

function markOf(group: number, keyEpoch: number): Uint8Array {
  return Uint8Array.of(0xd1, group, 0xa7, keyEpoch);
}

/** Intact records of the group under epochs before `epoch`, anywhere: in words. */
export function recordsBelow(disk: MemoryDisk, group: number, epoch: number): string[] {
  const found: string[] = [];
  for (const { name } of disk.files()) {
    if (!name.startsWith("segment.")) continue;
    const bytes = disk.bytes(name);
    for (let at = 0; at + 32 <= bytes.length; at++) {
      if (bytes[at + recordField.type] !== recordType.entry) continue;
      const salt = getU32(bytes, at + recordField.salt);
      if (recordEnd(bytes, at, bytes.length, at, salt, crc32) === 0) continue;
      const keyEpoch = bytes[at + recordField.keyEpoch]!;
      if (getU32(bytes, at + recordField.group) !== group) continue;
      if (keyEpoch === 0 || keyEpoch >= epoch) continue;
      found.push(`${name} ${at}: entry ${getU53(bytes, at + 48)} of epoch ${keyEpoch}`);
    }
  }
  return found;
}

/** Pieces of what was sealed, of records that are broken or half overwritten too: in words. */
export function piecesBelow(disk: MemoryDisk, group: number, epoch: number): string[] {
  const found: string[] = [];
  for (const { name } of disk.files()) {
    const bytes = disk.bytes(name);
    for (let at = bytes.indexOf(0xd1); at >= 0; at = bytes.indexOf(0xd1, at + 1)) {
      if (bytes[at + 1] !== group || bytes[at + 2] !== 0xa7 || bytes[at + 4] !== 0xd1) continue;
      if (bytes[at + 3]! < epoch) found.push(`${name} ${at}: epoch ${bytes[at + 3]}`);
    }
  }
  return found;
}
