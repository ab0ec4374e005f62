/**
 * CRC-32 (IEEE 802.3, reflected, polynomial 0xedb88320), eight bytes a turn ("slicing by 8").
 *
 * Where Node is there a host may hand in zlib's instead; a test holds the two equal.
 */

/** Over `bytes[from, to)`; `seed` is the checksum of what went before. Unsigned. */
export type Checksum = (bytes: Uint8Array, from?: number, to?: number, seed?: number) => number;

export function crc32(bytes: Uint8Array, from = 0, to: number = bytes.length, seed = 0): number {
  let crc = ~seed;
  let at = from;
  for (const whole = to - 7; at < whole; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      tables[0x700 | (crc & 0xff)]! ^
      tables[0x600 | ((crc >>> 8) & 0xff)]! ^
      tables[0x500 | ((crc >>> 16) & 0xff)]! ^
      tables[0x400 | (crc >>> 24)]! ^
      tables[0x300 | bytes[at + 4]!]! ^
      tables[0x200 | bytes[at + 5]!]! ^
      tables[0x100 | bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!;
  }
  for (; at < to; at++) crc = tables[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Table k, at k * 256, advances a byte that has k more bytes after it. */
const tables: Int32Array = makeTables();

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    made[byte] = crc;
  }
  for (let at = 256; at < made.length; at++) {
    const shorter = made[at - 256]!;
    made[at] = (shorter >>> 8) ^ made[shorter & 0xff]!;
  }
  return made;
}
