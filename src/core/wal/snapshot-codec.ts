/** Snapshot files: their names, and the header that stands before the state. */
import { ByteReader, putU32, putU53 } from "../bytes.js";
import type { Checksum } from "../crc32.js";
import type { SnapshotMeta } from "../entry.js";
import { type Index, type Term, groupId, incarnation, isGroupId, isId, replicaId } from "../ids.js";
import type { ReplicaKey } from "./log-store.js";

const magic = 0x736c_7271;
const version = 1;
/** Before the configuration; the state follows it. */
export const snapshotFixedBytes = 60;

/** What a name says: whose snapshot, of what. */
export interface SnapshotName {
  readonly key: ReplicaKey;
  readonly index: number;
  readonly term: number;
  /** `tmp`: being saved; `part`: being received; "": whole. */
  readonly suffix: string;
}

export function snapshotFile(key: ReplicaKey, index: number, term: number, suffix = ""): string {
  const name = `snapshot.${key.group}.${key.incarnation}.${key.replica}.${index}.${term}`;
  return suffix === "" ? name : `${name}.${suffix}`;
}

/** Null for files that are no snapshots. */
export function parseSnapshotName(name: string): SnapshotName | null {
  const parts = name.split(".");
  const [prefix, ...rest] = parts;
  if (prefix !== "snapshot" || rest.length < 5 || rest.length > 6) return null;
  const numbers = rest.slice(0, 5).map(Number);
  if (!numbers.every(isId)) return null;
  const [group, life, replica, index, term] = numbers as [number, number, number, number, number];
  if (!isGroupId(group) || !isGroupId(life)) return null;
  const key = {
    group: groupId(group),
    incarnation: incarnation(life),
    replica: replicaId(replica),
  };
  return { key, index, term, suffix: rest[5] ?? "" };
}

export function stateOffset(meta: SnapshotMeta): number {
  return snapshotFixedBytes + meta.configuration.length;
}

/** The header, and room for the state behind it where `stateBytes` is given. */
export function encodeSnapshotHead(
  key: ReplicaKey,
  meta: SnapshotMeta,
  crc32: Checksum,
  stateBytes = 0,
): Uint8Array {
  const end = stateOffset(meta);
  const bytes = new Uint8Array(end + stateBytes);
  putU32(bytes, 4, magic);
  putU32(bytes, 8, version);
  putU32(bytes, 12, key.group);
  putU32(bytes, 16, key.incarnation);
  putU53(bytes, 20, key.replica);
  putU53(bytes, 28, meta.index);
  putU53(bytes, 36, meta.term);
  putU53(bytes, 44, meta.sizeBytes);
  putU32(bytes, 52, meta.checksum);
  putU32(bytes, 56, meta.configuration.length);
  bytes.set(meta.configuration, snapshotFixedBytes);
  putU32(bytes, 0, crc32(bytes, 4, end, 0));
  return bytes;
}

export interface WholeSnapshot {
  readonly meta: SnapshotMeta;
  readonly state: Uint8Array;
}

/** Null unless the file is whole, intact and the one that its name says. */
export function readSnapshot(
  bytes: Uint8Array,
  name: SnapshotName,
  crc32: Checksum,
): WholeSnapshot | null {
  const reader = new ByteReader(bytes);
  const crc = reader.u32();
  if (reader.u32() !== magic || reader.u32() !== version) return null;
  const group = reader.u32();
  const life = reader.u32();
  const replica = reader.u53();
  const index = reader.u53() as Index;
  const term = reader.u53() as Term;
  const sizeBytes = reader.u53();
  const checksum = reader.u32();
  const configuration = reader.varbytes().slice();
  if (reader.failed || crc32(bytes, 4, reader.at, 0) !== crc) return null;
  const { key } = name;
  if (group !== key.group || life !== key.incarnation || replica !== key.replica) return null;
  if (index !== name.index || term !== name.term || reader.left !== sizeBytes) return null;
  if (crc32(bytes, reader.at, bytes.length, 0) !== checksum) return null;
  const state = bytes.slice(reader.at);
  return { meta: { index, term, configuration, sizeBytes, checksum }, state };
}
