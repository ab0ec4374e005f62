/** Whose disk this is: one sector, in two files, written when the disk is formatted. */
import { ByteReader, putU32, putU53 } from "../bytes.js";
import type { Checksum } from "../crc32.js";
import { sectorBytes } from "../ports/disk.js";

export interface Identity {
  readonly disk: number;
  /** Boots of this disk are above it: what the node had reached before its disk was wiped. */
  readonly bootFloor: number;
}

export const identityFiles: readonly [string, string] = ["identity.0", "identity.1"];

const magic = 0x646c_7271;
const version = 1;
const bodyBytes = 28;

export function encodeIdentity(identity: Identity, crc32: Checksum): Uint8Array {
  const bytes = new Uint8Array(sectorBytes);
  putU32(bytes, 4, magic);
  putU32(bytes, 8, version);
  putU53(bytes, 12, identity.disk);
  putU53(bytes, 20, identity.bootFloor);
  putU32(bytes, 0, crc32(bytes, 4, bodyBytes, 0));
  return bytes;
}

/** Null when the sector is broken; a number when another version wrote it. */
export function readIdentity(bytes: Uint8Array, crc32: Checksum): Identity | number | null {
  const reader = new ByteReader(bytes);
  const crc = reader.u32();
  if (reader.u32() !== magic || bytes.length < bodyBytes) return null;
  if (crc32(bytes, 4, bodyBytes, 0) !== crc) return null;
  const found = reader.u32();
  if (found !== version) return found;
  const disk = reader.u53();
  const bootFloor = reader.u53();
  return reader.failed ? null : { disk, bootFloor };
}
